import { ContentError } from '../errors.ts'
import type { Archive } from '../history/records.ts'
import type { ConversationSettings } from '../settings.ts'
import { isUiMessage, readUiMessages } from './formats/ai-sdk.ts'
import { type ChatGptConversation, isChatGpt, readChatGpt } from './formats/chatgpt.ts'
import { type ClaudeAiConversation, isClaudeAi, readClaudeAi } from './formats/claude-ai.ts'
import { isClaudeCode, readClaudeCode } from './formats/claude-code.ts'
import { exportsIn, isColloquy, readColloquy } from './formats/colloquy.ts'
import { isLangChain, readLangChain } from './formats/langchain.ts'
import { readMessages } from './formats/messages.ts'
import { elementsOf, type JsonLine, linesOf, membersOf, readLines } from './lines.ts'
import { repair } from './repair.ts'
import { type ImportFormat, ImportNotes, type ImportReport } from './report.ts'
import type { SourceConversation } from './source.ts'
import { placeSystemMessages } from './system-messages.ts'
import { foundIn, keysOf } from './unknown-file.ts'

/** A conversation that was read from a file. */
export interface ReadConversation {
  archive: Archive
  report: ImportReport
}

/**
 * Reads the conversations of a file: what `export` wrote, a Claude Code transcript, messages in the API's form, exports of
 * ChatGPT and Claude.ai, UI messages of the AI SDK, or LangChain messages.
 *
 * @param model the model that the caller sets, which decides what goes out.
 * @throws {ContentError} for a file that is none of these, or that is damaged in a way that cannot be repaired.
 */
export function readConversations(text: string, at: number, model?: string): ReadConversation[] {
  const plain = text.replace(/^\ufeff/, '')
  if (/^\s*\[/.test(plain)) return readList(plain, at, model)
  return readDocument(plain, at, model) ?? readJsonLines(plain, at, model)
}

/** Messages in the API's form, for a conversation that begins with them. Throws a `ContentError` if one cannot be sent. */
export function readGivenMessages(messages: readonly string[], at: number, model?: string): Archive {
  const texts = messages.map((json, index) => ({ line: index + 1, json }))
  const { archive, report } = readSource('messages', (notes) => readMessages(texts, at, notes), model)
  const [note] = report.notes
  if (note) throw new ContentError(`Cannot import message ${note.line}: ${note.reason}`)
  return archive
}

/** A JSON list: of conversations, or of the messages of one. */
function readList(text: string, at: number, model: string | undefined): ReadConversation[] {
  const elements = elementsIn(text)
  const list = elements.map(({ line, json }) => ({ line, value: JSON.parse(json) as unknown }))
  if (list.some(({ value }) => isWebConversation(value))) {
    return list.map(({ line, value }) => {
      if (isWebConversation(value)) return readWeb(value, line, model)
      throw new ContentError(`Cannot import line ${line}: found ${keysOf(value)} among conversations`)
    })
  }
  if (list.some(({ value }) => isUiMessage(value))) {
    return [readSource('ai-sdk', (notes) => readUiMessages(list, notes), model)]
  }
  if (list.some(({ value }) => isLangChain(value))) {
    return [readSource('langchain', (notes) => readLangChain(list, notes), model)]
  }
  return [readSource('messages', (notes) => readMessages(elements, at, notes), model)]
}

/** One JSON object: a conversation, or a request or state with a list of messages. Undefined if it is a line of a file. */
function readDocument(text: string, at: number, model: string | undefined): ReadConversation[] | undefined {
  const members = membersOf(text)
  const list = members?.get('messages')
  const value: unknown = members && JSON.parse(text)
  if (isWebConversation(value)) return [readWeb(value, 1, model)]
  if (!list?.startsWith('[') || value === undefined) return undefined
  const line = text.slice(0, text.indexOf(list)).split('\n').length
  const read = readList(`${'\n'.repeat(line - 1)}${list}`, at, model)
  for (const { archive } of read) archive.settings = { ...settingsOf(value as Settings), ...archive.settings }
  return read
}

function readJsonLines(text: string, at: number, model: string | undefined): ReadConversation[] {
  const notes = new ImportNotes()
  const lines = readLines(text, notes)
  if (isClaudeCode(lines)) return [readSource('claude-code', () => readClaudeCode(lines, notes), model, notes)]
  if (isColloquy(lines)) return exportsIn(lines).map((part, index) => readExport(part, index === 0 ? notes : undefined))
  return [readPlainLines(text, lines, { at, model, notes })]
}

/** Notes on lines that are not JSON go to the first conversation. */
function readExport(lines: readonly JsonLine[], notes: ImportNotes = new ImportNotes()): ReadConversation {
  const archive = readColloquy(lines, notes)
  return { archive, report: notes.report('colloquy', archive.messages.length) }
}

/** Messages, one a line. */
function readPlainLines(
  text: string,
  lines: readonly JsonLine[],
  { at, model, notes }: { at: number; model: string | undefined; notes: ImportNotes },
): ReadConversation {
  if (!lines.some(({ members, json }) => members.has('role') || isLangChain(JSON.parse(json)))) {
    throw new ContentError(`Cannot import a conversation: ${foundIn(text, lines[0]?.members)}`)
  }
  const texts = linesOf(text)
  for (const { line, json } of texts) if (!membersOf(json)) throw damaged(line, json)
  const list = texts.map(({ line, json }) => ({ line, value: JSON.parse(json) as unknown }))
  if (list.some(({ value }) => isLangChain(value))) {
    return readSource('langchain', () => readLangChain(list, notes), model, notes)
  }
  return readSource('messages', () => readMessages(texts, at, notes), model, notes)
}

function isWebConversation(value: unknown): value is ChatGptConversation | ClaudeAiConversation {
  return isChatGpt(value) || isClaudeAi(value)
}

function readWeb(
  conversation: ChatGptConversation | ClaudeAiConversation,
  line: number,
  model: string | undefined,
): ReadConversation {
  return isChatGpt(conversation)
    ? readSource('chatgpt', (notes) => readChatGpt(conversation, line, notes), model)
    : readSource('claude-ai', (notes) => readClaudeAi(conversation, line, notes), model)
}

function readSource(
  format: ImportFormat,
  read: (notes: ImportNotes) => SourceConversation,
  model: string | undefined,
  notes: ImportNotes = new ImportNotes(),
): ReadConversation {
  const source = read(notes)
  const archive = repair(placeSystemMessages(source, model ?? source.settings.model, notes), notes)
  return { archive, report: notes.report(format, archive.messages.length) }
}

type Settings = Partial<ConversationSettings>

/** The settings that a request has beside its messages. */
function settingsOf({ model, max_tokens, system, tools, tool_choice, thinking, metadata }: Settings): Settings {
  const found = { model, max_tokens, system, tools, tool_choice, thinking, metadata }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value != null)) as Settings
}

function elementsIn(text: string): { line: number; json: string }[] {
  try {
    return elementsOf(text)
  } catch (error) {
    throw new ContentError(`Cannot import the list: ${(error as Error).message}`, { cause: error })
  }
}

function damaged(line: number, json: string): ContentError {
  try {
    JSON.parse(json)
    return new ContentError(`Cannot import line ${line}: it is not a JSON object`)
  } catch (error) {
    return new ContentError(`Cannot import line ${line}: ${(error as Error).message}`, { cause: error })
  }
}
