import { type UpstreamClient, upstream } from '../engines/upstream.ts'
import { jsonable } from '../protocol/models/jsonable.ts'
import type { Engine } from '../protocol/types/engine.ts'
import { checkOptionNames } from '../protocol/json/option-names.ts'
import { storableText } from '../protocol/text.ts'
import { AnthropicError } from '../protocol/types/error.ts'
import type { MessageParam } from '../protocol/types/params.ts'
import { PauseExperience } from './cache/cache-policy.ts'
import { checkStore, type Damage } from './check.ts'
import { exportConversation } from './transfer/export.ts'
import { readConversations, readGivenMessages } from './transfer/import.ts'
import type { ImportedConversation, ImportOptions, ImportReport } from './transfer/report.ts'
import { Conversation } from './conversation.ts'
import { ContentError, ConversationExistsError, ConversationNotFoundError } from './errors.ts'
import { checkLimits, type Limits } from './money/limits.ts'
import { memoryStore } from './stores/memory/store.ts'
import { openRecovered } from './turn/request/recovery.ts'
import { type GivenMetadata, splitMetadata } from './history/metadata.ts'
import type { Archive } from './history/records.ts'
import type { ConversationSettings } from './settings.ts'
import { addConversation } from './add-conversation.ts'
import { checkSettingNames } from './check-settings.ts'
import type { TurnConfig } from './turn/scope.ts'
import { type ChangesOptions, changesOf, type ConversationChange } from './changes.ts'
import { followTurn, resumeTurn, stopTurns } from './turn/stream/join.ts'
import type { TurnResponseOptions } from './turn/stream/response.ts'
import type { TurnEvent } from './turn/stream/turn-event.ts'
import { KeepAlive } from './turn/request/keep-alive.ts'
import { RunningTurns } from './turn/stream/running-turns.ts'
import { ConversationState } from './turn/state.ts'
import { dayOf } from './money/spending.ts'
import type { ConversationStore, Spending } from './stores/store.ts'
import { type FoundMessage, type ListedConversation, showFound, showListed } from './history/view.ts'

/** Options of `openConversations()`. */
export interface ConversationsOptions {
  /** Sends the requests: this library's client, or the official one. */
  client?: UpstreamClient
  /** Answers the requests, in place of a client. */
  engine?: Engine
  /** Keeps the conversations. Default: in memory, until the process ends. */
  store?: ConversationStore
  /**
   * How often what has arrived of a reply is written to the store, in milliseconds: a crash loses no more than that. Default
   * 250.
   */
  journalMs?: number
  /**
   * Places cache breakpoints, and chooses how long they live by the pauses between messages so far, of the conversation and of
   * the others. A conversation with breakpoints of its own is left alone. Default true.
   */
  cacheMarks?: boolean
  /** `keepAlive` reads cache entries again while users pause, where that pays. Default false. */
  cache?: { keepAlive?: boolean }
  /**
   * Keeps the parameters of each request and the times of its events, for `exchange()`: up to 2 KB a reply, and prompt and
   * tools of up to 4,000 characters. Default false.
   */
  traces?: boolean
  /**
   * How often a reply whose stream breaks off is resumed, if `client` is this library's. The reader sees one reply, and its
   * usage is that of all attempts. Default 2; with 0 the turn fails and keeps what has arrived.
   */
  recover?: number
  /**
   * Limits for all conversations of the store together, by day and by user. Default: no limit, and nothing is counted.
   */
  limits?: Limits
}

export interface CreateOptions extends ConversationSettings {
  /** The id of the conversation. `create` throws a `ConversationExistsError` if it is taken. Default: a new ULID. */
  id?: string
  /** The user, team or tenant that the conversation belongs to. Default none. */
  owner?: string
  /**
   * The `user_id` of the requests, and any other JSON-able values, which are kept with the conversation and never sent. Their
   * JSON has at most 65,536 characters. Default none.
   */
  metadata?: GivenMetadata
  /** Default: the first line of the first user message. */
  title?: string
  /** Earlier messages, in the API's form. Default none. */
  messages?: readonly MessageParam[]
}

/** The position and length of a page of conversations. */
export interface ListOptions {
  /** The most conversations that are returned. Default 50. */
  limit?: number
  /** The id of the last conversation of the previous page. */
  before?: string
  /** Lists only the conversations of this owner. Default: all conversations. */
  owner?: string
}

