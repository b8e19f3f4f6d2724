import { endOfString, jsonElements, jsonMembers } from '../history/json-members.ts'
import type { ImportNotes } from './report.ts'

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
export function readLines(text: string, notes: ImportNotes): JsonLine[] {
  return linesOf(text).flatMap(({ line, json }) => {
    const members = membersOf(json)
    if (members) return [{ line, json, members }]
    const parts = separateObjects(json).map((part) => ({ line, json: part, members: membersOf(part) }))
    const found = parts.filter((part): part is JsonLine => part.members !== undefined)
    if (found.length < parts.length) notes.skipped(line, 'not a JSON object, or cut')
    return found
  })
}

/** The lines that hold anything, with their numbers, without a byte order mark and NUL characters. */
export function linesOf(text: string): { line: number; json: string }[] {
  return text
    .split('\n')
    .map((json, index) => ({
      line: index + 1,
      json: json
        .replaceAll('\0', '')
        .replace(/^\ufeff/, '')
        .trim(),
    }))
    .filter(({ json }) => json !== '')
}

/** The elements of a JSON list as exact texts, with the lines where they begin. Throws a `SyntaxError` if it is not a list. */
export function elementsOf(text: string): { line: number; json: string }[] {
  let at = 0
  let line = 1
  return jsonElements(text).map((json) => {
    const start = text.indexOf(json, at)
    for (let end = text.indexOf('\n', at); end !== -1 && end < start; end = text.indexOf('\n', end + 1)) line++
    at = start
    return { line, json }
  })
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
