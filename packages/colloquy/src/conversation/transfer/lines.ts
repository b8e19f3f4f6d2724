import { ContentError } from '../errors.ts'
import { maxLevels } from '../history/content.ts'
import { endOfString, isNestedDeeper, jsonMembers } from '../history/exact/json-members.ts'
import type { Pausable, PausableItems } from '../in-slices.ts'
import { type ParsedPart, parsedElements, parsedMembers } from './parse.ts'
import type { ImportNotes, SourceLine } from './report.ts'

/** The members of a JSON object as exact texts, by name, and the line where the object stands. */
export interface JsonLine {
  line: number
  members: ReadonlyMap<string, string>
  json: string
}

/**
 * The JSON objects of a text with one object a line. Tolerates what editors and interrupted writes leave: a byte order mark,
 * NUL characters, several objects on one line. Other lines are skipped with a note.
 */
export function* readLines(text: string, notes: ImportNotes): Pausable<JsonLine[]> {
  const lines: JsonLine[] = []
  for (const { line, json } of linesOf(text)) {
    const members = yield* exactMembers(json)
    if (members) lines.push({ line, json, members })
    else lines.push(...(yield* objectsIn(line, json, notes)))
    yield
  }
  return lines
}

/** The objects of a line that is not one object. */
function* objectsIn(line: number, json: string, notes: ImportNotes): Pausable<JsonLine[]> {
  const found: JsonLine[] = []
  const parts = separateObjects(json)
  for (const part of parts) {
    const members = yield* exactMembers(part)
    if (members) found.push({ line, json: part, members })
    yield
  }
  if (found.length < parts.length) notes.at(line).skipped('not a JSON object, or cut')
  return found
}

/** The members of a JSON object as exact texts; undefined if the text is not a JSON object. */
function* exactMembers(json: string): Pausable<ReadonlyMap<string, string> | undefined> {
  const members = yield* parsedMembers(json)
  return members && new Map(Array.from(members.values(), (member) => [member.name, member.json]))
}

/** The lines that hold anything, with their numbers, without a byte order mark and NUL characters. */
export function* linesOf(text: string): Generator<{ line: number; json: string }> {
  let start = 0
  for (let line = 1; start <= text.length; line++) {
    const end = text.indexOf('\n', start)
    const found = text.slice(start, end === -1 ? text.length : end)
    const json = found
      .replaceAll('\0', '')
      .replace(/^\ufeff/, '')
      .trim()
    if (json !== '') yield { line, json }
    start = end === -1 ? text.length + 1 : end + 1
  }
}

/** An element of a JSON list. */
export interface ListElement extends ParsedPart {
  /** The line on which it begins. */
  line: number
}

/**
 * The elements of a JSON list, one after the other. Throws a `SyntaxError` if the text is not JSON, possibly after some elements.
 *
 * @param first the line on which the text begins.
 */
export function* elementsOf(text: string, first: number): PausableItems<ListElement> {
  const lineAt = lineCounter(text, first)
  for (const element of parsedElements(text)) yield element && { ...element, line: lineAt(element.start) }
}

/** Returns a function that finds the line of an index, which must not be less than the one before. */
export function lineCounter(text: string, first = 1): (index: number) => number {
  let line = first
  let next = text.indexOf('\n')
  return (index) => {
    for (; next !== -1 && next < index; next = text.indexOf('\n', next + 1)) line++
    return line
  }
}

/** The value of a member; undefined if it is not there or not JSON. */
export function valueOf(members: ReadonlyMap<string, string>, name: string): unknown {
  const json = members.get(name)
  return json === undefined ? undefined : JSON.parse(json)
}

/** The value of a member if it is a string that is not empty. */
export function stringOf(members: ReadonlyMap<string, string>, name: string): string | undefined {
  const value = valueOf(members, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The members of a JSON object as exact texts; undefined if the text is not a JSON object. */
export function membersOf(json: string): ReadonlyMap<string, string> | undefined {
  try {
    return jsonMembers(json)
  } catch {
    return undefined
  }
}

/** Throws a `ContentError` for a message that is nested too deep to be read, sent or exported again. */
export function checkLevels(json: string, line: SourceLine): void {
  if (!isNestedDeeper(json, maxLevels)) return
  throw new ContentError(`Cannot import line ${line.number}: its message is nested more than ${maxLevels} levels deep`)
}

/** Cuts `{…}{…}` into its objects; the last piece may be incomplete. */
function separateObjects(text: string): string[] {
  const objects: string[] = []
  let start = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"') {
      const end = endOfString(text, at)
      if (end <= at) break
      at = end - 1
    } else if (sign === '{') depth++
    else if (sign === '}' && --depth === 0) {
      objects.push(text.slice(start, at + 1))
      start = at + 1
    }
  }
  const rest = text.slice(start).trim()
  return rest === '' ? objects : [...objects, rest]
}
