import { isObject } from '../../../protocol/json/json-object.ts'

/**
 * Returns the members of a JSON object as text, by name. Parsing a member and writing it again would not always give the
 * same text. Throws a `SyntaxError` if the text is not a JSON object.
 */
export function jsonMembers(json: string): Map<string, string> {
  if (!isObject(JSON.parse(json))) throw new SyntaxError('It is not a JSON object')
  return cutMembers(json)
}

/** As `jsonMembers()`, for a text that is known to be a JSON object. */
export function cutMembers(json: string): Map<string, string> {
  const members = new Map<string, string>()
  for (const { name, start, end } of jsonParts(json)) members.set(name, json.slice(start, end).trimEnd())
  return members
}

/** The elements of a JSON list as text. Throws a `SyntaxError` if the text is not a JSON list. */
export function jsonElements(json: string): string[] {
  if (!Array.isArray(JSON.parse(json))) throw new SyntaxError('It is not a JSON list')
  return cutElements(json)
}

/** As `jsonElements()`, for a text that is known to be a JSON list. */
export function cutElements(json: string): string[] {
  return Array.from(jsonParts(json), ({ start, end }) => json.slice(start, end).trimEnd())
}

/** A member of a JSON object or an element of a list, with the white space behind it. */
export interface JsonPart {
  /** Empty for an element. */
  name: string
  /** The index at which the value begins. */
  start: number
  end: number
}

/**
 * Cuts the text of a JSON object or list into its parts. The cut looks only at strings and brackets and does not check the
 * parts: the text is valid JSON if every part is.
 *
 * @throws {SyntaxError} If the text is certainly not a JSON object or list.
 */
export function* jsonParts(json: string): Generator<JsonPart> {
  const open = skipSpace(json, 0)
  const isObject = json[open] === '{'
  if (!isObject && json[open] !== '[') throw notJson()
  const close = isObject ? '}' : ']'
  let at = skipSpace(json, open + 1)
  while (json[at] !== close) {
    const part = isObject ? memberAt(json, at) : { name: '', start: at, end: endOfValue(json, at) }
    yield part
    at = part.end
    if (json[at] === close) break
    at = skipSpace(json, at + 1)
    if (json[part.end] !== ',' || json[at] === close) throw notJson()
  }
  if (skipSpace(json, at + 1) !== json.length) throw notJson()
}

function memberAt(json: string, at: number): JsonPart {
  const nameEnd = json[at] === '"' ? endOfString(json, at) : at
  const colon = skipSpace(json, nameEnd)
  if (nameEnd === at || json[colon] !== ':') throw notJson()
  const start = skipSpace(json, colon + 1)
  return { name: JSON.parse(json.slice(at, nameEnd)) as string, start, end: endOfValue(json, start) }
}

function notJson(): SyntaxError {
  return new SyntaxError('It is neither a JSON object nor a list')
}

const signs = { quote: 0x22, comma: 0x2c, openList: 0x5b, closeList: 0x5d, openObject: 0x7b, closeObject: 0x7d }

/** The end of a value: the index of the comma or bracket that follows it, or the length of a text that ends before. */
function endOfValue(json: string, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const sign = json.charCodeAt(at)
    if (sign === signs.quote) at = endOfString(json, at) - 1
    else if (sign === signs.openObject || sign === signs.openList) depth++
    else if (sign === signs.closeObject || sign === signs.closeList) {
      if (depth-- === 0) return at
    } else if (sign === signs.comma && depth === 0) return at
  }
  return json.length
}

/** Whether lists and objects stand in each other at more than this many levels. */
export function isNestedDeeper(json: string, levels: number): boolean {
  return json.length > levels && openLevels(json, levels) > levels
}

/** Whether the text of a JSON object or list ends before its last bracket. */
export function isCut(json: string): boolean {
  return openLevels(json) > 0
}

/** The number of lists and objects that are open at the end of a JSON text. Stops counting above `most`. */
function openLevels(json: string, most = Infinity): number {
  let depth = 0
  for (let at = 0; at < json.length && depth <= most; at++) {
    const sign = json.charCodeAt(at)
    if (sign === signs.quote) at = endOfString(json, at) - 1
    else if (sign === signs.openObject || sign === signs.openList) depth++
    else if (sign === signs.closeObject || sign === signs.closeList) depth--
  }
  return depth
}

/** The index after the closing quote of the string that starts at `start`; the length of the text if there is none. */
export function endOfString(json: string, start: number): number {
  let at = json.indexOf('"', start + 1)
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1)
  return at === -1 ? json.length : at + 1
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
