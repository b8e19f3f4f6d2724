import { type Database, rows, type Work } from '../state/database.ts'
import { refusedRow, type RequestRow } from './request-row.ts'
import type { SeenInstance } from './signs-of-life.ts'
import { decodeFlight, type Flight, writeRequests } from './write-batch.ts'

/** A server that ended without settling its requests. */
export interface DeadInstance {
  id: string
  /** Its requests in flight. They are charged with their whole reservation, because nothing tells what they cost. */
  flights: Flight[]
}

/**
 * Settles the requests of an instance that has died, and releases what it had reserved. Undefined if it gave a sign of life
 * after all, or another server was faster.
 */
export function* recoverInstance(
  kind: Database['kind'],
  { id: instance, seen_at }: SeenInstance,
): Work<DeadInstance | undefined> {
  const sql = 'DELETE FROM %.instance WHERE id = :instance AND seen_at = :seen_at RETURNING id'
  const [dead] = yield* rows(sql, { instance, seen_at })
  if (dead === undefined) return undefined
  const found = yield* rows<{ json: string }>('DELETE FROM %.in_flight WHERE instance = :instance RETURNING json', {
    instance,
  })
  const flights = found.map(({ json }) => decodeFlight(json))
  const added = new Set(yield* writeRequests(kind, flights.map(lostRow)))
  const held = yield* rows<{ account: string; amount: number | bigint }>(
    'DELETE FROM %.reservation WHERE instance = :instance RETURNING account, amount',
    { instance },
  )
  const lost = flights.filter(({ origin }) => added.has(origin.id))
  for (const { account, amount } of held.toSorted((a, b) => (a.account < b.account ? -1 : 1))) {
    const paid = lost.filter(({ accounts }) => accounts.includes(account))
    const spent = paid.reduce((sum, { reserved }) => sum + reserved, 0n)
    const sql = 'UPDATE %.account SET spent = spent + :spent, reserved = reserved - :amount WHERE name = :account'
    yield* rows(sql, { account, amount, spent })
  }
  return { id: instance, flights: lost }
}

/** The row of a request whose server ended. Its cost is an upper bound. */
function lostRow({ origin, accounts, reserved }: Flight): RequestRow {
  const row = refusedRow(origin, undefined, origin.started_at)
  const cost = accounts.length > 0 ? String(reserved) : null
  return { ...row, cost, estimated: 1, status: 500, error_type: 'server_lost', attempts: 1 }
}
