import { type Lease, type LeaseClock } from '../lease.ts'
import type { ReceivedParts, UnfinishedReply } from '../store.ts'
import { type PostgresConnection, statement } from './connection.ts'

interface LeaseRow extends Lease, Omit<UnfinishedReply, 'abandoned' | 'reserved'> {
  heldPicoUsd: string
  heldTokens: string
}

/** The condition that a reply has not ended, in SQL. */
export const isUnfinished = "state IN ('pending', 'streaming')"

/** The condition that a reply has a lease: it has not ended, or its tools run. */
const isLeased = 'owner IS NOT NULL'

/** The conditions that a message of a conversation is a reply with a lease. */
const isInFlight = `conversation = :conversation
  AND number >= (SELECT in_flight_from FROM %.conversation WHERE id = :conversation) AND ${isLeased}`

/** The leases of a conversation, with what has arrived of each reply. */
const readLeases = statement(
  'read the conversation',
  `SELECT id::float8 AS handle, number, parent, NOT ${isUnfinished} AS "awaitsTools", owner, until::float8 AS until,
     coalesce(held_pico_usd, 0)::text AS "heldPicoUsd", coalesce(held_tokens, 0)::text AS "heldTokens",
     coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d WHERE d.message = m.id), '[]') AS journal
   FROM %.message m WHERE ${isInFlight} ORDER BY number`,
)

export async function unfinishedReplies(
  db: PostgresConnection,
  clock: LeaseClock,
  conversation: number,
): Promise<UnfinishedReply[]> {
  const rows = await db.rows<LeaseRow>(readLeases, { conversation })
  return rows.map(({ owner, until, heldPicoUsd, heldTokens, ...reply }) => ({
    ...reply,
    abandoned: clock.isAbandoned({ owner, until }),
    reserved: { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) },
  }))
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
  `UPDATE %.message SET owner = NULL, until = NULL, stopping = NULL
   WHERE id = :handle::bigint AND NOT ${isUnfinished}`,
)

/** Ends the lease of a reply whose turn has continued or ended. */
export async function releaseReply(db: PostgresConnection, handle: number): Promise<void> {
  await db.rows(release, { handle })
}

const readOwners = statement(
  'stop the reply',
  `SELECT id::float8 AS handle, number, owner, until::float8 AS until FROM %.message WHERE ${isInFlight} ORDER BY number`,
)
const markStopping = statement(
  'stop the reply',
  `UPDATE %.message SET stopping = true
   WHERE id IN (SELECT value::bigint FROM json_array_elements_text(:handles::json))`,
)

/** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
export async function stopReplies(db: PostgresConnection, clock: LeaseClock, conversation: number): Promise<number[]> {
  const leases = await db.rows<Lease & { handle: number; number: number }>(readOwners, { conversation })
  const inFlight = leases.filter((lease) => !clock.isAbandoned(lease))
  await db.rows(markStopping, { handles: JSON.stringify(inFlight.map(({ handle }) => handle)) })
  return inFlight.map(({ number }) => number)
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
