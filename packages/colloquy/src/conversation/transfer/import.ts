import { isObject } from '../../protocol/json/json-object.ts'
import { jsonFault } from '../../protocol/json/json-fault.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { ContentError } from '../errors.ts'
import type { Archive } from '../history/records.ts'
import { collected, firstOf, mapped, type Pausable, type PausableItems } from '../in-slices.ts'
import type { ConversationSettings } from '../settings.ts'
import { isUiMessage, readUiMessages } from './formats/ai-sdk.ts'
import { isModelMessage, readModelMessages } from './formats/ai-sdk-model.ts'
import { isChatGpt, readChatGpt } from './formats/web/chatgpt.ts'
import { isClaudeAi, readClaudeAi } from './formats/web/claude-ai.ts'
import { choiceIn, isChatCompletions, readChatCompletions, toolsIn } from './formats/chat-completions.ts'
import { isClaudeCode, readClaudeCode } from './formats/claude-code.ts'
import { exportsIn, isColloquy, readColloquy } from './formats/colloquy.ts'
import { isLangChain, readLangChain } from './formats/langchain.ts'
import { isLibreChat, readLibreChat } from './formats/web/librechat.ts'
import { conversationsIn, isLoggedResponse, readLoggedResponses } from './formats/llm.ts'
import { readMessages } from './formats/messages.ts'
import { isOpenWebUi, readOpenWebUi } from './formats/web/open-webui.ts'
import type { Shelf } from '../stores/store.ts'
import { elementsOf, type JsonLine, lineCounter, linesOf, type ListElement, readLines } from './lines.ts'
import { objectOf, parsed, parsedMembers } from './parse.ts'
import { repair } from './repair/repair.ts'
import { type ImportFormat, ImportNotes, type ImportReport } from './report.ts'
import { shelfIn, type SourceConversation, titleIn } from './source.ts'
import { placeSystemMessages } from './repair/system-messages.ts'
import { foundIn, keysOf } from './unknown-file.ts'

/** A conversation that was read from a file. */
export interface ReadConversation {
  archive: Archive
  report: ImportReport
}

/**
 * Reads the conversations of a file, one after the other: what `export` wrote, a Claude Code transcript, messages in the API's
 * form or that of the Chat Completions API, exports of ChatGPT, Claude.ai, LibreChat and Open WebUI, messages of the AI SDK,
 * LangChain messages, or logs of `llm`.
 *
 * @param model the model that the caller sets, which decides what goes out.
 * @throws {ContentError} for a file that is none of these, or that is damaged in a way that cannot be repaired.
 */
