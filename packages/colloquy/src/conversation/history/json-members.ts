/**
 * The members of a JSON object as the texts that they are, by their names: what `JSON.parse` would make of them could not
 * be written again exactly. Throws a `SyntaxError` where the text is no JSON object.
 */
export function jsonMembers(json: string): Map<string, string> {
  const value: unknown = JSON.parse(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('It is no JSON object')
  const members = new Map<string, string>()
  // It is well-formed, so strings and brackets are all that has to be told apart.
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

/** The elements of a JSON list as the texts that they are. Throws a `SyntaxError` where the text is no JSON list. */
export function jsonElements(json: string): string[] {
  if (!Array.isArray(JSON.parse(json))) throw new SyntaxError('It is no JSON list')
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

/** Where the value ends: at the comma or bracket behind it. */
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

/** Behind the closing quote of the string that starts there. */
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
