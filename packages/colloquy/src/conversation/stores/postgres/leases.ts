import { type Lease, type LeaseClock } from '../lease.ts'
import type { ReceivedParts, UnfinishedReply } from '../store.ts'
import { type PostgresConnection, statement } from './connection.ts'

interface LeaseRow extends Lease, Omit<UnfinishedReply, 'abandoned' | 'reserved'> {
  heldPicoUsd: string
  heldTokens: string
}

/** The leases of a conversation, with what has arrived of each reply. */
const readLeases = statement(
  'read the conversation',
  `SELECT l.message::float8 AS handle, number, parent, owner, until::float8 AS until,
     held_pico_usd::text AS "heldPicoUsd", held_tokens::text AS "heldTokens",
     coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d WHERE d.message = l.message), '[]') AS journal
   FROM %.lease l JOIN %.message m ON m.id = l.message WHERE l.conversation = :conversation`,
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
  `SELECT l.owner, until::float8 AS until, coalesce((SELECT json_agg(d.json ORDER BY part) FROM %.delta d
     WHERE d.message = l.message AND part >= :from::int), '[]') AS parts
   FROM %.conversation c JOIN %.message m ON m.conversation = c.id AND m.number = :number::int
     JOIN %.lease l ON l.message = m.id
   WHERE public_id = :id`,
)

export async function receivedParts(
  db: PostgresConnection,
  clock: LeaseClock,
  reply: { id: string; number: number; from: number },
): Promise<ReceivedParts | undefined> {
  const row = await db.row<Lease & { parts: string[] }>(readParts, reply)
  return row && { parts: row.parts, abandoned: clock.isAbandoned(row) }
}

const readOwners = statement(
  'stop the reply',
  `SELECT l.message::float8 AS message, number, owner, until::float8 AS until
   FROM %.lease l JOIN %.message m ON m.id = l.message WHERE l.conversation = :conversation`,
)
const markStopping = statement(
  'stop the reply',
  `UPDATE %.lease SET stopping = true
   WHERE message IN (SELECT value::bigint FROM json_array_elements_text(:messages::json))`,
)

/** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
export async function stopReplies(db: PostgresConnection, clock: LeaseClock, conversation: number): Promise<number[]> {
  const leases = await db.rows<Lease & { message: number; number: number }>(readOwners, { conversation })
  const inFlight = leases.filter((lease) => !clock.isAbandoned(lease))
  await db.rows(markStopping, { messages: JSON.stringify(inFlight.map(({ message }) => message)) })
  return inFlight.map(({ number }) => number)
}

const readReservations = statement(
  'read the reservations',
  `SELECT public_id AS id, l.owner, until::float8 AS until
   FROM %.lease l JOIN %.conversation c ON c.id = l.conversation WHERE accounts IS NOT NULL`,
)

/** The ids of conversations with an abandoned reply that has a reservation in an account. */
export async function abandonedReservations(db: PostgresConnection, clock: LeaseClock): Promise<string[]> {
  const leases = await db.rows<Lease & { id: string }>(readReservations, {})
  return [...new Set(leases.filter((lease) => clock.isAbandoned(lease)).map(({ id }) => id))]
}
