import type { SqliteConnection } from './connection.ts'
import { isAbandoned, type Lease, thisProcess } from '../lease.ts'
import { hold, settle } from './spending.ts'
import type { Account, Reservation, JournalStep, UnfinishedReply } from '../store.ts'

interface Held {
  heldPicoUsd: string
  heldTokens: string
}

// As text: a number holds no more than $9,007 to the picodollar.
const heldColumns = 'CAST(held_pico_usd AS TEXT) AS heldPicoUsd, CAST(held_tokens AS TEXT) AS heldTokens'

/**
 * The replies that have not ended: who receives each, what arrived of it, and what is held for it. Each method is a part of
 * the transaction around it.
 */
export class SqliteLeases {
  readonly #db: SqliteConnection
  readonly #leaseMs: number
  readonly #now: () => number

  constructor(db: SqliteConnection, leaseMs: number, now: () => number) {
    this.#db = db
    this.#leaseMs = leaseMs
    this.#now = now
  }

  /** Throws `BudgetError` where a limit leaves less than is to be held. */
  begin(handle: number, conversation: number, held: Reservation | undefined): void {
    this.#db
      .sql('INSERT INTO lease (message, conversation, owner, until) VALUES (?, ?, ?, ?)')
      .run(handle, conversation, thisProcess, this.#end())
    if (held === undefined) return
    hold(this.#db, held)
    const { picoUsd, tokens } = held
    const accounts = held.accounts.map(({ user, day }) => ({ user, day }))
    this.#db
      .sql('UPDATE lease SET held_pico_usd = ?, held_tokens = ?, accounts = ? WHERE message = ?')
      .run(picoUsd, tokens, accounts.length === 0 ? null : JSON.stringify(accounts), handle)
  }

  journal({ handle, index, json }: JournalStep): void {
    const extended = this.#db.sql('UPDATE lease SET until = ? WHERE message = ?').run(this.#end(), handle)
    if (extended.changes === 0 || json === '') return
    this.#db.sql('INSERT INTO delta VALUES (?, ?, ?)').run(handle, index, json)
    if (index === 0) this.#db.sql("UPDATE message SET state = 'streaming' WHERE id = ?").run(handle)
  }

  /** @param reply what is kept beside the reply. */
  end(handle: number, reply: string): void {
    // Most hold nothing in an account, and to read that first would cost more than the rest.
    const { changes } = this.#db.sql('DELETE FROM lease WHERE message = ? AND accounts IS NULL').run(handle)
    if (changes === 0) this.#endHeld('= ?', handle, reply)
  }

  /** Of replies that will not be known. @param which of the message ids, in SQL with one `?`. */
  erase(which: string, value: number): void {
    this.#endHeld(which, value)
  }

  of(conversation: number): UnfinishedReply[] {
    const leases = this.#db.rows<Lease & Held & Pick<UnfinishedReply, 'handle' | 'number' | 'parent'>>(
      `SELECT l.message AS handle, number, parent, owner, until, ${heldColumns}
       FROM lease l JOIN message m ON m.id = l.message WHERE l.conversation = ?`,
      conversation,
    )
    return leases.map(({ handle, number, parent, ...lease }) => ({
      handle,
      number,
      parent,
      abandoned: isAbandoned(lease, this.#now()),
      journal: this.#db
        .rows<{ json: string }>('SELECT json FROM delta WHERE message = ? ORDER BY part', handle)
        .map(({ json }) => json),
      reserved: amounts(lease),
    }))
  }

  /** The conversations with an abandoned reply that holds something in an account. */
  holders(): string[] {
    const sql = `SELECT public_id AS id, owner, until FROM lease l JOIN conversation c ON c.id = l.conversation
      WHERE accounts IS NOT NULL`
    const abandoned = this.#db.rows<Lease & { id: string }>(sql).filter((lease) => isAbandoned(lease, this.#now()))
    return [...new Set(abandoned.map(({ id }) => id))]
  }

  #endHeld(which: string, value: number, reply?: string): void {
    const ended = this.#db.rows<Held & { accounts: string | null }>(
      `DELETE FROM lease WHERE message ${which} RETURNING ${heldColumns}, accounts`,
      value,
    )
    for (const { accounts, ...held } of ended) {
      if (accounts !== null) settle(this.#db, JSON.parse(accounts) as Account[], amounts(held), reply)
    }
  }

  #end(): number {
    return this.#now() + this.#leaseMs
  }
}

function amounts({ heldPicoUsd, heldTokens }: Held): UnfinishedReply['reserved'] {
  return { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) }
}
