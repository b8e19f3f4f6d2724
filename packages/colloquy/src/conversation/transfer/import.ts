import { ContentError } from '../errors.ts'
import { jsonElements, jsonMembers } from '../history/json-members.ts'
import type { Archive } from '../history/records.ts'
import { fromMessages } from './api-messages.ts'
import { isExport, readExport } from './archive.ts'
import { isClaudeCode, readClaudeCode } from './claude-code.ts'
import { parseAt } from './parse.ts'

/**
 * Reads an export, a Claude Code transcript, or messages in the form of the API, as a list or one in each line.
 *
 * Throws a `ContentError` that names the line if the text is none of these.
 */
export function readArchive(text: string, at: number): Archive {
  if (/^\s*\[/.test(text)) return fromMessages(parseAt('the list', text, jsonElements), at)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new ContentError('Cannot import a conversation: the text is empty')
  const members = lines.map((line, index) => parseAt(`line ${index + 1}`, line, jsonMembers))
  if (isClaudeCode(members)) return readClaudeCode(members)
  return isExport(members) ? readExport(members) : fromMessages(lines, at)
}