/** The conversations of a store. */
export interface Conversations {
  /** Starts a conversation. */
  create(options: CreateOptions): Promise<Conversation>
  /**
   * Opens a conversation. Throws `ConversationNotFoundError` if it does not exist or, with an `owner`, belongs to another
   * one. If a process died while it received a reply, that reply is ended first.
   */
  open(id: string, options?: { owner?: string }): Promise<Conversation>
  /**
   * Opens the conversation with the id, or creates it if it does not exist. With an `owner`, throws
   * `ConversationNotFoundError` if it belongs to another one.
   */
  openOrCreate(options: CreateOptions & { id: string }): Promise<Conversation>
  /** Lists conversations, the most recently used first. */
  list(options?: ListOptions): Promise<ListedConversation[]>
  /** Finds the messages that contain every word of the query, the last added first. Default limit 20. */
  search(query: string, options?: { limit?: number; owner?: string }): Promise<FoundMessage[]>
  /**
   * The conversation as JSON Lines: the conversation itself, then every message of every branch, exactly as it is stored.
   */
  export(id: string): AsyncGenerator<string>
  /**
   * Adds the conversation of a file, and reports what had to be changed so that the API accepts it. Reads what `export`
   * wrote, a Claude Code transcript, messages in the API's form (a list, or one a line), a conversation of ChatGPT or
   * Claude.ai, UI messages of the AI SDK, and LangChain messages. The settings in
   * `options` override those of the file.
   *
   * Throws a `ContentError` that names the line for a file that is none of these or cannot be repaired, and for a file of
   * several conversations; then nothing is added.
   */
  import(text: string, options?: ImportOptions): Promise<Conversation & { report: ImportReport }>
  /** Adds every conversation of a file, such as the `conversations.json` of ChatGPT or Claude.ai, one after the other. */
  importAll(text: string, options?: ImportOptions): Promise<ImportedConversation[]>
  /**
   * Reads the whole store, or one conversation, and yields the damage that it finds: broken rows and, in SQLite, broken
   * pages. Writes nothing.
   */
  check(id?: string): AsyncGenerator<Damage>
  /**
   * Answers with the events of the turn in flight, in whichever process it runs, as `turn.toResponse()` does; with 204 if
   * there is none. If the request has the header `Last-Event-ID`, the response begins after that event; if the turn has ended
   * since, it is the recorded reply.
   */
  resume(id: string, options?: TurnResponseOptions & { owner?: string }): Promise<Response>
  /**
   * Yields the events that `resume()` would answer with: those of the turn in flight, or those after the event with an id.
   */
  follow(id: string, options?: { after?: string; owner?: string }): AsyncGenerator<TurnEvent>
  /**
   * Stops the turn in flight, in whichever process it runs, and keeps the text that has arrived. Returns false if there is
   * none. A process learns within a second that it is to stop its turn.
   */
  stop(id: string, options?: { owner?: string }): Promise<boolean>
  /** Yields the changes by this process and all others on the same store, from `ready` on, until the signal aborts. */
  changes(options?: ChangesOptions): AsyncGenerator<ConversationChange>
  /** Erases a conversation. Throws `ConversationNotFoundError` if it does not exist. */
  delete(id: string): Promise<void>
  /**
   * Erases the conversations that were last used before a time, and returns their number. Spending of earlier days is erased
   * too; the totals of users stay. Call it as your rule of retention demands.
   */
  deleteUnusedSince(time: Date): Promise<number>
  /**
   * The spending of a day (in UTC, such as `2026-11-21`), of a user, or of a user on a day. Default: today's. Counted only
   * if `limits` are set. Includes deleted conversations.
   */
  spending(of?: { user?: string; day?: string }): Promise<Spending>
  /** Ends what `cache` began, and closes the store. */
  close(): Promise<void>
  /** Closes the store. */
  [Symbol.asyncDispose](): Promise<void>
}

const optionNames = Object.keys({
  client: true,
  engine: true,
  store: true,
  journalMs: true,
  cacheMarks: true,
  cache: true,
  traces: true,
  recover: true,
  limits: true,
} satisfies Record<keyof ConversationsOptions, true>)
const createNames = ['id', 'owner', 'title', 'messages']

