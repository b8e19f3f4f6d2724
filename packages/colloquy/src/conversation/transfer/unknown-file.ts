import { cutText } from '../../protocol/text.ts'
import type { Pausable } from '../in-slices.ts'
import { parsed } from './parse.ts'

const signatures: [RegExp, string][] = [
  [/^PK\u0003\u0004/, 'a ZIP archive: unpack it and import the conversations.json inside'],
  [/^\u001f/, 'a gzip file: unpack it first'],
  [/^%PDF/, 'a PDF'],
  [/^SQLite format 3/, 'a SQLite database: open it as a store instead'],
  [/^\s*<(?:!doctype|html|\?xml)/i, 'an HTML or XML page'],
  [/^\s*(?:#|---|\*\*)/, 'Markdown'],
  [/^\s*[\w" ]+,[\w" ]+[,\r\n]/, 'a table of comma-separated values'],
]

/** Says what a file looks like that no format fits. */
export function* foundIn(text: string, members: ReadonlyMap<string, string> | undefined): Pausable<string> {
  if (text.trim() === '') return 'the text is empty'
  if (members) return `found JSON with ${listed([...members.keys()])}, which no known format has`
  const value = yield* valueIn(text)
  if (value !== undefined) return `found ${keysOf(value)}`
  const [, name = 'text that is not JSON'] = signatures.find(([pattern]) => pattern.test(text)) ?? []
  return `the file looks like ${name}`
}

function* valueIn(text: string): Pausable<unknown> {
  try {
    return yield* parsed(text)
  } catch {
    return undefined
  }
}

/** Says what a JSON value is. */
export function keysOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return cutText(JSON.stringify(value), 40)
  return Array.isArray(value) ? 'a list' : `an object with ${listed(Object.keys(value))}`
}

/** A value as text, for values that may be of any type: a string as it is, anything else as JSON. */
export function printed(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => JSON.stringify(cutText(name, 40)))
  return shown.length === 0 ? 'no members' : `the members ${shown.join(', ')}${names.length > 8 ? ', …' : ''}`
}
