import { type JsonPart, jsonParts } from '../history/exact/json-members.ts'
import { collected, type Pausable, type PausableItems } from '../in-slices.ts'

// JSON.parse() takes a tenth of a second for ten megabytes. A long text is cut into its members and elements, and each is
// parsed by itself.

/** A member or an element of a JSON text. */
export interface ParsedPart extends Pick<JsonPart, 'name' | 'start'> {
  /** Its exact text. */
  json: string
  value: unknown
}

/** `JSON.parse()` with pauses. */
export function* parsed(text: string): Pausable<unknown> {
  try {
    return yield* parsedPart(text, 0)
  } catch {
    // Only an error for the text as a whole says where it is.
    return JSON.parse(text)
  }
}

/**
 * The elements of a JSON list, one after the other. Throws the `SyntaxError` of `JSON.parse()` if the text is not JSON, possibly
 * after some elements.
 */
export function* parsedElements(text: string): PausableItems<ParsedPart> {
  try {
    yield* parsedParts(text, 0)
  } catch (error) {
    JSON.parse(text)
    throw error
  }
}

/** The members of a JSON object by name; undefined if the text is not a JSON object. */
export function* parsedMembers(text: string): Pausable<Map<string, ParsedPart> | undefined> {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const parts = yield* collected(parsedParts(text, 0))
    return new Map(parts.map((part) => [part.name, part]))
  } catch {
    return undefined
  }
}

/** Shorter texts are parsed at once, in less than a millisecond. */
const longText = 65_536

/** In an export of ChatGPT a message is at depth 4. Cutting each list of a text that is nested deeper would take too long. */
const maxDepth = 4

function* parsedPart(text: string, depth: number): Pausable<unknown> {
  const [bracket] = /[^ \n\t\r]/.exec(text) ?? []
  if (text.length < longText || depth === maxDepth || (bracket !== '{' && bracket !== '[')) return JSON.parse(text)
  const parts = yield* collected(parsedParts(text, depth))
  return bracket === '[' ? parts.map(({ value }) => value) : objectOf(parts)
}

function* parsedParts(text: string, depth: number): PausableItems<ParsedPart> {
  for (const { name, start, end } of jsonParts(text)) {
    const json = text.slice(start, end)
    yield { name, start, json: json.trimEnd(), value: yield* parsedPart(json, depth + 1) }
  }
}

export function objectOf(parts: Iterable<ParsedPart>): object {
  return Object.fromEntries(Array.from(parts, ({ name, value }) => [name, value]))
}
