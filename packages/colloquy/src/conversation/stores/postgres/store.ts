import { ConversationConflictError, ConversationNotFoundError } from '../../errors.ts'
import { PostgresConnection } from './connection.ts'
import { PostgresLeases } from './leases.ts'
import type { PostgresDatabase } from './schema.ts'
import { searchMessages } from './search.ts'
import { accountsJson, forgetDays, limitedJson, billingPart, spendHeld, spendingOf } from './spending.ts'
import { thisProcess } from '../lease.ts'
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
import { wordsOf } from '../../history/text.ts'

export type { PostgresDatabase } from './schema.ts'

export interface PostgresStoreOptions {
  /** Where the tables live; made when it is not there. Lower-case letters, digits and `_`. Default `colloquy`. */
  schema?: string
  /** How long a turn may be silent before it counts as abandoned, where its process cannot be asked. Default 30,000. */
  leaseMs?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
  /** Called by `close()`; the database is yours, so by default it stays open. */
  end?: () => Promise<unknown>
}

/**
 * Keeps conversations in PostgreSQL, 14 or newer, through anything that has `query()`. Any number of processes may use the
 * same tables. Every step of a turn is one statement, so it needs one round trip and no transaction held open.
 *
 * Throws `StoreError` when the database refuses, or was written by a newer version.
 */
export function postgresStore(db: PostgresDatabase, options: PostgresStoreOptions = {}): ConversationStore {
  return new PostgresStore(db, options)
}

interface Place {
  id: number
  version: number
  head: number
  last: number
}

// Numbers come as numbers whatever the driver makes of bigint: doubles hold every integer that is used here.
const conversationColumns = `public_id AS id, version, head, last, created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt", title`
const messageColumns = `number, parent, role, state, created_at::float8 AS "createdAt", reply, received, json`

class PostgresStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #db: PostgresConnection
  readonly #leases: PostgresLeases
  readonly #end: (() => Promise<unknown>) | undefined

  constructor(
    db: PostgresDatabase,
    { schema = 'colloquy', leaseMs = 30_000, now = Date.now, end }: PostgresStoreOptions,
  ) {
    this.heartbeatMs = leaseMs / 3
    this.now = now
    this.#db = new PostgresConnection(db, schema)
    this.#leases = new PostgresLeases(this.#db, leaseMs, now)
    this.#end = end
  }

  async create({ id, title, settings, at, messages = [], head = 0 }: NewConversation): Promise<ConversationRecord> {
    const last = messages.at(-1)?.number ?? 0
    const rows = messages.map((message) => ({ ...message, words: wordsOf(message.received ?? message.json) }))
    await this.#db.rows(
      'create the conversation',
      `WITH made AS (
         INSERT INTO %.conversation (public_id, version, head, last, created_at, updated_at, title)
         VALUES ($1, 1, $2::int, $3::int, $4::bigint, $4::bigint, $5::text) RETURNING id
       ), kept AS (INSERT INTO %.settings SELECT id, $6::text FROM made)
       INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, words)
       SELECT id, number, parent, role, state, "createdAt", reply, received, json, words
       FROM made, json_to_recordset($7::json) AS row (number int, parent int, role text, state text, "createdAt" bigint,
         reply text, received text, json text, words text)`,
      [id, head, last, at, title, settings, JSON.stringify(rows)],
    )
    return { id, version: 1, head, last, createdAt: at, updatedAt: at, title, settings }
  }

  async open(id: string): Promise<OpenedConversation | undefined> {
    const [row] = await this.#db.rows<ConversationRecord & { place: number }>(
      'open the conversation',
      `SELECT ${conversationColumns}, c.id::float8 AS place, json AS settings
       FROM %.conversation c JOIN %.settings s ON s.conversation = c.id WHERE public_id = $1`,
      [id],
    )
    if (row === undefined) return undefined
    const { place, ...conversation } = row
    // Before the messages: a reply that ends meanwhile is then counted twice, held and spent, and never not at all.
    const unfinished = await this.#leases.of(place)
    const messages = await this.#messagesTo(place, conversation.head)
    const offPathReplies = messages.length === conversation.last ? [] : await this.#offPathReplies(place, messages)
    return { conversation, messages, offPathReplies, unfinished }
  }

  async path(id: string, leaf: number): Promise<MessageRecord[]> {
    return this.#messagesTo((await this.#find(id)).id, leaf)
  }

  async read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    const sql = `SELECT ${messageColumns} FROM %.message
      WHERE conversation = $1 AND number IN (SELECT value::int FROM json_array_elements_text($2::json)) ORDER BY number`
    const { id: place } = await this.#find(id)
    return this.#db.rows('read the conversation', sql, [place, JSON.stringify(numbers)])
  }

  async tree(id: string): Promise<TreeNode[]> {
    const sql = `SELECT number, parent, role, state, created_at::float8 AS "createdAt", reply
      FROM %.message WHERE conversation = $1 ORDER BY number`
    return this.#db.rows('read the conversation', sql, [(await this.#find(id)).id])
  }

  async *messages(id: string): AsyncIterable<MessageRecord> {
    const { id: place } = await this.#find(id)
    const sql = `SELECT ${messageColumns} FROM %.message WHERE conversation = $1 AND number > $2::int ORDER BY number LIMIT 100`
    for (let last = 0; ;) {
      const page = await this.#db.rows<MessageRecord>('read the conversation', sql, [place, last])
      if (page.length === 0) return
      yield* page
      last = page.at(-1)!.number
    }
  }

  async find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    const [repeated] = await this.#db.rows<MessageRecord & { sent: number }>(
      'read the conversation',
      `WITH sent AS (SELECT number FROM %.message WHERE conversation = $1 AND key = $2::text)
       SELECT ${messageColumns}, (SELECT number FROM sent) AS sent FROM %.message
       WHERE conversation = $1 AND parent = (SELECT number FROM sent) AND role = 'assistant' ORDER BY number DESC LIMIT 1`,
      [(await this.#find(id)).id, key],
    )
    if (repeated === undefined) return undefined
    const { sent, ...reply } = repeated
    return { repeated: true, message: sent, reply }
  }

  async begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    const { id, version, parent, messages, role: itsRole = 'assistant', key, title, reservation, at } = step
    const { picoUsd = 0n, tokens = 0n, accounts = [] } = reservation ?? {}
    const rows = messages.map(({ role, json }) => ({ role, json, words: wordsOf(json) }))
    const [begun] = await this.#db.rows<{ version: number; last: number; handle: number }>(
      'begin the turn',
      `WITH place AS (
         UPDATE %.conversation c SET version = version + 1, last = last + $4::int + 1,
           head = CASE WHEN $15::text = 'summary' THEN head ELSE last + $4::int + 1 END, updated_at = $6::bigint,
           title = coalesce(title, $7::text)
         WHERE public_id = $1 AND version = $2::int
           AND ($3::int = 0 OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = $3::int))
           AND ($8::text IS NULL OR NOT EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND key = $8::text))
         RETURNING id, version, last
       ), asked AS (
         INSERT INTO %.message (conversation, number, parent, role, state, created_at, key, json, words)
         SELECT id, last - $4::int - 1 + i, CASE WHEN i = 1 THEN $3::int ELSE last - $4::int - 2 + i END, value->>'role',
           'committed', $6::bigint, CASE WHEN i = $4::int THEN $8::text END, value->>'json', value->>'words'
         FROM place, json_array_elements($5::json) WITH ORDINALITY AS row (value, i)
       ), answer AS (
         INSERT INTO %.message (conversation, number, parent, role, state, created_at, json, words)
         SELECT id, last, CASE WHEN $4::int = 0 THEN $3::int ELSE last - 1 END, $15::text, 'pending', $6::bigint, '', ''
         FROM place RETURNING id, conversation
       ), leased AS (
         INSERT INTO %.lease (message, conversation, owner, until, held_pico_usd, held_tokens, accounts)
         SELECT id, conversation, $9, $10::bigint, $11::bigint, $12::bigint, $13::text FROM answer
       )
       SELECT version, last, answer.id::float8 AS handle,
         CASE WHEN $14::text IS NOT NULL THEN %.enter($14::text, 0, 0, $11::bigint, $12::bigint, 0) END
       FROM place, answer`,
      [
        id,
        version,
        parent,
        rows.length,
        JSON.stringify(rows),
        at,
        title ?? null,
        key ?? null,
        thisProcess,
        this.#leases.end,
        String(picoUsd),
        String(tokens),
        accountsJson(accounts),
        limitedJson(accounts),
        itsRole,
      ],
    )
    if (begun === undefined) return this.#whyNotBegun(step)
    return {
      repeated: false,
      version: begun.version,
      first: begun.last - rows.length,
      reply: begun.last,
      handle: begun.handle,
    }
  }

  async journal(step: JournalStep): Promise<void> {
    await this.#leases.journal(step)
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    return this.#leases.finish(step)
  }

  async update(id: string, version: number, { title, settings, head, at }: ConversationChanges): Promise<number> {
    const [changed] = await this.#db.rows<{ version: number }>(
      'change the conversation',
      `WITH place AS (
         UPDATE %.conversation c SET version = version + 1, updated_at = $3::bigint, head = coalesce($4::int, head),
           title = CASE WHEN $5::boolean THEN $6::text ELSE title END
         WHERE public_id = $1 AND version = $2::int
           AND (coalesce($4::int, 0) = 0 OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = $4::int))
         RETURNING id, version
       ), kept AS (
         UPDATE %.settings SET json = $7::text FROM place WHERE conversation = place.id AND $7::text IS NOT NULL
       )
       SELECT version FROM place`,
      [id, version, at, head ?? null, title !== undefined, title ?? null, settings ?? null],
    )
    return changed?.version ?? this.#refuse(id, version, head ?? 0)
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    const [pruned] = await this.#db.rows<{ version: number }>(
      'erase the message',
      `WITH RECURSIVE place AS (
         SELECT id FROM %.conversation WHERE public_id = $1 AND version = $2::int FOR UPDATE
       ), gone AS (
         SELECT message.id, number, parent, reply FROM %.message, place WHERE conversation = place.id AND number = $3::int
         UNION ALL
         SELECT m.id, m.number, m.parent, m.reply FROM place, gone JOIN %.message m ON m.parent = gone.number AND m.number > gone.number
         WHERE m.conversation = place.id
       ), erased AS (
         DELETE FROM %.message WHERE id IN (SELECT id FROM gone)
       ), counted AS (
         INSERT INTO %.erased SELECT place.id, ${billingPart('gone.reply::json')} FROM place, gone
         WHERE gone.reply::json->'message' IS NOT NULL AND gone.reply::json->'unpaid' IS NULL
       ), journal AS (
         DELETE FROM %.delta WHERE message IN (SELECT id FROM gone)
       ), freed AS (
         UPDATE %.message m SET key = NULL FROM place
         WHERE m.conversation = place.id AND m.number = (SELECT parent FROM gone WHERE number = $3::int) AND m.key IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM %.message left_over WHERE left_over.conversation = place.id
             AND left_over.parent = m.number AND left_over.id NOT IN (SELECT id FROM gone))
       ), moved AS (
         UPDATE %.conversation c SET version = version + 1,
           head = CASE WHEN head IN (SELECT number FROM gone) THEN (SELECT parent FROM gone WHERE number = $3::int) ELSE head END
         FROM place WHERE c.id = place.id AND EXISTS (SELECT 1 FROM gone) RETURNING version
       ), ${spendHeld('m.id IN (SELECT id FROM gone)')}
       SELECT version, (SELECT count(entered) FROM spent) FROM moved`,
      [id, version, number],
    )
    return pruned?.version ?? this.#refuse(id, version, number)
  }

  async spending(account: Account): Promise<Spending> {
    return spendingOf(this.#db, account)
  }

  async forgetDays(before: string): Promise<void> {
    await forgetDays(this.#db, before)
  }

  async abandonedReservations(): Promise<string[]> {
    return this.#leases.holders()
  }

  async list({ limit, before }: { limit: number; before?: string | undefined }): Promise<ConversationSummary[]> {
    const after = '(updated_at, c.id) < (SELECT updated_at, id FROM %.conversation WHERE id = $2::bigint)'
    const values = before === undefined ? [limit] : [limit, (await this.#find(before)).id]
    return this.#db.rows(
      'list the conversations',
      `SELECT public_id AS id, title, created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt", last AS messages
       FROM %.conversation c ${before === undefined ? '' : `WHERE ${after}`} ORDER BY updated_at DESC, c.id DESC LIMIT $1::int`,
      values,
    )
  }

  async search(words: readonly string[], { limit }: { limit: number }): Promise<SearchHit[]> {
    return searchMessages(this.#db, words, limit)
  }

  async delete(id: string): Promise<boolean> {
    const deleted = await this.#db.rows(
      'delete the conversation',
      `WITH gone AS (DELETE FROM %.conversation WHERE public_id = $1 RETURNING id),
       journal AS (DELETE FROM %.delta WHERE message IN (SELECT m.id FROM %.message m JOIN gone ON m.conversation = gone.id)),
       ${spendHeld('m.conversation IN (SELECT id FROM %.conversation WHERE public_id = $1)')}
       SELECT (SELECT count(entered) FROM spent) FROM gone`,
      [id],
    )
    return deleted.length > 0
  }

  async close(): Promise<void> {
    this.#db.close()
    await this.#end?.()
  }

  /** The path is the runs of consecutive numbers between the forks that lead to the leaf. */
  #messagesTo(conversation: number, leaf: number): Promise<MessageRecord[]> {
    const start = `coalesce((SELECT max(number) FROM %.message
      WHERE conversation = $1 AND parent <> number - 1 AND number <= `
    return this.#db.rows(
      'read the conversation',
      `WITH RECURSIVE run (first, last) AS (
         SELECT ${start} $2::int), 1), $2::int
         UNION ALL
         SELECT ${start} fork.parent), 1), fork.parent
         FROM run JOIN %.message fork ON fork.conversation = $1 AND fork.number = run.first
         WHERE fork.parent > 0
       )
       SELECT ${messageColumns} FROM run JOIN %.message ON conversation = $1 AND number BETWEEN first AND last ORDER BY number`,
      [conversation, leaf],
    )
  }

  async #offPathReplies(conversation: number, path: readonly MessageRecord[]): Promise<string[]> {
    const onPath = new Set(path.map(({ number }) => number))
    const sql = `SELECT number, reply FROM %.message WHERE conversation = $1 AND reply IS NOT NULL
      UNION ALL SELECT 0, reply FROM %.erased WHERE conversation = $1 ORDER BY number`
    const rows = await this.#db.rows<{ number: number; reply: string }>('read the conversation', sql, [conversation])
    return rows.filter(({ number }) => !onPath.has(number)).map(({ reply }) => reply)
  }

  /** Nothing was written: the key was used before, or the conversation has moved on. */
  async #whyNotBegun({ id, version, parent, key }: BeginStep): Promise<RepeatedTurn> {
    const repeated = key === undefined ? undefined : await this.find(id, key)
    return repeated ?? this.#refuse(id, version, parent)
  }

  async #refuse(id: string, version: number, message: number): Promise<never> {
    const place = await this.#find(id)
    if (place.version === version) throw new ConversationNotFoundError(id, String(message))
    throw new ConversationConflictError(id, 'moved', place.head === 0 ? undefined : String(place.head))
  }

  async #find(id: string): Promise<Place> {
    const sql = 'SELECT id::float8 AS id, version, head, last FROM %.conversation WHERE public_id = $1'
    const [place] = await this.#db.rows<Place>('find the conversation', sql, [id])
    if (place === undefined) throw new ConversationNotFoundError(id)
    return place
  }
}