/** Throws an `AnthropicError` if an option is misspelt or not valid. */
function checkOptions(options: ConversationsOptions): void {
  const { limits, store, cache } = options
  checkOptionNames(options, optionNames, 'openConversations()')
  if (cache !== undefined) checkOptionNames(cache, ['keepAlive'], 'cache')
  if (limits !== undefined) checkLimits(limits)
  if (typeof store?.begin !== 'function') {
    throw new AnthropicError(
      `Cannot open conversations as store must be a store, such as sqliteStore(path): found ${JSON.stringify(store)}`,
    )
  }
}

function configOf(options: ConversationsOptions): TurnConfig {
  const { journalMs = 250, cacheMarks = true, traces = false, limits, cache } = options
  const keepAlive = cache?.keepAlive ? new KeepAlive() : undefined
  const shared = { pauses: new PauseExperience(), turns: new RunningTurns(), keepAlive }
  return { engine: engineOf(options), journalMs, cacheMarks, traces, limits, ...shared }
}

/**
 * Opens the conversations of a store. Throws an `AnthropicError` unless exactly one of `client` and `engine` is given.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { openConversations } from 'colloquy/conversation'
 * import { sqliteStore } from 'colloquy/conversation/sqlite'
 *
 * const conversations = openConversations({ client: new Anthropic(), store: sqliteStore('chats.db') })
 * const chat = await conversations.openOrCreate({ id: 'sums', model: 'claude-sonnet-4-6', max_tokens: 100 })
 * console.log((await chat.send('What is 6 * 7?')).text) // 6 * 7 = 42
 * await conversations.close()
 * ```
 */