export function* readConversations(text: string, at: number, model?: string): Conversations {
  const plain = text.replace(/^\ufeff/, '')
  if (/^\s*\[/.test(plain)) yield* readList(plain, 1, { at, model })
  else if (!(yield* readDocument(plain, { at, model }))) yield* readJsonLines(plain, { at, model })
}

type Conversations = PausableItems<ReadConversation>

/** Messages in the API's form, for a conversation that begins with them. Throws a `ContentError` if one cannot be sent. */
export function* readGivenMessages(messages: readonly MessageParam[], at: number): Pausable<Archive> {
  const list = yield* mapped(messages, (message, index) => {
    const json = givenJson(message, index + 1)
    return { line: index + 1, json, value: JSON.parse(json) as unknown }
  })
  const { archive, report } = yield* readSource('messages', (notes) => readOfApi(list, notes), { at })
  const [note] = report.notes
  if (note) throw new ContentError(`Cannot import message ${note.line}: ${note.reason}`)
  return archive
}

function* readOfApi(list: Parameters<typeof readMessages>[0], notes: ImportNotes): Pausable<SourceConversation> {
  return { ...(yield* readMessages(list, notes)), isOfApi: true }
}

function givenJson(message: MessageParam, line: number): string {
  try {
    return JSON.stringify(message) ?? 'null'
  } catch (error) {
    throw new ContentError(`Cannot import message ${line}: JSON must be able to hold it: ${jsonFault(error)}`, {
      cause: error,
    })
  }
}

/** The values of an import that its file does not have. */
interface Given {
  /** When messages were written whose file does not say it. */
  at: number
  model?: string | undefined
}

/** A JSON list: of conversations, or of the messages of one. */
function* readList(text: string, firstLine: number, given: Given): Conversations {
  const first = yield* firstOf(elementsIn(text, firstLine))
  if (isWebConversation(first?.value)) return yield* readWebList(text, firstLine, given)
  const list = yield* collected(elementsIn(text, firstLine))
  if (list.some(({ value }) => isWebConversation(value))) yield* readWebList(text, firstLine, given)
  else yield* readMessageList(list, given)
}

/** Formats of messages, each with a test of whether a message has a form of its own. */
const messageFormats = [
  { format: 'ai-sdk', isOwn: isUiMessage, read: readUiMessages },
  { format: 'ai-sdk', isOwn: isModelMessage, read: readModelMessages },
  { format: 'langchain', isOwn: isLangChain, read: readLangChain },
  { format: 'chat-completions', isOwn: isChatCompletions, read: readChatCompletions },
] as const

/** The messages of a conversation: in one of these formats, or else in the API's form. Or logged responses of several. */
function* readMessageList(
  list: readonly { line: number; json: string; value: unknown }[],
  given: Given,
  notes?: ImportNotes,
): Conversations {
  if (list.some(({ value }) => isLoggedResponse(value))) {
    for (const part of conversationsIn(list)) {
      yield yield* readSource('llm', (notes) => readLoggedResponses(part, notes), given)
    }
    return
  }
  const found = messageFormats.find(({ isOwn }) => list.some(({ value }) => isOwn(value)))
  const { format, read } = found ?? { format: 'messages', read: readMessages }
  const conversation = yield* readSource(format, (notes) => read(list, notes), given, notes)
  const { archive, report } = conversation
  const note = report.notes.find(({ kind }) => kind === 'skipped') ?? report.notes[0]
  if (note && archive.messages.length === 0) {
    throw new ContentError(`Cannot import line ${note.line}: ${note.reason}`)
  }
  yield conversation
}

/** Conversations of a web chat, of which there may be thousands. */
function* readWebList(text: string, firstLine: number, given: Given): Conversations {
  for (const element of elementsIn(text, firstLine)) {
    yield
    if (element === undefined) continue
    const { line, value } = element
    const read = readWeb(value, line, given)
    if (!read) {
      throw new ContentError(`Cannot import line ${line}: found ${keysOf(value)} among conversations`)
    }
    yield yield* read
  }
}

/**
 * Reads one JSON object: a conversation, or a request or state with a list of messages. Returns false if it is a line of a
 * file.
 */
function* readDocument(text: string, given: Given): Generator<ReadConversation | void, boolean, void> {
  const members = yield* parsedMembers(text)
  if (members === undefined) return false
  const value = objectOf(members.values())
  const list = members.get('messages') ?? members.get('conversations')
  const web = readWeb(value, 1, given)
  if (web) yield yield* web
  else if (!Array.isArray(list?.value) || (list.name === 'conversations' && !list.value.some(isWebConversation)))
    return false
  else {
    for (const read of readList(list.json, lineCounter(text)(list.start), given)) {
      if (read) {
        read.archive.settings = { ...settingsOf(value), ...read.archive.settings }
        read.archive.title ??= titleIn(members.get('title')?.value)
      }
      yield read
    }
  }
  return true
}

function* readJsonLines(text: string, given: Given): Conversations {
  const notes = new ImportNotes()
  const lines = yield* readLines(text, notes)
  if (isClaudeCode(lines)) yield yield* readSource('claude-code', () => readClaudeCode(lines, notes), given, notes)
  else if (yield* areDocuments(lines)) yield* readDocuments(lines, given, notes)
  else if (!isColloquy(lines)) yield* readPlainLines(text, lines, given, notes)
  else {
    // Notes on lines that are not JSON go to the first conversation.
    for (const [index, part] of exportsIn(lines).entries()) {
      yield yield* readExport(part, index === 0 ? notes : new ImportNotes())
    }
  }
}

/** Whether each line is a conversation of its own: with a list of messages, or of a web chat. */
function* areDocuments(lines: readonly JsonLine[]): Pausable<boolean> {
  for (const { members, json } of lines) {
    const isRequest = members.get('messages')?.startsWith('[') ?? false
    if (!isRequest && !isWebConversation(yield* parsed(json))) return false
    yield
  }
  return lines.length > 0
}

/** Requests, examples for training, or conversations: one on each line. */
function* readDocuments(lines: readonly JsonLine[], given: Given, notes: ImportNotes): Conversations {
  // Notes on lines that are not JSON go to the first conversation.
  let { notes: others } = notes.report('messages', 0)
  for (const { json, line } of lines) {
    for (const read of readDocument(json, given)) {
      if (read) {
        const own = read.report.notes.map((note) => ({ ...note, line }))
        read.report.notes = [...own, ...others].toSorted((a, b) => a.line - b.line)
        others = []
      }
      yield read
    }
  }
}

function* readExport(lines: readonly JsonLine[], notes: ImportNotes): Pausable<ReadConversation> {
  const archive = yield* readColloquy(lines, notes)
  return { archive, report: notes.report('colloquy', archive.messages.length) }
}

/** Messages, one a line. */
function* readPlainLines(text: string, lines: readonly JsonLine[], given: Given, notes: ImportNotes): Conversations {
  const kinds = yield* mapped(lines, ({ members, json }) => members.has('role') || isOfList(JSON.parse(json)))
  if (!kinds.includes(true)) {
    throw new ContentError(`Cannot import a conversation: ${yield* foundIn(text, lines[0]?.members)}`)
  }
  const list = yield* mapped(linesOf(text), ({ line, json }) => ({ line, json, value: objectIn(json, line) }))
  yield* readMessageList(list, given, notes)
}

function isOfList(value: unknown): boolean {
  return isLangChain(value) || isLoggedResponse(value)
}

/** Reads a conversation of a web chat. Undefined if the value is none. */
function readWeb(value: unknown, line: number, given: Given): Pausable<ReadConversation> | undefined {
  const reading = readWebChat(value, line, given)
  return reading && withShelf(reading, shelfIn(value as object))
}

function* withShelf(reading: Pausable<ReadConversation>, shelf: Shelf | undefined): Pausable<ReadConversation> {
  const read = yield* reading
  read.archive.shelf = shelf
  return read
}

function readWebChat(value: unknown, line: number, given: Given): Pausable<ReadConversation> | undefined {
  if (isChatGpt(value)) return readSource('chatgpt', (notes) => readChatGpt(value, line, notes), given)
  if (isClaudeAi(value)) return readSource('claude-ai', (notes) => readClaudeAi(value, line, notes), given)
  if (isLibreChat(value)) return readSource('librechat', (notes) => readLibreChat(value, line, notes), given)
  if (isOpenWebUi(value)) return readSource('open-webui', (notes) => readOpenWebUi(value, line, notes), given)
  return undefined
}

function isWebConversation(value: unknown): boolean {
  return isChatGpt(value) || isClaudeAi(value) || isLibreChat(value) || isOpenWebUi(value)
}

function* readSource(
  format: ImportFormat,
  read: (notes: ImportNotes) => Pausable<SourceConversation>,
  { at, model }: Given,
  notes: ImportNotes = new ImportNotes(),
): Pausable<ReadConversation> {
  const source = yield* read(notes)
  const placed = yield* placeSystemMessages(source, model ?? source.settings.model, notes)
  const archive = yield* repair(placed, at, notes)
  return { archive, report: notes.report(format, archive.messages.length) }
}

type Settings = Partial<ConversationSettings>

/** The settings that a request has beside its messages. */
function settingsOf({ model, max_tokens, system, tools, tool_choice: choice, thinking, metadata }: Settings): Settings {
  const given = { tools: tools && toolsIn(tools), tool_choice: choice && choiceIn(choice) }
  const found = { model, max_tokens, system, ...given, thinking, metadata }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value != null)) as Settings
}

function* elementsIn(text: string, firstLine: number): PausableItems<ListElement> {
  try {
    yield* elementsOf(text, firstLine)
  } catch (error) {
    throw new ContentError(`Cannot import the list: ${(error as Error).message}`, { cause: error })
  }
}

function objectIn(json: string, line: number): object {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new ContentError(`Cannot import line ${line}: ${(error as Error).message}`, { cause: error })
  }
  if (isObject(value)) return value
  throw new ContentError(`Cannot import line ${line}: it is not a JSON object`)
}
