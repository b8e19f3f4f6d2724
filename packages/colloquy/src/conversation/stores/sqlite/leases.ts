import { type Lease, type LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { Account, Amounts, ReceivedParts, Reservation, UnfinishedReply } from '../store.ts'
import type { SqliteConnection } from './database/connection.ts'
import { isReply } from './database/in-flight.ts'
import { reserve, settle } from './spending.ts'

// Except for abandonedReservations() and receivedParts(), each of these is a part of a transaction.

/** The condition that a reply has not ended, in SQL. */
export const isUnfinished = "state IN ('pending', 'streaming')"

/** The condition that a reply has a lease: it has not ended, or its tools run. */
export const isLeased = 'owner IS NOT NULL'

/** The conditions that a message of a conversation with the parameter `?1` is a reply with a lease. */
const isInFlight = `conversation = ?1 AND number >= (SELECT in_flight_from FROM conversation WHERE id = ?1) AND ${isLeased}`

/** The lease columns of a new reply. */
export const leaseColumns = 'owner, until, held_pico_usd, held_tokens, accounts'
export type LeaseValues = [
  owner: string,
  until: number,
  heldPicoUsd: bigint,
  heldTokens: bigint,
  accounts: string | null,
]

/** Reserves for a new reply, and returns its lease. Throws a `BudgetError` if the reservation does not fit into a limit. */
export function newLease(db: SqliteConnection, clock: LeaseClock, reservation: Reservation | undefined): LeaseValues {
  const { picoUsd = 0n, tokens = 0n, accounts = [] } = reservation ?? {}
  if (reservation !== undefined) reserve(db, reservation)
  const json = accounts.length === 0 ? null : JSON.stringify(accounts.map(({ user, day }) => ({ user, day })))
  return [thisProcess(), clock.end, picoUsd, tokens, json]
}

export function receivedParts(
  db: SqliteConnection,
  clock: LeaseClock,
  reply: { id: string; number: number; from: number },
): ReceivedParts | undefined {
  const { id, number, from } = reply
  return db.read('read the reply', () => {
    const lease = db.row<Lease & { handle: number }>(
      `SELECT m.id AS handle, m.owner, until FROM conversation c JOIN message m ON m.conversation = c.id AND number = ?
       WHERE public_id = ? AND ${isUnfinished}`,
      [number, id],
    )
    if (lease === undefined) return undefined
    const sql = 'SELECT json FROM delta WHERE message = ? AND part >= ? ORDER BY part'
    const parts = db.rows<{ json: string }>(sql, [lease.handle, from]).map(({ json }) => json)
    return { parts, abandoned: clock.isAbandoned(lease) }
  })
}

/** Ends the lease of a reply whose turn has continued or ended. Returns whether the turn is to be stopped. */
export function releaseReply(db: SqliteConnection, handle: number): boolean {
  const isEnded = `${isReply} AND NOT ${isUnfinished}`
  const values = [handle, db.inFlight.placeOf(handle)]
  const lease = db.row<{ stopping: number | null }>(`SELECT stopping FROM message WHERE ${isEnded}`, values)
  db.run(`UPDATE message SET (owner, until, stopping) = (NULL, NULL, NULL) WHERE ${isEnded}`, values)
  return lease?.stopping === 1
}

/** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
export function stopReplies(db: SqliteConnection, clock: LeaseClock, conversation: number): number[] {
  const sql = `SELECT id AS handle, number, owner, until FROM message WHERE ${isInFlight} ORDER BY number`
  const leases = db.rows<Lease & { handle: number; number: number }>(sql, [conversation])
  const inFlight = leases.filter((lease) => !clock.isAbandoned(lease))
  for (const { handle } of inFlight) db.run('UPDATE message SET stopping = 1 WHERE id = ?', [handle])
  return inFlight.map(({ number }) => number)
}

interface ReservedColumns {
  heldPicoUsd: string
  heldTokens: string
}

// As text: a JavaScript number is exact only up to $9,007 in picodollars.
const reservedColumns = `CAST(coalesce(held_pico_usd, 0) AS TEXT) AS heldPicoUsd,
  CAST(coalesce(held_tokens, 0) AS TEXT) AS heldTokens`

/**
 * Settles the reservations of replies that end.
 *
 * @param which a condition on messages, in SQL with one `?`.
 * @param reply the JSON of the `ReplyRecord`; undefined if the usage will never be known: the whole reservations are charged.
 */
export function settleReservations(db: SqliteConnection, which: string, value: number, reply?: string): void {
  const reserved = `${which} AND accounts IS NOT NULL`
  const rows = db.rows<ReservedColumns & { accounts: string }>(
    `SELECT ${reservedColumns}, accounts FROM message WHERE ${reserved}`,
    [value],
  )
  if (rows.length === 0) return
  db.run(`UPDATE message SET (held_pico_usd, held_tokens, accounts) = (NULL, NULL, NULL) WHERE ${reserved}`, [value])
  for (const { accounts, ...columns } of rows) {
    settle(db, JSON.parse(accounts) as Account[], reservedAmounts(columns), reply)
  }
}

interface LeasedRow extends Lease, ReservedColumns, Pick<UnfinishedReply, 'handle' | 'number' | 'parent'> {
  awaitsTools: number
  place: number | null
}

export function unfinishedReplies(db: SqliteConnection, clock: LeaseClock, conversation: number): UnfinishedReply[] {
  const leases = db.rows<LeasedRow>(
    `SELECT id AS handle, number, parent, NOT ${isUnfinished} AS awaitsTools, owner, until, place_checksum AS place,
       ${reservedColumns} FROM message WHERE ${isInFlight} ORDER BY number`,
    [conversation],
  )
  const journal = 'SELECT json FROM delta WHERE message = ? ORDER BY part'
  return leases.map(({ handle, number, parent, awaitsTools, place, ...lease }) => {
    const abandoned = clock.isAbandoned(lease)
    // It may be erased before it is ended, and another reply get its row id.
    if (abandoned) db.inFlight.found(handle, place)
    return {
      handle,
      number,
      parent,
      awaitsTools: awaitsTools === 1,
      abandoned,
      journal: db.rows<{ json: string }>(journal, [handle]).map(({ json }) => json),
      reserved: reservedAmounts(lease),
    }
  })
}

/** The ids of conversations with an abandoned reply that has a reservation in an account. */
export function abandonedReservations(db: SqliteConnection, clock: LeaseClock): string[] {
  const sql = `SELECT public_id AS id, m.owner, until FROM message m JOIN conversation c ON c.id = m.conversation
    WHERE accounts IS NOT NULL`
  const leases = db.read('read the reservations', () => db.rows<Lease & { id: string }>(sql))
  return [...new Set(leases.filter((lease) => clock.isAbandoned(lease)).map(({ id }) => id))]
}

function reservedAmounts({ heldPicoUsd, heldTokens }: ReservedColumns): Amounts {
  return { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) }
}
