import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  memoryStore,
  openConversations,
  StoreError,
  type Conversation,
  type Conversations,
  type ConversationSettings,
  type ConversationStore,
  type ConversationMessage,
  type ListedConversation,
} from 'colloquy/conversation'
import type { Engine } from 'colloquy/protocol'
import type { EngineKind } from '../engine/engine-kind.ts'
import { ExitCode, ExitError, UsageError } from '../exit.ts'
import { fileFacts, filePaths, makeFolder } from '../file-paths.ts'
import type { Flags } from '../flags.ts'
import { countText } from '../format.ts'
import { systemReason } from '../errors/system-error.ts'
import { changesFrom, settingsFrom, settingsToContinue } from './settings/settings.ts'
import { programName } from '../terminal/program-name.ts'

export interface OpenChatsOptions {
  /** False keeps chats in memory until the program ends. */
  isSaved: boolean
  /** Whether requests mark what the API should cache. Default true. */
  cacheMarks?: boolean
  /** Another store than the file of this user's chats. */
  store?: ConversationStore | undefined
  /** Opens a file that this user may only read as well. Default false: a chat has to be saved. */
  mayBeReadOnly?: boolean
}

/** Opens the user's chats, or with `isSaved: false` an empty store in memory. */
export async function openChats(
  engine: Engine,
  { isSaved, cacheMarks = true, store: given, mayBeReadOnly = false }: OpenChatsOptions,
): Promise<Conversations> {
  if (!isSaved) return openConversations({ engine, store: memoryStore(), cacheMarks })
  if (given) return openConversations({ engine, store: given, cacheMarks, traces: true })
  const { sqliteStore } = await import('colloquy/conversation/sqlite')
  const { chats } = filePaths()
  try {
    makeFolder(dirname(chats), { mode: 0o700 })
  } catch (error) {
    throw new ExitError(ExitCode.failed, `Cannot open the chats in ${dirname(chats)}: ${systemReason(error)}`)
  }
  const open = mayBeReadOnly ? readableStore : writableStore
  return openConversations({ engine, store: open(chats, sqliteStore), cacheMarks, traces: true })
}

type OpenStore = (path: string) => ConversationStore

function writableStore(path: string, open: OpenStore): ConversationStore {
  const store = open(path)
  chmodSync(path, 0o600)
  return store
}

/** Opens a file that may only be read as it is: SQLite writes files beside it even to read it. Its log would be left out. */
function readableStore(path: string, open: OpenStore): ConversationStore {
  try {
    return writableStore(path, open)
  } catch (error) {
    const isReadOnly = error instanceof StoreError && (error.code === 'read_only' || error.code === 'cannot_open')
    if (!isReadOnly || fileFacts(path) === undefined || fileFacts(`${path}-wal`)?.size) throw error
    return open(`${pathToFileURL(path).href}?immutable=1`)
  }
}

/** Opens the user's chats for reading and managing. Sending a message fails. */
export async function openSavedChats(): Promise<Conversations> {
  return openChats(noEngine, { isSaved: true, mayBeReadOnly: true })
}

// An engine must be a generator, even one that only throws.
// oxlint-disable-next-line require-yield
async function* noEngine(): ReturnType<Engine> {
  throw new Error('Cannot send a message: the chats were opened without an engine')
}

/** The length of an id that this program gives. */
const idLength = 26

/** The last six characters of an id. The beginning of an id is its time, which chats of one day share. */
export function shortId(id: string): string {
  return id.slice(-6)
}

/** All chats, the last used first. */
export function allChats(chats: Conversations): Promise<ListedConversation[]> {
  return chats.list({ limit: Number.MAX_SAFE_INTEGER })
}

/** Finds chats by id, by the end of an id, or by words in the title or in the messages. */
export async function findChats(chats: Conversations, query: string): Promise<ListedConversation[]> {
  const all = await allChats(chats)
  const plain = query.trim().toLowerCase()
  const byId = all.filter(({ id }) => id === plain || (plain.length >= 4 && id.endsWith(plain)))
  if (byId.length > 0) return byId
  const byTitle = all.filter(hasInTitle(query))
  if (byTitle.length > 0) return byTitle
  const hits = await idsWith(chats, query)
  return all.filter(({ id }) => hits.has(id))
}

/** The chats of a list whose title or messages have all the words. All without words. */
export async function matchingChats(
  chats: Conversations,
  all: readonly ListedConversation[],
  words: string,
): Promise<ListedConversation[]> {
  if (words.trim() === '') return [...all]
  const hits = await idsWith(chats, words)
  const isTitled = hasInTitle(words)
  return all.filter((chat) => hits.has(chat.id) || isTitled(chat))
}

/** Whether the title of a chat has all the words. */
function hasInTitle(words: string): (chat: ListedConversation) => boolean {
  const parts = words.trim().toLowerCase().split(/\s+/)
  return ({ title = '' }) => parts.every((part) => title.toLowerCase().includes(part))
}

