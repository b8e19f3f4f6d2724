import { ConversationNotFoundError } from '../../errors.ts'
import { type Lease, type LeaseClock } from '../lease.ts'
import type { ReceivedParts, UnfinishedReply } from '../store.ts'
import { type PostgresConnection, statement } from './connection.ts'

/** A row with the columns of a lease. */
export interface LeaseRow extends Omit<UnfinishedReply, 'handle' | 'abandoned' | 'reserved'> {
  handle: number | null
  leaseOwner: Lease['owner']
  until: Lease['until']
  heldPicoUsd: string
  heldTokens: string
}

/** The condition that a reply has not ended, in SQL. */
export const isUnfinished = "state IN ('pending', 'streaming')"

/** The condition that a reply has a lease: it has not ended, or its tools run. */
const isLeased = 'owner IS NOT NULL'

/** Joins a conversation `c` with its leases `m`, in SQL: a row for each, or one row without a handle. */
export const joinLeases: string = `LEFT JOIN %.message m
  ON m.conversation = c.id AND m.number >= c.in_flight_from AND m.${isLeased}`

/** The columns of a lease, with what has arrived of its reply. */
export const leaseColumns: string = `m.id::float8 AS handle, m.number, m.parent, NOT m.${isUnfinished} AS "awaitsTools",
  m.owner AS "leaseOwner", m.until::float8 AS until, coalesce(m.held_pico_usd, 0)::text AS "heldPicoUsd",
  coalesce(m.held_tokens, 0)::text AS "heldTokens",
  coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d WHERE d.message = m.id), '[]') AS journal`

/** The reply of a lease, from a row with its columns; undefined if the conversation has no lease. */
export function unfinishedReply(clock: LeaseClock, row: LeaseRow): UnfinishedReply | undefined {
  const { handle, number, parent, awaitsTools, leaseOwner: owner, until, journal } = row
  if (handle === null) return undefined
  const reserved = { picoUsd: BigInt(row.heldPicoUsd), tokens: BigInt(row.heldTokens) }
  return { handle, number, parent, awaitsTools, abandoned: clock.isAbandoned({ owner, until }), journal, reserved }
}

const readParts = statement(
  'read the reply',
  `SELECT m.owner, until::float8 AS until, coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d
     WHERE d.message = m.id AND part >= :from::int), '[]') AS parts
   FROM %.conversation c JOIN %.message m ON m.conversation = c.id AND m.number = :number::int
   WHERE public_id = :id AND ${isUnfinished}`,
)

export async function receivedParts(
  db: PostgresConnection,
  clock: LeaseClock,
  reply: { id: string; number: number; from: number },
): Promise<ReceivedParts | undefined> {
  const row = await db.row<Lease & { parts: string[] }>(readParts, reply)
  return row && { parts: row.parts, abandoned: clock.isAbandoned(row) }
}

const release = statement(
  'end the turn',
  `UPDATE %.message m SET owner = NULL, until = NULL, stopping = NULL
   FROM (SELECT id, stopping FROM %.message WHERE id = :handle::bigint FOR UPDATE) before
   WHERE m.id = before.id AND NOT m.${isUnfinished} RETURNING coalesce(before.stopping, false) AS stopping`,
)

/** Ends the lease of a reply whose turn has continued or ended. Returns whether the turn is to be stopped. */
export async function releaseReply(db: PostgresConnection, handle: number): Promise<boolean> {
  return (await db.row<{ stopping: boolean }>(release, { handle }))?.stopping ?? false
}

const readOwners = statement(
  'stop the reply',
  `SELECT m.id::float8 AS handle, m.number, m.owner, until::float8 AS until
   FROM %.conversation c ${joinLeases} WHERE public_id = :id ORDER BY m.number`,
)
const markStopping = statement(
  'stop the reply',
  `UPDATE %.message SET stopping = true
   WHERE id IN (SELECT value::bigint FROM json_array_elements_text(:handles::json)) AND ${isLeased} RETURNING id`,
)

/** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
export async function stopReplies(db: PostgresConnection, clock: LeaseClock, id: string): Promise<number[]> {
  for (;;) {
    const leases = await db.rows<Lease & { handle: number | null; number: number }>(readOwners, { id })
    if (leases.length === 0) throw new ConversationNotFoundError(id)
    const inFlight = leases.filter((lease) => lease.handle !== null && !clock.isAbandoned(lease))
    if (inFlight.length === 0) return []
    const marked = await db.rows(markStopping, { handles: JSON.stringify(inFlight.map(({ handle }) => handle)) })
    // A lease that was released meanwhile may be that of a turn that has continued with another step.
    if (marked.length === inFlight.length) return inFlight.map(({ number }) => number)
  }
}

const readReservations = statement(
  'read the reservations',
  `SELECT public_id AS id, m.owner, until::float8 AS until
   FROM %.message m JOIN %.conversation c ON c.id = m.conversation WHERE accounts IS NOT NULL`,
)

/** The ids of conversations with an abandoned reply that has a reservation in an account. */
export async function abandonedReservations(db: PostgresConnection, clock: LeaseClock): Promise<string[]> {
  const leases = await db.rows<Lease & { id: string }>(readReservations, {})
  return [...new Set(leases.filter((lease) => clock.isAbandoned(lease)).map(({ id }) => id))]
}
