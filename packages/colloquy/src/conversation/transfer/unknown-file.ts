import { isCut } from '../history/exact/json-members.ts'
import type { Pausable } from '../in-slices.ts'
import { parsed } from './parse.ts'
import { keysOf, listed } from './values.ts'

const signatures: [RegExp, string][] = [
  [/^PK\u0003\u0004/, 'a ZIP archive: unpack it and import the conversations.json inside'],
  [/^\u001f/, 'a gzip file: unpack it first'],
  [/^%PDF/, 'a PDF'],
  [/^SQLite format 3/, 'a SQLite database: open it as a store instead'],
  [/^\s*<(?:!doctype|html|\?xml)/i, 'an HTML or XML page'],
  [/^\s*(?:#|---|\*\*)/, 'Markdown'],
  [/^\s*[\w" ]+,[\w" ]+[,\r\n]/, 'a table of comma-separated values'],
]

/** The remedy for a file that ends too early. */
export const copyAgain = 'download or copy the file again'

/** Says what a file looks like that no format fits. */
export function* foundIn(text: string, members: ReadonlyMap<string, string> | undefined): Pausable<string> {
  if (text.trim() === '') return 'the text is empty'
  if (members) return `found JSON with ${listed([...members.keys()])}, which no known format has`
  const value = yield* valueIn(text)
  if (value !== undefined) return `found ${keysOf(value)}`
  if (/^\s*\{/.test(text) && isCut(text)) return `a part of its JSON is missing: ${copyAgain}`
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
