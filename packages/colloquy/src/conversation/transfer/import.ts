import { isObject } from '../../protocol/json/json-object.ts'
import { ContentError } from '../errors.ts'
import { isCut } from '../history/exact/json-members.ts'
import type { Archive } from '../history/records.ts'
import { collected, firstOf, mapped, type Pausable, type PausableItems } from '../in-slices.ts'
import type { ConversationSettings } from '../settings.ts'
import { isUiMessage, readUiMessages } from './formats/ai-sdk.ts'
import { isModelMessage, readModelMessages } from './formats/ai-sdk-model.ts'
import { choiceIn, isChatCompletions, readChatCompletions, toolsIn } from './formats/chat-completions.ts'
import { isClaudeCode, readClaudeCode } from './formats/claude-code.ts'
import { exportsIn, isColloquy, readColloquy } from './formats/colloquy.ts'
import { isLangChain, readLangChain } from './formats/langchain.ts'
import { conversationsIn, isLoggedResponse, readLoggedResponses } from './formats/llm.ts'
import { readMessages } from './formats/messages.ts'
import { type WebChat, webChatIn } from './formats/web/web-chats.ts'
import { elementsOf, type JsonLine, lineCounter, linesOf, type ListElement, readLines } from './lines.ts'
import { objectOf, parsed, parsedMembers } from './parse.ts'
import { repair } from './repair/repair.ts'
import { placeSystemMessages } from './repair/system-messages.ts'
import { type ImportFormat, ImportNotes, type ImportReport } from './report.ts'
import type { SourceConversation } from './source.ts'
import { copyAgain, foundIn } from './unknown-file.ts'
import { keysOf, nameIn } from './values.ts'

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

/** The values of an import that its file does not have. */
interface Given {
  /** When messages were written whose file does not say it. */
  at: number
  model?: string | undefined
  /** The file has other conversations, so this one may be empty. Default false. */
  isOneOfMany?: boolean
}

/** A JSON list: of conversations, or of the messages of one. */
function* readList(text: string, firstLine: number, given: Given): Conversations {
  const first = yield* firstOf(elementsIn(text, firstLine))
  if (webChatIn(first?.value)) return yield* readWebList(text, firstLine, given)
  const list = yield* collected(elementsIn(text, firstLine))
  if (list.length === 0 && !given.isOneOfMany) {
    throw new ContentError('Cannot import a conversation: found an empty list, so there is nothing to import')
  }
  if (list.some(({ value }) => webChatIn(value))) yield* readWebList(text, firstLine, given)
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
  notes: ImportNotes = new ImportNotes(),
): Conversations {
  if (list.some(({ value }) => isLoggedResponse(value))) {
    for (const part of conversationsIn(list)) {
      const own = new ImportNotes()
      yield yield* readSource('llm', readLoggedResponses(own.on(part)), own, given)
    }
    return
  }
  const found = messageFormats.find(({ isOwn }) => list.some(({ value }) => isOwn(value)))
  const { format, read } = found ?? { format: 'messages', read: readMessages }
  const conversation = yield* readSource(format, read(notes.on(list)), notes, given)
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
    const chat = webChatIn(element.value)
    if (chat === undefined) {
      throw new ContentError(`Cannot import line ${element.line}: found ${keysOf(element.value)} among conversations`)
    }
    yield yield* readWebChat(chat, element.line, given)
  }
}

function* readWebChat(chat: WebChat, line: number, given: Given): Pausable<ReadConversation> {
  const notes = new ImportNotes()
  return yield* readSource(chat.format, chat.read(notes.at(line)), notes, given)
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
  const chat = webChatIn(value)
  if (chat) yield yield* readWebChat(chat, 1, given)
  else if (!Array.isArray(list?.value) || (list.name === 'conversations' && !list.value.some(webChatIn))) return false
  else {
    for (const read of readList(list.json, lineCounter(text)(list.start), given)) {
      if (read) {
        read.archive.settings = { ...settingsOf(value), ...read.archive.settings }
        read.archive.title ??= nameIn(members.get('title')?.value)
      }
      yield read
    }
  }
  return true
}

function* readJsonLines(text: string, given: Given): Conversations {
  // Notes on lines that are not JSON go to the first conversation.
  const notes = new ImportNotes()
  const lines = yield* readLines(text, notes)
  if (isClaudeCode(lines)) yield yield* readSource('claude-code', readClaudeCode(notes.on(lines)), notes, given)
  else if (yield* areDocuments(lines)) yield* readDocuments(lines, given, notes)
  else if (!isColloquy(lines)) yield* readPlainLines(text, lines, given, notes)
  else {
    for (const [index, part] of exportsIn(lines).entries()) {
      const own = index === 0 ? notes : new ImportNotes()
      const archive = yield* readColloquy(own.on(part))
      yield { archive, report: own.report('colloquy', archive.messages.length) }
    }
  }
}

/** Whether each line is a conversation of its own: with a list of messages, or of a web chat. */
function* areDocuments(lines: readonly JsonLine[]): Pausable<boolean> {
  for (const { members, json } of lines) {
    const isRequest = members.get('messages')?.startsWith('[') ?? false
    if (!isRequest && !webChatIn(yield* parsed(json))) return false
    yield
  }
  return lines.length > 0
}

/** Requests, examples for training, or conversations: one on each line. */
function* readDocuments(lines: readonly JsonLine[], given: Given, notes: ImportNotes): Conversations {
  let { notes: others } = notes.report('messages', 0)
  for (const { json, line } of lines) {
    for (const read of readDocument(json, { ...given, isOneOfMany: lines.length > 1 })) {
      if (read) {
        const own = read.report.notes.map((note) => ({ ...note, line }))
        read.report.notes = [...own, ...others].toSorted((a, b) => a.line - b.line)
        others = []
      }
      yield read
    }
  }
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

/** Makes a conversation that the API accepts. */
function* readSource(
  format: ImportFormat,
  reading: Pausable<SourceConversation>,
  notes: ImportNotes,
  { at, model }: Given,
): Pausable<ReadConversation> {
  const source = yield* reading
  const archive = yield* repair(yield* placeSystemMessages(source, model ?? source.settings.model), at)
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
    const found = isCut(text) ? `a part of it is missing: ${copyAgain}` : (error as Error).message
    throw new ContentError(`Cannot import the list: ${found}`, { cause: error })
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
