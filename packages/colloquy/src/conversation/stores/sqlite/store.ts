import { ConversationConflictError, ConversationNotFoundError } from '../../errors.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { SqliteConnection } from './connection.ts'
import { SqliteLeases } from './leases.ts'
import { forgetMessages, searchMessages } from './search.ts'
import { correctionEntry, billingPart } from '../../money/spending.ts'
import { enter, forgetDays, spendingOf } from './spending.ts'
import type {
  Account,
  BeginStep,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  ConversationSummary,
  FinishedTurn,
  FinishStep,
  JournalStep,
  MessageRecord,
  NewConversation,
  OpenedConversation,
  RepeatedTurn,
  SearchHit,
  Spending,
  TreeNode,
} from '../store.ts'
import { descendants } from '../../history/tree.ts'

export interface SqliteStoreOptions {
  /** How long to wait for another process's lock before a `StoreError` with the code `locked`. Default 5,000. */
  busyTimeoutMs?: number
  /** How long a turn may be silent before it counts as abandoned, where its process cannot be asked. Default 30,000. */
  leaseMs?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

/**
 * Keeps conversations in a SQLite file, or in memory for `:memory:`. Several processes may use one file at once.
 *
 * The user's message survives the death of the process, a reply that has ended also the loss of power. Throws `StoreError`
 * when the file cannot be opened, is damaged, or was written by a newer version.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): ConversationStore {
  return new SqliteStore(path, options)
}

interface Place {
  id: number
  version: number
  head: number
  last: number
}

/** A reply whose turn was given up, and what was kept of it. */
interface Taken {
  conversation: number
  given: string
}

const messageColumns = 'number, parent, role, state, created_at AS createdAt, reply, received, json'

class SqliteStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #db: SqliteConnection
  readonly #leases: SqliteLeases

  constructor(path: string, { busyTimeoutMs = 5_000, leaseMs = 30_000, now = Date.now }: SqliteStoreOptions) {
    this.heartbeatMs = leaseMs / 3
    this.now = now
    this.#db = new SqliteConnection(path, busyTimeoutMs)
    this.#leases = new SqliteLeases(this.#db, leaseMs, now)
  }

