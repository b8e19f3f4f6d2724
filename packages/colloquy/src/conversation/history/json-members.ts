/**
 * The members of a JSON object as text, by name. Parsing and writing them again would not always give the same text. Throws
 * a `SyntaxError` if the text is not a JSON object.
 */
export function jsonMembers(json: string): Map<string, string> {
  const value: unknown = JSON.parse(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('It is not a JSON object')
  const members = new Map<string, string>()
  // The text is well-formed, so only strings and brackets have to be told apart.
  let at = json.indexOf('{') + 1
  for (;;) {
    const start = skipSpace(json, at)
    if (json[start] === '}') return members
    const colon = json.indexOf(':', endOfString(json, start))
    const end = endOfValue(json, skipSpace(json, colon + 1))
    const name = JSON.parse(json.slice(start, endOfString(json, start))) as string
    members.set(name, json.slice(colon + 1, end).trim())
    at = json[end] === ',' ? end + 1 : end
  }
}

/** The elements of a JSON list as text. Throws a `SyntaxError` if the text is not a JSON list. */
export function jsonElements(json: string): string[] {
  if (!Array.isArray(JSON.parse(json))) throw new SyntaxError('It is not a JSON list')
  const elements: string[] = []
  let at = json.indexOf('[') + 1
  for (;;) {
    const start = skipSpace(json, at)
    if (json[start] === ']') return elements
    const end = endOfValue(json, start)
    elements.push(json.slice(start, end).trim())
    at = json[end] === ',' ? end + 1 : end
  }
}

/** The end of a value: the index of the comma or bracket that follows it. */
function endOfValue(json: string, start: number): number {
  let depth = 0
  for (let at = start; ; at++) {
    const sign = json[at]
    if (sign === '"') at = endOfString(json, at) - 1
    else if (sign === '{' || sign === '[') depth++
    else if (depth === 0 && (sign === ',' || sign === '}' || sign === ']')) return at
    else if (sign === '}' || sign === ']') depth--
  }
}

/** The index after the closing quote of the string that starts at `start`. */
export function endOfString(json: string, start: number): number {
  let at = json.indexOf('"', start + 1)
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1)
  return at + 1
}

function isEscaped(json: string, at: number): boolean {
  let before = at
  while (json[before - 1] === '\\') before--
  return (at - before) % 2 === 1
}

function skipSpace(json: string, start: number): number {
  let at = start
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\t' || json[at] === '\r') at++
  return at
}