export function openConversations(options: ConversationsOptions): Conversations {
  const { store = memoryStore() } = options
  checkOptions({ ...options, store })
  const config = configOf(options)
  async function open(id: string, { owner }: { owner?: string | undefined } = {}): Promise<Conversation> {
    const opened = await openRecovered(store, id)
    if (owner !== undefined && opened.conversation.owner !== storableText(owner))
      throw new ConversationNotFoundError(id)
    return new Conversation(new ConversationState(store, opened), config)
  }

  async function add(archive: Archive): Promise<Conversation> {
    return new Conversation(await addConversation(store, archive), config)
  }

  async function close(): Promise<void> {
    await config.keepAlive?.close()
    await store.close()
  }

  async function create(options: CreateOptions): Promise<Conversation> {
    checkSettingNames(options, createNames, 'create()')
    return add(newArchive(options))
  }

  return {
    open,
    create,
    openOrCreate: (options) => openOrCreate(options, open, create),
    export: (id) => exportConversation(store, id),
    check: (id) => checkStore(store, id),
    async import(text, options) {
      const [read, ...others] = readConversations(text, Date.now(), options?.model)
      if (read === undefined) throw new ContentError('Cannot import a conversation: found an empty list')
      if (others.length > 0) {
        throw new ContentError(`Cannot import one conversation: found ${others.length + 1}, importAll() adds them all`)
      }
      return Object.assign(await add(withOptions(read.archive, options)), { report: read.report })
    },
    async importAll(text, options) {
      const imported: ImportedConversation[] = []
      for (const { archive, report } of readConversations(text, Date.now(), options?.model)) {
        const { id, title } = await add(withOptions(archive, options))
        imported.push({ id, title, report })
      }
      return imported
    },
    list: (options) => listFrom(store, options),
    search: (query, options) => searchIn(store, query, options),
    ...rejoining(store, config.turns),
    changes: (options = {}) => changesOf(store, options),
    async delete(id) {
      if (!(await store.delete(id))) throw new ConversationNotFoundError(id)
    },
    deleteUnusedSince: (time) => deleteUnusedSince(store, time.getTime()),
    spending: (of) => spendingOf(store, of),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The methods for turns in flight. */
function rejoining(store: ConversationStore, turns: RunningTurns): Pick<Conversations, 'resume' | 'follow' | 'stop'> {
  const places = { store, turns }
  return {
    async resume(id, { owner, ...options } = {}) {
      await checkOwner(store, id, owner)
      return resumeTurn(places, id, options)
    },
    async *follow(id, { after, owner } = {}) {
      await checkOwner(store, id, owner)
      yield* followTurn(places, id, after)
    },
    async stop(id, { owner } = {}) {
      await checkOwner(store, id, owner)
      return stopTurns(places, id)
    },
  }
}

/** Throws `ConversationNotFoundError` if a conversation does not exist, or belongs to another owner than the given one. */
async function checkOwner(store: ConversationStore, id: string, owner: string | undefined): Promise<void> {
  const found = (await store.open(id))?.conversation
  if (!found || (owner !== undefined && found.owner !== storableText(owner))) throw new ConversationNotFoundError(id)
}

function newArchive({ id, owner, metadata, title, messages = [], ...settings }: CreateOptions): Archive {
  const { setting, kept } = splitMetadata(metadata)
  const texts = messages.map((message) => JSON.stringify(message))
  const archive = readGivenMessages(texts, Date.now())
  return { ...archive, id, owner, metadata: kept, title, settings: { ...settings, ...setting } }
}

async function openOrCreate(
  options: CreateOptions & { id: string },
  open: Conversations['open'],
  create: Conversations['create'],
): Promise<Conversation> {
  const { id, owner } = options
  const scope = owner === undefined ? {} : { owner }
  try {
    return await open(id, scope)
  } catch (error) {
    if (!(error instanceof ConversationNotFoundError)) throw error
  }
  try {
    return await create(options)
  } catch (error) {
    // Another process was faster, or the conversation belongs to another owner.
    if (!(error instanceof ConversationExistsError)) throw error
    return open(id, scope)
  }
}

function withOptions(archive: Archive, options: ImportOptions = {}): Archive {
  checkSettingNames(options, ['owner', 'defaults'], 'import()')
  const { owner, metadata, defaults, ...settings } = options
  if (defaults !== undefined) checkSettingNames(defaults, [], 'defaults')
  const { setting, kept = archive.metadata } = splitMetadata(metadata)
  return { ...archive, owner, metadata: kept, settings: { ...defaults, ...archive.settings, ...settings, ...setting } }
}

async function listFrom(store: ConversationStore, options: ListOptions = {}): Promise<ListedConversation[]> {
  checkOptionNames(options, ['limit', 'before', 'owner'], 'list()')
  const { limit = 50, before, owner } = options
  return (await store.list({ limit: positive('limit', limit), before, owner })).map(showListed)
}

async function searchIn(
  store: ConversationStore,
  query: string,
  options: { limit?: number; owner?: string } = {},
): Promise<FoundMessage[]> {
  checkOptionNames(options, ['limit', 'owner'], 'search()')
  const { limit = 20, owner } = options
  const words = query.split(/\s+/).filter((word) => word !== '')
  const found = words.length === 0 ? [] : await store.search(words, { limit: positive('limit', limit), owner })
  return found.map(showFound)
}

async function spendingOf(store: ConversationStore, of: { user?: string; day?: string } = {}): Promise<Spending> {
  checkOptionNames(of, ['user', 'day'], 'spending()')
  const { user = '', day } = of
  const on = day === undefined ? undefined : checkDay(day)
  return jsonable(await store.spending({ user, day: on ?? (user === '' ? dayOf(store.now()) : '') }))
}

async function deleteUnusedSince(store: ConversationStore, time: number): Promise<number> {
  const unused: string[] = []
  for (let before: string | undefined, isFirst = true; isFirst || before !== undefined; isFirst = false) {
    const page = await store.list({ limit: 1_000, before, totals: false })
    unused.push(...page.filter(({ updatedAt }) => updatedAt < time).map(({ id }) => id))
    before = page.at(-1)?.id
  }
  let deleted = 0
  // One after the other: each is a transaction, and there may be thousands.
  for (const id of unused) if (await store.delete(id)) deleted++
  await store.forgetDays(dayOf(time))
  return deleted
}

function engineOf({ client, engine, recover = 2 }: ConversationsOptions): Engine {
  if ((client === undefined) === (engine === undefined)) {
    throw new AnthropicError(
      `Cannot open conversations as there must be a client or an engine: found ${client === undefined ? 'neither' : 'both'}`,
    )
  }
  return engine ?? upstream(client!, { recover: recover === 0 ? undefined : { attempts: recover } })
}

function checkDay(day: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(day)) return day
  throw new RangeError(`Cannot read the spending as the day must be such as 2026-11-21: it is ${day}`)
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`Cannot list conversations as ${name} must be a positive integer: it is ${value}`)
}
