// Text of pages and of the model, made fit for the one line or field that it goes into.

/** The most characters of a text field or URL of a toolset's results. */
export const maxFieldLength = 4096

// Control characters, line separators, and marks that reverse the direction of what follows.
const breaks = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g

/** The text in one line of at most `limit` characters. */
export function lineOf(text: string, limit: number = maxFieldLength): string {
  return cut(wellFormed(text).replaceAll(breaks, ' ').trim(), limit)
}

/** A name that the model chose, for use inside quotes. */
export function quotable(name: string): string {
  return lineOf(name, 200).replaceAll(/[' ]+/g, ' ').trim()
}

/** A URL in one line. A longer one begins with `…` and its end is cut, so that it cannot be taken for another site's. */
export function shownUrl(url: string): string {
  const line = lineOf(url, Infinity)
  return cut(line, maxFieldLength) === line ? line : `…${cut(line, maxFieldLength - 1)}`
}

/** The text with U+FFFD for halves of surrogate pairs, which the API refuses. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd')
}

/** The first `limit` characters, counted as code points so that no pair is divided. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  let end = 0
  for (let count = 0; count < limit && end < text.length; count++) end += text.codePointAt(end)! > 0xffff ? 2 : 1
  return text.slice(0, end)
}
