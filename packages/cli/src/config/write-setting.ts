import { existsSync } from 'node:fs'
import { filePaths, replaceFile } from '../file-paths.ts'
import { readText } from '../read-text.ts'

/** Writes a value to the user's configuration. Throws an `ExitError` if the file cannot be written. */
export async function writeSetting(path: readonly string[], value: string | number | undefined): Promise<void> {
  const { applyEdits, modify } = await import('jsonc-parser')
  const { config: file } = filePaths()
  const text = existsSync(file) ? readText(file) : '{}\n'
  const edits = modify(text, [...path], value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } })
  replaceFile(file, applyEdits(text, edits))
}
