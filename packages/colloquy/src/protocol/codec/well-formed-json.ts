/**
 * Replaces each lone surrogate of a JSON text by U+FFFD. Half of a surrogate pair, such as a cut emoji leaves behind, is not
 * text: the API refuses a request that contains its escape.
 */
export function wellFormedJson(json: string): string {
  // `JSON.stringify` writes only lone surrogates as escapes, in lower case.
  if (!json.includes('\\ud')) return json
  return json.replace(/\\\\|\\ud[89ab]..\\ud[c-f]..|\\ud[89a-f]../g, (found) =>
    found.length === 6 ? '\\ufffd' : found,
  )
}
