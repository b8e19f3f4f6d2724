import type { PostgresConnection } from './connection.ts'
import { ConversationNotFoundError } from '../../errors.ts'
import { accountsJson } from './spending.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { correctionEntry, usageOf } from '../../money/spending.ts'
import { isAbandoned, type Lease } from '../lease.ts'
import type { FinishedTurn, FinishStep, JournalStep, UnfinishedReply } from '../store.ts'
import { wordsOf } from '../../history/text.ts'

interface Row extends Lease, Omit<UnfinishedReply, 'abandoned' | 'reserved'> {
  heldPicoUsd: string
  heldTokens: string
}

/** The replies that have not ended: who receives each, what arrived of it, and what is held for it. */
export class PostgresLeases {
  readonly #db: PostgresConnection
  readonly #leaseMs: number
  readonly #now: () => number

  constructor(db: PostgresConnection, leaseMs: number, now: () => number) {
    this.#db = db
    this.#leaseMs = leaseMs
    this.#now = now
  }

  /** When a lease runs out that begins, or is extended, now. */
  get end(): number {
    return this.#now() + this.#leaseMs
  }

  async journal({ handle, index, json }: JournalStep): Promise<void> {
    await this.#db.rows(
      'keep what arrived of the reply',
      `WITH held AS (
         UPDATE %.lease SET until = $2::bigint WHERE message = $1::bigint RETURNING message
       ), kept AS (
         INSERT INTO %.delta SELECT message, $3::int, $4::text FROM held WHERE $4::text <> ''
       )
       UPDATE %.message SET state = 'streaming' FROM held
       WHERE id = held.message AND state = 'pending' AND $4::text <> ''`,
      [handle, this.end, index, json],
    )
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    const { handle, state, json, received, reply } = step
    const used = usageOf(reply)
    const [ended] = await this.#db.rows<FinishedTurn>(
      'keep the reply',
      `WITH journal AS (
         DELETE FROM %.delta WHERE message = $1::bigint
       ), ended AS (
         UPDATE %.message SET state = $2::text, json = $3::text, received = $4::text, reply = $5::text, words = $6::text
         WHERE id = $1::bigint AND state IN ('pending', 'streaming', 'awaiting_tools') RETURNING number
       ), lease AS (
         DELETE FROM %.lease WHERE message = $1::bigint AND $2::text <> 'awaiting_tools'
         RETURNING held_pico_usd, held_tokens, accounts
       ), settled AS (
         SELECT %.enter(accounts, coalesce($7::bigint, held_pico_usd), $8::bigint, -held_pico_usd, -held_tokens,
           ($7::bigint IS NULL)::int) AS entered FROM lease WHERE accounts IS NOT NULL
       )
       SELECT number, (SELECT count(entered) FROM settled) FROM ended`,
      [
        handle,
        state,
        json,
        received,
        reply,
        wordsOf(received ?? json),
        used.picoUsd === undefined ? null : String(used.picoUsd),
        String(used.tokens),
      ],
    )
    return ended ? { number: ended.number } : this.#finishLate(step)
  }

  async of(conversation: number): Promise<UnfinishedReply[]> {
    const rows = await this.#db.rows<Row>(
      'read the conversation',
      `SELECT l.message::float8 AS handle, number, parent, owner, until::float8 AS until,
         held_pico_usd::text AS "heldPicoUsd", held_tokens::text AS "heldTokens",
         coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d WHERE d.message = l.message), '[]') AS journal
       FROM %.lease l JOIN %.message m ON m.id = l.message WHERE l.conversation = $1`,
      [conversation],
    )
    return rows.map(({ owner, until, heldPicoUsd, heldTokens, ...reply }) => ({
      ...reply,
      abandoned: isAbandoned({ owner, until }, this.#now()),
      reserved: { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) },
    }))
  }

  /** The conversations with an abandoned reply that holds something in an account. */
  async holders(): Promise<string[]> {
    const leases = await this.#db.rows<Lease & { id: string }>(
      'read what is held',
      `SELECT public_id AS id, owner, until::float8 AS until FROM %.lease l JOIN %.conversation c ON c.id = l.conversation
       WHERE accounts IS NOT NULL`,
      [],
    )
    return [...new Set(leases.filter((lease) => isAbandoned(lease, this.#now())).map(({ id }) => id))]
  }

  /** The turn had been given up and its place taken: the reply stands beside what was kept in its place. */
  async #finishLate(step: FinishStep): Promise<FinishedTurn> {
    const { id, handle, state, json, received, reply, at, recovering, accounts = [] } = step
    const [taken] = await this.#db.rows<{ number: number; given: string }>(
      'keep the reply',
      'SELECT number, reply AS given FROM %.message WHERE id = $1',
      [handle],
    )
    if (taken === undefined) throw new ConversationNotFoundError(id)
    if (recovering) return { number: taken.number }
    const { given } = taken
    const entry = correctionEntry(given, reply)
    const [late] = await this.#db.rows<FinishedTurn>(
      'keep the reply',
      `WITH taken AS (
         UPDATE %.message SET reply = $9::text WHERE id = $1::bigint AND reply = $8::text
         RETURNING conversation, number, parent, role
       ), place AS (
         UPDATE %.conversation c SET version = version + 1, last = last + 1, updated_at = $2::bigint,
           head = CASE WHEN head = taken.number THEN last + 1 ELSE head END
         FROM taken WHERE c.id = taken.conversation RETURNING c.id, last, taken.parent, taken.role
       ), added AS (
         INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, words)
         SELECT id, last, parent, role, $3::text, $2::bigint, $4::text, $5::text, $6::text, $7::text FROM place
         RETURNING number
       )
       SELECT number, CASE WHEN $10::text IS NOT NULL THEN %.enter($10::text, $11::bigint, $12::bigint, 0, 0, $13::int) END
       FROM added`,
      [
        handle,
        at,
        state,
        reply,
        received,
        json,
        wordsOf(received ?? json),
        given,
        markUnbilled(given),
        entry && accountsJson(accounts),
        String(entry?.picoUsd ?? 0n),
        String(entry?.tokens ?? 0n),
        entry?.unpriced ?? 0,
      ],
    )
    if (late === undefined) throw new ConversationNotFoundError(id)
    return { number: late.number }
  }
}
