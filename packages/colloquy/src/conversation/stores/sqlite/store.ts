import { checkOptions, milliseconds, type Rule } from '../../../engines/check-options.ts'
import { describeValue } from '../../../protocol/json/option-names.ts'
import { AnthropicError } from '../../../protocol/types/error.ts'
import { CheckedStore } from '../checked-store.ts'
import { LeaseClock, type LeaseOptions, leaseRules } from '../lease.ts'
import type {
  Account,
  BeginStep,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  ConversationSummary,
  DeleteOptions,
  FinishedTurn,
  FinishStep,
  JournalStep,
  ListQuery,
  MessageRecord,
  NewConversation,
  OpenedConversation,
  OpenOptions,
  ReceivedParts,
  RepeatedTurn,
  SearchHit,
  SearchQuery,
  Spending,
  TreeNode,
} from '../store.ts'
import { SqliteConnection } from './database/connection.ts'
import { createConversation, openConversation, updateConversation } from './conversations.ts'
import { findConversation } from './conversation-row.ts'
import { deleteConversation, eraseRest } from './erasing.ts'
import { abandonedReservations, receivedParts, releaseReply, stopReplies } from './leases.ts'
import { listConversations } from './list.ts'
import { readAllMessages, readMessages, readPath, readTree } from './messages.ts'
import { pruneMessages } from './pruning.ts'
import { eraseOldIndex } from './search/old-index.ts'
import { searchMessages } from './search/search.ts'
import { forgetDays, readSpending } from './spending.ts'
import { beginTurn, findTurn, finishReply, journalReply } from './turns.ts'

/** Options of `sqliteStore()`. */
export interface SqliteStoreOptions extends LeaseOptions {
  /** How long to wait for another process's lock before a `StoreError` with the code `locked`. Default 5,000. */
  busyTimeoutMs?: number
  /** The mode of a new file, and of the -wal and -shm files beside it. Default 0o600: only its owner can read it. */
  mode?: number
}

/**
 * Keeps conversations in a SQLite file, or in memory for `:memory:`. Several processes may use one file at once.
 *
 * The user's message survives the death of the process; a reply that has ended also survives a power failure. Throws a
 * `StoreError` if the file cannot be opened, is damaged, or was written by a newer version.
 *
 * @example
 * ```ts
 * import { openConversations } from 'colloquy/conversation'
 * import { sqliteStore } from 'colloquy/conversation/sqlite'
 * import { offline } from 'colloquy/engines'
 *
 * const conversations = openConversations({ engine: offline(), store: sqliteStore('trips.db') })
 * await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100, title: 'Norway' })
 * console.log((await conversations.list())[0]?.title) // Norway
 * await conversations.close()
 * ```
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): ConversationStore {
  checkOptions(options, rules, 'sqliteStore()')
  if (typeof path !== 'string')
    throw new AnthropicError(`Cannot use the path of sqliteStore() as it must be text: found ${describeValue(path)}`)
  return new CheckedStore(new SqliteStore(path, options))
}

const rules: Record<keyof SqliteStoreOptions, Rule> = {
  busyTimeoutMs: milliseconds,
  mode: { must: 'a number such as 0o600', holds: (value) => Number.isInteger(value) && (value as number) <= 0o777 },
  ...leaseRules,
}

class SqliteStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #db: SqliteConnection
  readonly #clock: LeaseClock

  constructor(path: string, { busyTimeoutMs = 5_000, mode = 0o600, ...options }: SqliteStoreOptions) {
    this.#clock = new LeaseClock(options)
    this.heartbeatMs = this.#clock.heartbeatMs
    this.now = this.#clock.now
    this.#db = new SqliteConnection(path, { busyTimeoutMs, mode })
    // If that fails, because the file is read-only, locked or closed, the next deletion or opening continues.
    void eraseRest(this.#db, this.#clock)
      .then(() => eraseOldIndex(this.#db))
      .catch(() => {})
  }

  async create(conversation: NewConversation): Promise<ConversationRecord> {
    return createConversation(this.#db, this.#clock, conversation)
  }

  async open(id: string, options?: OpenOptions): Promise<OpenedConversation | undefined> {
    return openConversation(this.#db, this.#clock, id, options)
  }

  async path(id: string, leaf: number): Promise<MessageRecord[]> {
    return readPath(this.#db, id, leaf)
  }

  async read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    return readMessages(this.#db, id, numbers)
  }

  async tree(id: string): Promise<TreeNode[]> {
    return readTree(this.#db, id)
  }

  messages(id: string): AsyncIterable<MessageRecord> {
    return readAllMessages(this.#db, id)
  }

  async find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    return findTurn(this.#db, id, key)
  }

  begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    return beginTurn(this.#db, this.#clock, step)
  }

  journal(step: JournalStep): Promise<boolean> {
    return journalReply(this.#db, this.#clock, step)
  }

  async received(id: string, number: number, from: number): Promise<ReceivedParts | undefined> {
    return receivedParts(this.#db, this.#clock, { id, number, from })
  }

  async release(handle: number): Promise<boolean> {
    const stopping = await this.#db.write('end the turn', () => releaseReply(this.#db, handle))
    this.#db.inFlight.release(handle)
    return stopping
  }

  async stop(id: string): Promise<number[]> {
    const doing = 'stop the reply'
    return this.#db.write(doing, () => stopReplies(this.#db, this.#clock, findConversation(this.#db, id).id))
  }

  finish(step: FinishStep): Promise<FinishedTurn> {
    return finishReply(this.#db, step)
  }

  async update(id: string, version: number, changes: ConversationChanges): Promise<number> {
    return updateConversation(this.#db, id, version, changes)
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    const pruned = await pruneMessages(this.#db, id, version, number)
    await eraseRest(this.#db, this.#clock)
    this.#db.truncateWal()
    return pruned
  }

  async spending(account: Account): Promise<Spending> {
    return readSpending(this.#db, account)
  }

  async abandonedReservations(): Promise<string[]> {
    return abandonedReservations(this.#db, this.#clock)
  }

  async forgetDays(before: string): Promise<void> {
    await forgetDays(this.#db, before)
  }

  async list(query: ListQuery): Promise<ConversationSummary[]> {
    return listConversations(this.#db, this.#clock, query)
  }

  async stamp(): Promise<string> {
    return this.#db.stamp()
  }

  async search(words: readonly string[], query: SearchQuery): Promise<SearchHit[]> {
    return searchMessages(this.#db, words, query)
  }

  async integrity(): Promise<string[]> {
    return this.#db.integrity()
  }

  async delete(id: string, options?: DeleteOptions): Promise<boolean> {
    return deleteConversation(this.#db, this.#clock, id, options)
  }

  async close(): Promise<void> {
    await this.#db.close()
  }
}
