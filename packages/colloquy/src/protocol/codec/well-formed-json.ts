const halfEscape = /\\ud[89a-f]/i
// Every escape, so that the `u` after an escaped backslash is not taken for one. A pair of halves comes first.
const escape = /\\ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|\\ud[89a-f][\da-f]{2}|\\[^]/gi
const halfLength = '\\ud800'.length

/** Replaces halves of surrogate pairs in JSON, escaped or not, by U+FFFD: the API refuses a request that has one. */
export function wellFormedJson(json: string): string {
  // Missing in React Native, where the text of `JSON.stringify()` has only escaped halves anyway.
  const text = typeof json.toWellFormed === 'function' ? json.toWellFormed() : json
  // Searching for a fixed text first is ten times as fast, and few texts have an escape.
  if (!text.includes('\\u') || !halfEscape.test(text)) return text
  return text.replaceAll(escape, (found) => (found.length === halfLength ? '\ufffd' : found))
}
