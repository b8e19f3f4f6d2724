import { type Lease, type LeaseClock } from '../lease.ts'
import type { UnfinishedReply } from '../store.ts'
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
