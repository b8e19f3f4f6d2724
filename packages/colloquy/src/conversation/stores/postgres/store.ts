import { aboveZero, callable, checkOptions, flag, type Rule, text } from '../../../engines/check-options.ts'
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
import { PostgresConnection } from './connection.ts'
import { createConversation, deleteConversation, openConversation, updateConversation } from './conversations.ts'
import { abandonedReservations, receivedParts, releaseReply, stopReplies } from './leases.ts'
import { listConversations } from './list.ts'
import { pruneMessages, readAllMessages, readMessages, readPath, readTree } from './messages.ts'
import type { PostgresDatabase } from './migrate.ts'
import { searchMessages } from './search/search.ts'
import { forgetDays, readSpending } from './spending.ts'
import { beginTurn, findTurn, finishReply, journalReply } from './turns.ts'

export type { PostgresDatabase } from './migrate.ts'

/** Options of `postgresStore()`. */
export interface PostgresStoreOptions extends LeaseOptions {
  /** The schema of the tables, created if it does not exist. Lower-case letters, digits and `_`. Default `colloquy`. */
  schema?: string
  /**
   * Prepares the statements of a turn once for each connection, which saves a tenth of the server's CPU time. The driver must
   * accept `query({ name, text, values })`, as `pg` does. The store stops preparing behind a pooler that cannot: PgBouncer in
   * transaction mode needs `max_prepared_statements`. Default false.
   */
  prepare?: boolean
  /**
   * How long the database may take to answer a statement, in milliseconds. Then the statement fails with a `StoreError`,
   * although it may still happen. The first one may take three times as long, and those that bring the schema up to date have no
   * limit. Default 20,000.
   */
  timeoutMs?: number
  /** Called by `close()`. Default: nothing, because the database belongs to the caller. */
  end?: () => Promise<unknown>
}

/**
 * Keeps conversations in PostgreSQL, 14 or newer, through any driver with a `query()` method. Any number of processes may
 * use the same tables. Each step of a turn is one statement: it takes one round trip and keeps no transaction open.
 *
 * Throws a `StoreError` if the database fails, or was written by a newer version.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { openConversations } from 'colloquy/conversation'
 * import { postgresStore } from 'colloquy/conversation/postgres'
 * import { Pool } from 'pg'
 *
 * const pool = new Pool({ connectionString: process.env['DATABASE_URL'] })
 * const conversations = openConversations({ client: new Anthropic(), store: postgresStore(pool) })
 * const chat = await conversations.openOrCreate({ id: 'ticket-17', model: 'claude-sonnet-4-6', max_tokens: 1024 })
 * console.log((await chat.send('Where is my parcel?')).text)
 * await pool.end()
 * ```
 */
export function postgresStore(db: PostgresDatabase, options: PostgresStoreOptions = {}): ConversationStore {
  checkOptions(options, rules, 'postgresStore()')
  if (typeof db?.query !== 'function') {
    throw new AnthropicError(
      `Cannot use the database of postgresStore() as it must have query(), such as a Pool of pg: found ${describeValue(db)}`,
    )
  }
  return new CheckedStore(new PostgresStore(db, options))
}

const rules: Record<keyof PostgresStoreOptions, Rule> = {
  schema: text,
  prepare: flag,
  timeoutMs: aboveZero,
  end: callable,
  ...leaseRules,
}

class PostgresStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #db: PostgresConnection
  readonly #clock: LeaseClock
  readonly #end: (() => Promise<unknown>) | undefined

  constructor(
    db: PostgresDatabase,
    { schema = 'colloquy', prepare, timeoutMs, end, ...options }: PostgresStoreOptions,
  ) {
    this.#clock = new LeaseClock(options)
    this.heartbeatMs = this.#clock.heartbeatMs
    this.now = this.#clock.now
    this.#db = new PostgresConnection(db, schema, { prepare, timeoutMs })
    this.#end = end
  }

  async create(conversation: NewConversation): Promise<ConversationRecord> {
    return createConversation(this.#db, conversation)
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

  async begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    return beginTurn(this.#db, this.#clock, step)
  }

  async journal(step: JournalStep): Promise<boolean> {
    return journalReply(this.#db, this.#clock, step)
  }

  async received(id: string, number: number, from: number): Promise<ReceivedParts | undefined> {
    return receivedParts(this.#db, this.#clock, { id, number, from })
  }

  async release(handle: number): Promise<boolean> {
    return releaseReply(this.#db, handle)
  }

  async stop(id: string): Promise<number[]> {
    return stopReplies(this.#db, this.#clock, id)
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    return finishReply(this.#db, this.#clock, step)
  }

  async update(id: string, version: number, changes: ConversationChanges): Promise<number> {
    return updateConversation(this.#db, id, version, changes)
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    return pruneMessages(this.#db, id, version, number)
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

  async search(words: readonly string[], query: SearchQuery): Promise<SearchHit[]> {
    return searchMessages(this.#db, words, query)
  }

  async delete(id: string, options?: DeleteOptions): Promise<boolean> {
    return deleteConversation(this.#db, id, options)
  }

  async close(): Promise<void> {
    this.#db.close()
    await this.#end?.()
  }
}
