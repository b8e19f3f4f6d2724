import { type Lease, type LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { Account, Amounts, ReceivedParts, Reservation, UnfinishedReply } from '../store.ts'
import type { SqliteConnection } from './connection.ts'
import { reserve, settle } from './spending.ts'

// Except for abandonedReservations() and receivedParts(), each of these is a part of a transaction.

interface ReservedColumns {
  heldPicoUsd: string
  heldTokens: string
}

// As text: a JavaScript number is exact only up to $9,007 in picodollars.
const reservedColumns = 'CAST(held_pico_usd AS TEXT) AS heldPicoUsd, CAST(held_tokens AS TEXT) AS heldTokens'

/** Begins the lease of a reply. Throws a `BudgetError` if its reservation does not fit into a limit. */
export function beginLease(
  db: SqliteConnection,
  clock: LeaseClock,
  { handle, conversation, reservation }: { handle: number; conversation: number; reservation: Reservation | undefined },
): void {
  const sql = 'INSERT INTO lease (message, conversation, owner, until) VALUES (?, ?, ?, ?)'
  db.run(sql, [handle, conversation, thisProcess(), clock.end])
  if (reservation === undefined) return
  reserve(db, reservation)
  const { picoUsd, tokens } = reservation
  const accounts = reservation.accounts.map(({ user, day }) => ({ user, day }))
  const json = accounts.length === 0 ? null : JSON.stringify(accounts)
  const update = 'UPDATE lease SET held_pico_usd = ?, held_tokens = ?, accounts = ? WHERE message = ?'
  db.run(update, [picoUsd, tokens, json, handle])
}

/** Extends the lease of a reply, and tells whether the reply is to be stopped. Undefined if the reply has ended. */
export function extendLease(db: SqliteConnection, clock: LeaseClock, handle: number): { stopping: number } | undefined {
  return db.row('UPDATE lease SET until = ? WHERE message = ? RETURNING stopping', [clock.end, handle])
}

export function receivedParts(
  db: SqliteConnection,
  clock: LeaseClock,
  reply: { id: string; number: number; from: number },
): ReceivedParts | undefined {
  const { id, number, from } = reply
  return db.read('read the reply', () => {
    const lease = db.row<Lease & { message: number }>(
      `SELECT l.message, l.owner, until FROM conversation c
         JOIN message m ON m.conversation = c.id AND m.number = ? JOIN lease l ON l.message = m.id
       WHERE public_id = ?`,
      [number, id],
    )
    if (lease === undefined) return undefined
    const sql = 'SELECT json FROM delta WHERE message = ? AND part >= ? ORDER BY part'
    const parts = db.rows<{ json: string }>(sql, [lease.message, from]).map(({ json }) => json)
    return { parts, abandoned: clock.isAbandoned(lease) }
  })
}

/** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
export function stopReplies(db: SqliteConnection, clock: LeaseClock, conversation: number): number[] {
  const sql = `SELECT l.message, number, owner, until FROM lease l JOIN message m ON m.id = l.message
    WHERE l.conversation = ?`
  const leases = db.rows<Lease & { message: number; number: number }>(sql, [conversation])
  const inFlight = leases.filter((lease) => !clock.isAbandoned(lease))
  for (const { message } of inFlight) db.run('UPDATE lease SET stopping = 1 WHERE message = ?', [message])
  return inFlight.map(({ number }) => number)
}

/** Ends the lease of a reply and settles its reservation. @param reply the JSON of its `ReplyRecord`. */
export function endLease(db: SqliteConnection, handle: number, reply: string): void {
  // Most replies have no reservation in an account, and reading it first would cost more than the rest.
  const { changes } = db.run('DELETE FROM lease WHERE message = ? AND accounts IS NULL', [handle])
  if (changes === 0) settleLeases(db, '= ?', handle, reply)
}

/**
 * Ends the leases of erased replies. Their usage will never be known, so their whole reservations are charged.
 *
 * @param which a condition on the message id, in SQL with one `?`.
 */
export function eraseLeases(db: SqliteConnection, which: string, value: number): void {
  settleLeases(db, which, value)
}

export function unfinishedReplies(db: SqliteConnection, clock: LeaseClock, conversation: number): UnfinishedReply[] {
  const leases = db.rows<Lease & ReservedColumns & Pick<UnfinishedReply, 'handle' | 'number' | 'parent'>>(
    `SELECT l.message AS handle, number, parent, owner, until, ${reservedColumns}
     FROM lease l JOIN message m ON m.id = l.message WHERE l.conversation = ?`,
    [conversation],
  )
  const journal = 'SELECT json FROM delta WHERE message = ? ORDER BY part'
  return leases.map(({ handle, number, parent, ...lease }) => ({
    handle,
    number,
    parent,
    abandoned: clock.isAbandoned(lease),
    journal: db.rows<{ json: string }>(journal, [handle]).map(({ json }) => json),
    reserved: reservedAmounts(lease),
  }))
}

/** The ids of conversations with an abandoned reply that has a reservation in an account. */
export function abandonedReservations(db: SqliteConnection, clock: LeaseClock): string[] {
  const sql = `SELECT public_id AS id, l.owner, until FROM lease l JOIN conversation c ON c.id = l.conversation
    WHERE accounts IS NOT NULL`
  const leases = db.read('read the reservations', () => db.rows<Lease & { id: string }>(sql))
  return [...new Set(leases.filter((lease) => clock.isAbandoned(lease)).map(({ id }) => id))]
}

function settleLeases(db: SqliteConnection, which: string, value: number, reply?: string): void {
  const ended = db.rows<ReservedColumns & { accounts: string | null }>(
    `DELETE FROM lease WHERE message ${which} RETURNING ${reservedColumns}, accounts`,
    [value],
  )
  for (const { accounts, ...columns } of ended) {
    if (accounts !== null) settle(db, JSON.parse(accounts) as Account[], reservedAmounts(columns), reply)
  }
}

function reservedAmounts({ heldPicoUsd, heldTokens }: ReservedColumns): Amounts {
  return { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) }
}
