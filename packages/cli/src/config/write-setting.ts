import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { filePaths, makeFolder } from '../file-paths.ts'

/** Writes a value to the user's configuration. The file is replaced at once, so that a crash leaves the old one. */
export async function writeSetting(path: readonly string[], value: string | number | undefined): Promise<void> {
  const { applyEdits, modify } = await import('jsonc-parser')
  const { config: file } = filePaths()
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '{}\n'
  const edits = modify(text, [...path], value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } })
  makeFolder(dirname(file))
  writeFileSync(`${file}.new`, applyEdits(text, edits))
  renameSync(`${file}.new`, file)
}