/** The ids of the chats with messages that have all the words. */
async function idsWith(chats: Conversations, words: string): Promise<Set<string>> {
  return new Set((await chats.search(words, { limit: 500 })).map(({ conversationId }) => conversationId))
}

/** Finds exactly one chat. Throws a `UsageError` if no chat matches, or several do. */
export async function findChat(chats: Conversations, query: string): Promise<Pick<ListedConversation, 'id' | 'title'>> {
  const exact = await chatWithId(chats, query.trim().toLowerCase())
  if (exact !== undefined) return exact
  const found = await findChats(chats, query)
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  if (first === undefined) throw new UsageError(`No chat ${query}. ${programName} chat list shows them.`)
  const names = found.slice(0, 5).map(({ id, title }) => `${shortId(id)} “${title ?? 'untitled'}”`)
  throw new UsageError(`${found.length} chats match ${query}: ${names.join(', ')}${found.length > 5 ? ', …' : ''}`)
}

/** The chat of a whole id, without a list of all chats, as scripts pass many ids. A damaged chat is found in the list. */
function chatWithId(chats: Conversations, id: string): Promise<Conversation | undefined> {
  return id.length < idLength ? Promise.resolve(undefined) : chats.open(id).catch(() => undefined)
}

/** Opens the chat that `--continue` or `--resume` names, with the settings that the flags and the engine change. Undefined for a new chat. */
export async function chatFrom(
  chats: Conversations,
  flags: Flags,
  engine: EngineKind,
): Promise<Conversation | undefined> {
  if (flags.has('no-save') && (flags.has('continue') || flags.has('resume')))
    throw new UsageError('Cannot use --no-save with -c or -r: a chat that continues is saved')
  const query = flags.text('resume')
  if (query === undefined && !flags.has('continue')) {
    if (flags.has('fork'))
      throw new UsageError('Cannot use --fork without a chat: -c forks the last one, -r ID another')
    if (!flags.has('resume')) return undefined
  }
  const [last] = query === undefined ? await chats.list({ limit: 1 }) : [await findChat(chats, query)]
  if (last === undefined) throw new UsageError('Cannot continue a chat: there is none yet')
  const chat = await forkedIfWanted(await chats.open(last.id), flags)
  const changes = await changesOf(chat, flags, engine)
  if (Object.keys(changes).length > 0) await chat.configure(changes)
  return chat
}

/** The chat, or with `--fork` a copy of it. */
async function forkedIfWanted(chat: Conversation, flags: Flags): Promise<Conversation> {
  if (!flags.has('fork')) return chat
  const count = flags.text('fork') ?? '0'
  if (!/^\d{1,4}$/.test(count)) throw new UsageError(`Cannot use --fork=${count}: it must be a number of turns`)
  return forkOf(chat, Number(count), flags.text('title'))
}

/**
 * A new chat that begins with the messages of this one, without its last turns. Its title says that it is a fork, unless one
 * is given. Throws a `UsageError` if no turn would be left.
 */
export async function forkOf(chat: Conversation, withoutTurns: number, title?: string): Promise<Conversation> {
  const questions = chat.messages.filter(({ role }) => role === 'user')
  const lastKept = withoutTurns === 0 ? undefined : questions.at(-withoutTurns)?.parentId
  if (withoutTurns > 0 && lastKept === undefined)
    throw new UsageError(
      `Cannot fork without the last ${countText(withoutTurns, 'turn')}: the chat has ${countText(questions.length, 'turn')}`,
    )
  const fork = await chat.fork(lastKept)
  await fork.rename(title ?? `${chat.title ?? 'untitled'} (fork)`)
  return fork
}

/** The settings to change. Damaged settings are replaced if the flags name a model. */
async function changesOf(chat: Conversation, flags: Flags, engine: EngineKind): Promise<Partial<ConversationSettings>> {
  try {
    const changes = settingsToContinue(chat.settings, engine, flags)
    return { ...changes, ...changesFrom(flags.given, { ...chat.settings, ...changes }, engine) }
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'damaged')) throw error
    if (flags.has('model')) return settingsFrom(flags, engine)
    throw new ExitError(ExitCode.failed, `${error.message}. To replace them, give a model with -m`)
  }
}

/** How to return to a chat later. Undefined if it was not saved. */
export function resumeHint(chat: Conversation | undefined, isSaved: boolean): string | undefined {
  return chat === undefined || !isSaved ? undefined : `resume: ${programName} chat -r ${shortId(chat.id)}`
}

/** The end of a chat that is continued: its title and model, and its last two turns. */
export function tailOf({ id, title, settings, messages }: Conversation): {
  lines: string[]
  messages: ConversationMessage[]
} {
  const shown = messages.slice(-4)
  const hidden = messages.length - shown.length
  const heading = `chat ${shortId(id)} “${title ?? 'untitled'}” · ${settings.model}`
  return {
    lines: hidden > 0 ? [heading, `… ${countText(hidden, 'earlier message')}`] : [heading],
    messages: shown,
  }
}