  async create({ id, title, settings, at, messages = [], head = 0 }: NewConversation): Promise<ConversationRecord> {
    const last = messages.at(-1)?.number ?? 0
    return this.#db.write('create the conversation', () => {
      const { lastInsertRowid } = this.#db
        .sql(
          'INSERT INTO conversation (public_id, version, head, last, created_at, updated_at, title) VALUES (?, 1, ?, ?, ?, ?, ?)',
        )
        .run(id, head, last, at, at, title)
      this.#db.sql('INSERT INTO settings VALUES (?, ?)').run(lastInsertRowid, settings)
      for (const message of messages) this.#insert(Number(lastInsertRowid), message)
      return { id, version: 1, head, last, createdAt: at, updatedAt: at, title, settings }
    })
  }

  async open(id: string): Promise<OpenedConversation | undefined> {
    return this.#db.read('open the conversation', () => {
      const row = this.#db
        .sql(
          `SELECT c.id, version, head, last, created_at AS createdAt, updated_at AS updatedAt, title, json AS settings
         FROM conversation c JOIN settings s ON s.conversation = c.id WHERE public_id = ?`,
        )
        .get(id) as (Omit<ConversationRecord, 'id'> & { id: number }) | undefined
      if (row === undefined) return undefined
      const messages = this.#messagesTo(row.id, row.head)
      return {
        conversation: { ...row, id },
        messages,
        offPathReplies: messages.length === row.last ? [] : this.#offPathReplies(row.id, messages),
        unfinished: this.#leases.of(row.id),
      }
    })
  }

  async path(id: string, leaf: number): Promise<MessageRecord[]> {
    return this.#db.read('read the conversation', () => this.#messagesTo(this.#find(id).id, leaf))
  }

  async read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    return this.#db.read('read the conversation', () => {
      const conversation = this.#find(id).id
      const sql = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number = ?`
      const wanted = numbers.toSorted((a, b) => a - b)
      return wanted.flatMap((number) => this.#db.rows<MessageRecord>(sql, conversation, number))
    })
  }

  async tree(id: string): Promise<TreeNode[]> {
    return this.#db.read('read the conversation', () => {
      const sql =
        'SELECT number, parent, role, state, created_at AS createdAt, reply FROM message WHERE conversation = ? ORDER BY number'
      return this.#db.rows<TreeNode>(sql, this.#find(id).id)
    })
  }

  async *messages(id: string): AsyncIterable<MessageRecord> {
    const conversation = this.#db.read('read the conversation', () => this.#find(id).id)
    const sql = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number > ? ORDER BY number LIMIT 100`
    for (let last = 0; ;) {
      const page = this.#db.read('read the conversation', () => this.#db.rows<MessageRecord>(sql, conversation, last))
      if (page.length === 0) return
      yield* page
      last = page.at(-1)!.number
    }
  }

  async find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    return this.#db.read('read the conversation', () => this.#repeated(this.#find(id).id, key))
  }

  async begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    const { id, version, parent, messages, role: itsRole = 'assistant', key, title, at } = step
    return this.#db.write('begin the turn', () => {
      const place = this.#find(id)
      const repeated = key === undefined ? undefined : this.#repeated(place.id, key)
      if (repeated !== undefined) return repeated
      checkVersion(id, place, version)
      if (parent !== place.head) this.#checkMessage(id, place.id, parent)
      const insert = this.#db.sql(
        'INSERT INTO message (conversation, number, parent, role, state, created_at, key, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      let number = place.last
      let follows = parent
      for (const [index, { role, json }] of messages.entries()) {
        const itsKey = index === messages.length - 1 ? (key ?? null) : null
        insert.run(place.id, ++number, follows, role, 'committed', at, itsKey, json)
        follows = number
      }
      const { lastInsertRowid } = insert.run(place.id, ++number, follows, itsRole, 'pending', at, null, '')
      const handle = Number(lastInsertRowid)
      this.#leases.begin(handle, place.id, step.reservation)
      this.#db
        .sql(
          'UPDATE conversation SET version = version + 1, head = ?, last = ?, updated_at = ?, title = coalesce(title, ?) WHERE id = ?',
        )
        .run(itsRole === 'summary' ? place.head : number, number, at, title ?? null, place.id)
      return { repeated: false, version: version + 1, first: place.last + 1, reply: number, handle }
    })
  }

  async journal(step: JournalStep): Promise<void> {
    await this.#db.write('keep what arrived of the reply', () => this.#leases.journal(step))
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    const { handle, state, json, received, reply } = step
    return this.#db.write(
      'keep the reply',
      () => {
        const ended = this.#db
          .sql(
            `UPDATE message SET state = ?, json = ?, received = ?, reply = ?
           WHERE id = ? AND state IN ('pending', 'streaming', 'awaiting_tools') RETURNING number`,
          )
          .get(state, json, received, reply, handle) as { number: number } | undefined
        this.#db.sql('DELETE FROM delta WHERE message = ?').run(handle)
        if (state !== 'awaiting_tools') this.#leases.end(handle, reply)
        return ended ?? this.#finishLate(step)
      },
      { durable: true },
    )
  }

  async update(id: string, version: number, changes: ConversationChanges): Promise<number> {
    return this.#db.write('change the conversation', () => {
      const place = this.#find(id)
      checkVersion(id, place, version)
      const { title, settings, head, at } = changes
      if (head !== undefined) this.#checkMessage(id, place.id, head)
      if (settings !== undefined)
        this.#db.sql('UPDATE settings SET json = ? WHERE conversation = ?').run(settings, place.id)
      this.#db
        .sql(
          `UPDATE conversation SET version = version + 1, updated_at = ?, head = ?,
         title = CASE WHEN ? THEN ? ELSE title END WHERE id = ?`,
        )
        .run(at, head ?? place.head, title === undefined ? 0 : 1, title ?? null, place.id)
      return version + 1
    })
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    const pruned = await this.#db.write('erase the message', () => {
      const place = this.#find(id)
      checkVersion(id, place, version)
      this.#checkMessage(id, place.id, number)
      const nodes = this.#db.rows<{ id: number; number: number; parent: number; reply: string | null }>(
        'SELECT id, number, parent, reply FROM message WHERE conversation = ? AND number >= ? ORDER BY number',
        place.id,
        number,
      )
      const gone = descendants(nodes, number)
      for (const node of nodes) {
        if (!gone.has(node.number)) continue
        const numbers = billingPart(node.reply)
        if (numbers !== undefined) this.#db.sql('INSERT INTO erased VALUES (?, ?)').run(place.id, numbers)
        this.#eraseMessages('id = ?', node.id)
      }
      const { parent } = nodes[0]!
      this.#db
        .sql(
          `UPDATE message SET key = NULL WHERE conversation = $id AND number = $parent AND key IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM message WHERE conversation = $id AND parent = $parent AND number > $parent)`,
        )
        .run({ $id: place.id, $parent: parent })
      const head = gone.has(place.head) ? parent : place.head
      this.#db.sql('UPDATE conversation SET version = version + 1, head = ? WHERE id = ?').run(head, place.id)
      return version + 1
    })
    this.#db.emptyLog()
    return pruned
  }

  async spending(account: Account): Promise<Spending> {
    return this.#db.read('read what was spent', () => spendingOf(this.#db, account))
  }

  async forgetDays(before: string): Promise<void> {
    await this.#db.write('forget what was spent', () => forgetDays(this.#db, before))
  }

  async abandonedReservations(): Promise<string[]> {
    return this.#db.read('read what is held', () => this.#leases.holders())
  }

  async list({ limit, before }: { limit: number; before?: string | undefined }): Promise<ConversationSummary[]> {
    return this.#db.read('list the conversations', () => {
      const columns =
        'public_id AS id, title, created_at AS createdAt, updated_at AS updatedAt, last AS messages FROM conversation'
      const order = 'ORDER BY updated_at DESC, id DESC LIMIT ?'
      if (before === undefined) return this.#db.rows<ConversationSummary>(`SELECT ${columns} ${order}`, limit)
      const { id } = this.#find(before)
      const after = '(updated_at, id) < (SELECT updated_at, id FROM conversation WHERE id = ?)'
      return this.#db.rows<ConversationSummary>(`SELECT ${columns} WHERE ${after} ${order}`, id, limit)
    })
  }

  async search(words: readonly string[], { limit }: { limit: number }): Promise<SearchHit[]> {
    return searchMessages(this.#db, words, limit)
  }

  async delete(id: string): Promise<boolean> {
    const deleted = await this.#db.write('delete the conversation', () => {
      const row = this.#db.sql('SELECT id FROM conversation WHERE public_id = ?').get(id) as { id: number } | undefined
      if (row === undefined) return false
      this.#eraseMessages('conversation = ?', row.id)
      for (const table of ['settings', 'erased']) {
        this.#db.sql(`DELETE FROM ${table} WHERE conversation = ?`).run(row.id)
      }
      this.#db.sql('DELETE FROM conversation WHERE id = ?').run(row.id)
      return true
    })
    if (deleted) this.#db.emptyLog()
    return deleted
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  /** The path is the runs of consecutive numbers between the forks that lead to the leaf. */
  #messagesTo(conversation: number, leaf: number): MessageRecord[] {
    const runs = this.#db
      .sql(
        `WITH RECURSIVE run (first, last) AS (
         SELECT coalesce((SELECT max(number) FROM message
           WHERE conversation = $conversation AND parent <> number - 1 AND number <= $leaf), 1), $leaf
         UNION ALL
         SELECT coalesce((SELECT max(number) FROM message
           WHERE conversation = $conversation AND parent <> number - 1 AND number <= fork.parent), 1), fork.parent
         FROM run JOIN message AS fork ON fork.conversation = $conversation AND fork.number = run.first
         WHERE fork.parent > 0
       )
       SELECT first, last FROM run ORDER BY first`,
      )
      .all({ $conversation: conversation, $leaf: leaf }) as { first: number; last: number }[]
    const messages = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number BETWEEN ? AND ? ORDER BY number`
    const read = ({ first, last }: (typeof runs)[number]): MessageRecord[] =>
      this.#db.rows<MessageRecord>(messages, conversation, first, last)
    return runs.length === 1 ? read(runs[0]!) : runs.flatMap(read)
  }

  #offPathReplies(conversation: number, path: readonly MessageRecord[]): string[] {
    const onPath = new Set(path.map(({ number }) => number))
    return this.#db
      .rows<{ number: number; reply: string }>(
        `SELECT number, reply FROM message WHERE conversation = ? AND reply IS NOT NULL
         UNION ALL SELECT 0, reply FROM erased WHERE conversation = ?`,
        conversation,
        conversation,
      )
      .filter(({ number }) => !onPath.has(number))
      .map(({ reply }) => reply)
  }

  #repeated(conversation: number, key: string): RepeatedTurn | undefined {
    const sent = this.#db.sql('SELECT number FROM message WHERE conversation = ? AND key = ?').get(conversation, key)
    if (sent === undefined) return undefined
    const message = sent.number as number
    const sql = `SELECT ${messageColumns} FROM message
      WHERE conversation = ? AND number > ? AND parent = ? AND role = 'assistant' ORDER BY number DESC LIMIT 1`
    const [reply] = this.#db.rows<MessageRecord>(sql, conversation, message, message)
    return reply && { repeated: true, message, reply }
  }

  /** The turn had been given up and its place taken: the reply stands beside what was kept in its place. */
  #finishLate({ id, handle, state, json, received, reply, at, recovering, accounts = [] }: FinishStep): FinishedTurn {
    const taken = this.#db
      .sql('SELECT conversation, number, parent, role, reply AS given FROM message WHERE id = ?')
      .get(handle) as (Pick<MessageRecord, 'number' | 'parent' | 'role'> & Taken) | undefined
    if (taken === undefined) throw new ConversationNotFoundError(id)
    if (recovering) return { number: taken.number }
    const correction = correctionEntry(taken.given, reply)
    if (correction !== undefined) enter(this.#db, accounts, correction)
    this.#db.sql('UPDATE message SET reply = ? WHERE id = ?').run(markUnbilled(taken.given), handle)
    const { last } = this.#db
      .sql(
        `UPDATE conversation SET version = version + 1, last = last + 1, updated_at = ?,
       head = CASE WHEN head = ? THEN last + 1 ELSE head END WHERE id = ? RETURNING last`,
      )
      .get(at, taken.number, taken.conversation) as { last: number }
    const { parent, role, conversation } = taken
    this.#insert(conversation, { number: last, parent, role, state, createdAt: at, reply, received, json })
    return { number: last }
  }

  #insert(conversation: number, message: MessageRecord): void {
    const { number, parent, role, state, createdAt, reply, received, json } = message
    this.#db
      .sql(
        `INSERT INTO message (conversation, number, parent, role, state, created_at, reply, received, json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(conversation, number, parent, role, state, createdAt, reply, received, json)
  }

  #eraseMessages(which: 'id = ?' | 'conversation = ?', value: number): void {
    const ids = `IN (SELECT id FROM message WHERE ${which})`
    forgetMessages(this.#db.db, which, value)
    this.#leases.erase(ids, value)
    for (const table of ['search_later', 'delta']) {
      this.#db.sql(`DELETE FROM ${table} WHERE message ${ids}`).run(value)
    }
    this.#db.sql(`DELETE FROM message WHERE ${which}`).run(value)
  }

  #find(id: string): Place {
    const place = this.#db.sql('SELECT id, version, head, last FROM conversation WHERE public_id = ?').get(id)
    if (place === undefined) throw new ConversationNotFoundError(id)
    return place as unknown as Place
  }

  #checkMessage(id: string, conversation: number, number: number): void {
    if (number === 0) return
    const found = this.#db.sql('SELECT 1 FROM message WHERE conversation = ? AND number = ?').get(conversation, number)
    if (found === undefined) throw new ConversationNotFoundError(id, String(number))
  }
}

function checkVersion(id: string, { version, head }: Place, seen: number): void {
  if (version !== seen) throw new ConversationConflictError(id, 'moved', head === 0 ? undefined : String(head))
}
