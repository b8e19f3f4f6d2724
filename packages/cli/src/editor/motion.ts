import { graphemes } from '../terminal/width.ts'

const wordCharacter = /[\p{L}\p{N}\p{M}_]/u

/** The offset one grapheme to the left. */
export function before(text: string, cursor: number): number {
  if (cursor === 0) return 0
  let last = lineStart(text, cursor - 1)
  let at = last
  for (const cluster of graphemes(text.slice(last, cursor))) {
    last = at
    at += cluster.length
  }
  return last
}

/** The offset one grapheme to the right. */
export function after(text: string, cursor: number): number {
  for (const cluster of graphemes(text.slice(cursor))) return cursor + cluster.length
  return cursor
}

export function wordBefore(text: string, cursor: number): number {
  let at = cursor
  while (at > 0 && !isWordAt(text, before(text, at))) at = before(text, at)
  while (at > 0 && isWordAt(text, before(text, at))) at = before(text, at)
  return at
}

export function wordAfter(text: string, cursor: number): number {
  let at = cursor
  while (at < text.length && !isWordAt(text, at)) at = after(text, at)
  while (at < text.length && isWordAt(text, at)) at = after(text, at)
  return at
}

/** The beginning of the word and the white space that Ctrl-W cuts. */
export function spacedWordBefore(text: string, cursor: number): number {
  const head = text.slice(0, cursor).trimEnd()
  return /\S*$/.exec(head)?.index ?? 0
}

export function lineStart(text: string, cursor: number): number {
  return cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1
}

export function lineEnd(text: string, cursor: number): number {
  const end = text.indexOf('\n', cursor)
  return end < 0 ? text.length : end
}

function isWordAt(text: string, at: number): boolean {
  return wordCharacter.test(String.fromCodePoint(text.codePointAt(at) ?? 0))
}
