import { checkOptionNames } from '../../protocol/json/option-names.ts'
import { addConversation } from '../add-conversation.ts'
import { Conversation } from '../conversation.ts'
import { ConversationNotFoundError } from '../errors.ts'
import type { Archive } from '../history/records.ts'
import type { FoundMessage, ListedConversation } from '../history/view.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { ConversationStore, Spending } from '../stores/store.ts'
import { checkText, storableOwner } from '../stores/text.ts'
import { exportConversation } from '../transfer/export.ts'
import type { ImportReport } from '../transfer/report.ts'
import { openRecovered } from '../turn/request/recovery.ts'
import { ConversationState } from '../turn/state.ts'
import { followTurn, resumeTurn, stopTurns } from '../turn/stream/join.ts'
import { checkResponseOptions, type TurnResponseOptions } from '../turn/stream/response.ts'
import type { RunningTurns } from '../turn/stream/running-turns.ts'
import type { TurnEvent } from '../turn/stream/turn-event.ts'
import { type ChangesOptions, changesOf, type ConversationChange } from './changes.ts'
import { checkStore, type Damage } from './check.ts'
import { type CreateOptions, newArchive, openOrCreate } from './create.ts'
import { importAll, type ImportedConversation, type ImportOptions, readOne } from './import.ts'
import { deleteOne, deleteUnusedSince, type ListOptions, listFrom, searchIn, spendingOf } from './listing.ts'
import { checkOptions, configOf, type ConversationsOptions } from './options.ts'

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
   * wrote, a Claude Code transcript, messages in the API's form (a list, or one a line), a conversation of ChatGPT,
   * Claude.ai, LibreChat or Open WebUI, messages of the AI SDK, of LangChain and of the Chat Completions API, and logs of
   * `llm`. The settings in `options` override those of the file.
   *
   * With an `id`, the conversation gets that id. Throws a `ConversationExistsError` if another conversation has it.
   *
   * Throws a `ContentError` that names the line for a file that is none of these or cannot be repaired, and for a file of
   * several conversations; then nothing is added.
   */
  import(text: string, options?: ImportOptions & { id?: string }): Promise<Conversation & { report: ImportReport }>
  /**
   * Adds every conversation of a file, such as the `conversations.json` of ChatGPT or Claude.ai, one after the other. One that
   * an earlier import has added, with the same settings and owner, is not added again.
   */
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
  /**
   * Erases a conversation. Throws `ConversationNotFoundError` if it does not exist, and `ConversationConflictError` if it was last
   * used at `usedBefore` or later.
   */
  delete(id: string, options?: { usedBefore?: Date }): Promise<void>
  /**
   * Erases the conversations that were last used before a time, and returns their number. Those last used before 2022 stay: the
   * clock of the machine was not set. Spending of earlier days is erased too; the totals of users stay. Call it as your rule
   * of retention demands.
   */
  deleteUnusedSince(time: Date): Promise<number>
  /**
   * The spending of a day (in UTC, such as `2026-11-21`), of a user, or of a user on a day. Default: today's. Counted only
   * if `limits` are set. Includes deleted conversations.
   */
  spending(of?: { user?: string; day?: string }): Promise<Spending>
  /** Stops the turns of this process, as `stop()` does, ends what `cache` began, and closes the store. */
  close(): Promise<void>
  /** Calls `close()`. */
  [Symbol.asyncDispose](): Promise<void>
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
  checkOptions(options)
  const { store = memoryStore() } = options
  const config = configOf(options)
  async function open(id: string, options?: { owner?: string | undefined } | null): Promise<Conversation> {
    if (options != null) checkOptionNames(options, ['owner'], 'open()')
    const owner = storableOwner(options?.owner)
    checkText('id', id)
    const opened = await openRecovered(store, id, { turns: config.turns })
    if (owner !== undefined && opened.conversation.owner !== owner) throw new ConversationNotFoundError(id)
    return new Conversation(new ConversationState(store, opened, config), config)
  }

  async function add(archive: Archive): Promise<Conversation> {
    return new Conversation(await addConversation(store, archive, config), config)
  }

  async function close(): Promise<void> {
    await config.keepAlive?.close()
    // Otherwise their replies stay busy until their leases end.
    await config.turns.stopAll()
    await store.close()
  }

  async function create(options: CreateOptions): Promise<Conversation> {
    return add(await newArchive(options))
  }

  return {
    open,
    create,
    openOrCreate: (options) => openOrCreate(options, open, create),
    async *export(id) {
      checkText('id', id)
      yield* exportConversation(store, id, config.turns)
    },
    check: (id) => checkStore(store, id),
    async import(text, options) {
      const { archive, report } = await readOne(text, options)
      return Object.assign(await add(archive), { report })
    },
    importAll: (text, options) => importAll(store, add, text, options),
    list: (options) => listFrom(store, options),
    search: (query, options) => searchIn(store, query, options),
    ...rejoining(store, config.turns),
    changes: (options) => changesOf(store, options ?? {}),
    delete: (id, options) => deleteOne(store, id, options),
    deleteUnusedSince: (time) => deleteUnusedSince(store, time),
    spending: (of) => spendingOf(store, of),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The methods for turns in flight. */
function rejoining(store: ConversationStore, turns: RunningTurns): Pick<Conversations, 'resume' | 'follow' | 'stop'> {
  const places = { store, turns }
  return {
    async resume(id, given) {
      const { owner, ...options } = given ?? {}
      checkResponseOptions(options, 'resume()')
      await checkOwner(store, id, owner)
      return resumeTurn(places, id, options)
    },
    async *follow(id, options) {
      if (options != null) checkOptionNames(options, ['after', 'owner'], 'follow()')
      const { after, owner } = options ?? {}
      await checkOwner(store, id, owner)
      yield* followTurn(places, id, after)
    },
    async stop(id, options) {
      if (options != null) checkOptionNames(options, ['owner'], 'stop()')
      await checkOwner(store, id, options?.owner)
      return stopTurns(places, id)
    },
  }
}

/** Throws `ConversationNotFoundError` if a conversation does not exist, or belongs to another owner than the given one. */
async function checkOwner(store: ConversationStore, id: string, given: string | undefined): Promise<void> {
  checkText('id', id)
  const owner = storableOwner(given)
  const found = (await store.open(id, { messages: false }))?.conversation
  if (!found || (owner !== undefined && found.owner !== owner)) throw new ConversationNotFoundError(id)
}
