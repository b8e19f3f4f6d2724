import { existsSync } from 'node:fs'
import { filePaths, replaceFile } from '../file-paths.ts'
import { objectIn } from './configuration.ts'
import { readJsonFile, textOf } from './json-file.ts'

/**
 * Writes a value to the user's configuration. Throws a `UsageError` for a file that is not an object of JSON, and an `ExitError`
 * if it cannot be written.
 */
export async function writeSetting(path: readonly string[], value: string | number | undefined): Promise<void> {
  const { applyEdits, modify } = await import('jsonc-parser')
  const { config: file } = filePaths()
  const found = existsSync(file) ? textOf(file) : ''
  const text = found.trim() === '' ? '{}\n' : found
  if (text === found) objectIn(await readJsonFile(file), file)
  const edits = modify(text, [...path], value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } })
  replaceFile(file, applyEdits(text, edits))
}
