import { type Database, rows, type Work } from '../state/database.ts'
import { insertRows, type InsertOptions } from '../state/insert.ts'
import type { PlannedAmount } from './accounts.ts'
import type { PricedRow, RequestOrigin, RequestRow } from './request-row.ts'
import { sumColumns, totalsOf } from './totals.ts'

/** A request in flight, as the database keeps it until it is settled. */
export interface Flight {
  origin: RequestOrigin
  /** The names of its accounts, and the most that it may cost. */
  accounts: readonly string[]
  reserved: bigint
}

/** A request that has ended, with the accounts that pay for it. */
export interface SettledRow {
  row: PricedRow
  accounts: readonly string[]
  /** The cost that is charged; null prices count as what was reserved. */
  charged: bigint
}

/** The changes of one instance, which are written together. */
export interface Batch {
  instance: string
  now: number
  settled: readonly SettledRow[]
  /** Requests that have ended and cannot be stored. Only their accounts are charged. */
  unstored?: readonly SettledRow[]
  /** Requests that began and have not ended. */
  begun: readonly Flight[]
  /** The ids of earlier `begun` that have ended. */
  ended: readonly string[]
  /** The amounts to keep reserved. */
  plan: readonly PlannedAmount[]
}

const requestColumns = {
  id: 'text',
  started_at: 'bigint',
  workspace: 'text',
  key_id: 'text',
  user_id: 'text',
  conversation: 'text',
  source: 'text',
  path: 'text',
  engine: 'text',
  model: 'text',
  served_model: 'text',
  input: 'bigint',
  cache_write_5m: 'bigint',
  cache_write_1h: 'bigint',
  cache_read: 'bigint',
  output: 'bigint',
  usage: 'text',
  cost: 'bigint',
  saved: 'bigint',
  price: 'text',
  estimated: 'bigint',
  status: 'bigint',
  error_type: 'text',
  stop_reason: 'text',
  ttft_ms: 'bigint',
  ms: 'bigint',
  request_bytes: 'bigint',
  response_bytes: 'bigint',
  attempts: 'bigint',
} as const satisfies Record<keyof RequestRow, 'text' | 'bigint'>

const placeColumns = { workspace: 'text', key_id: 'text', model: 'text', source: 'text' } as const
const added = sumColumns.map((name) => `${name} = usage_hour.${name} + excluded.${name}`).join(', ')

const intoRequests: InsertOptions = {
  table: 'request',
  columns: requestColumns,
  then: 'ON CONFLICT (id, started_at) DO NOTHING',
  returning: 'id',
}
const intoHours: InsertOptions = {
  table: 'usage_hour',
  columns: {
    hour: 'bigint',
    ...placeColumns,
    ...Object.fromEntries(sumColumns.map((name) => [name, 'bigint' as const])),
  },
  then: `ON CONFLICT (hour, ${Object.keys(placeColumns).join(', ')}) DO UPDATE SET ${added}`,
}
const intoLatencies = countedInto('latency_day')
const intoFirstEvents = countedInto('first_event_day')
const intoFlights: InsertOptions = {
  table: 'in_flight',
  columns: { instance: 'text', id: 'text', json: 'text' },
  then: 'ON CONFLICT (instance, id) DO NOTHING',
}
const intoAccounts: InsertOptions = {
  table: 'account',
  columns: { name: 'text', spent: 'bigint', reserved: 'bigint', until: 'bigint' },
  then: `ON CONFLICT (name) DO UPDATE SET spent = account.spent + excluded.spent,
    reserved = account.reserved + excluded.reserved`,
}
const intoReservations: InsertOptions = {
  table: 'reservation',
  columns: { instance: 'text', account: 'text', amount: 'bigint' },
  then: 'ON CONFLICT (instance, account) DO UPDATE SET amount = excluded.amount',
}

function countedInto(table: string): InsertOptions {
  return {
    table,
    columns: { day: 'bigint', ...placeColumns, bucket: 'bigint', requests: 'bigint' },
    then: `ON CONFLICT (day, ${Object.keys(placeColumns).join(', ')}, bucket)
      DO UPDATE SET requests = ${table}.requests + excluded.requests`,
  }
}

/**
 * Writes the changes of an instance. It may be repeated, after a connection that broke while it was committed: a request that
 * is in the ledger is not counted again.
 */
export function* writeBatch(kind: Database['kind'], batch: Batch): Work<void> {
  const { instance, now, settled, unstored = [], begun, ended } = batch
  // Locks the row first: another instance that takes this one for dead has to wait, and then finds that it is not.
  yield* rows(
    'INSERT INTO %.instance (id, seen_at) VALUES (:instance, :now) ON CONFLICT (id) DO UPDATE SET seen_at = :now',
    { instance, now },
  )
  const isNew = new Set(
    yield* writeRequests(
      kind,
      settled.map(({ row }) => row),
    ),
  )
  const counted = settled.filter(({ row }) => isNew.has(row.id))
  yield* writeAccounts(kind, batch, [...counted, ...unstored])
  if (ended.length > 0) {
    const sql = `DELETE FROM %.in_flight WHERE instance = :instance
      AND id IN (SELECT row.id FROM json_rows(:ended, id text))`
    yield* rows(sql, { instance, ended: JSON.stringify(ended.map((id) => ({ id }))) })
  }
  const flights = begun.map((flight) => ({ instance, id: flight.origin.id, json: encodeFlight(flight) }))
  yield* insertRows(kind, flights, intoFlights)
}

/** Adds requests to the ledger and to its totals. Returns the ids of those that were not in the ledger. */
export function* writeRequests(kind: Database['kind'], requests: readonly PricedRow[]): Work<string[]> {
  if (requests.length === 0) return []
  const inserted = yield* insertRows<{ id: string }>(kind, requests, intoRequests)
  const isNew = new Set(inserted.map(({ id }) => id))
  const { hours, latencies, firstEvents } = totalsOf(requests.filter(({ id }) => isNew.has(id)))
  // Sorted, so that two transactions never wait for each other.
  yield* insertRows(kind, hours.toSorted(byPlace), intoHours)
  yield* insertRows(kind, latencies.toSorted(byPlace), intoLatencies)
  yield* insertRows(kind, firstEvents.toSorted(byPlace), intoFirstEvents)
  yield* markUsed(requests)
  return [...isNew]
}

function byPlace(one: object, other: object): number {
  const [a, b] = [JSON.stringify(one, plain), JSON.stringify(other, plain)]
  return a < b ? -1 : Number(a > b)
}

function plain(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** Keeps the last use of keys, exact to a minute: a row that changes with every batch would be a hot spot. */
function* markUsed(requests: readonly RequestRow[]): Work<void> {
  const last = new Map<string, number>()
  for (const { key_id, started_at } of requests) last.set(key_id, Math.max(started_at, last.get(key_id) ?? 0))
  last.delete('')
  for (const [id, at] of [...last].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const sql = `UPDATE %.access_key SET last_used_at = :at
      WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :before)`
    yield* rows(sql, { id, at, before: at - 60_000 })
  }
}

/** Charges the accounts of requests, and changes what the instance keeps reserved. */
function* writeAccounts(kind: Database['kind'], batch: Batch, counted: readonly SettledRow[]): Work<void> {
  const { instance, plan } = batch
  const spent = new Map<string, bigint>()
  for (const { accounts, charged } of counted) {
    for (const name of accounts) spent.set(name, (spent.get(name) ?? 0n) + charged)
  }
  if (plan.length === 0 && spent.size === 0) return
  const found = yield* rows<{ account: string; amount: number | bigint }>(
    'SELECT account, amount FROM %.reservation WHERE instance = :instance',
    { instance },
  )
  const before = new Map(found.map(({ account, amount }) => [account, BigInt(amount)]))
  const changes = plan.map(({ name, until, kept }) => {
    return { name, until, spent: spent.get(name) ?? 0n, reserved: kept - (before.get(name) ?? 0n) }
  })
  yield* insertRows(
    kind,
    changes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    intoAccounts,
  )
  const kept = plan.map(({ name, kept: amount }) => ({ instance, account: name, amount }))
  yield* insertRows(
    kind,
    kept.filter(({ amount }) => amount !== 0n),
    intoReservations,
  )
  for (const { account } of kept.filter(({ amount }) => amount === 0n)) {
    yield* rows('DELETE FROM %.reservation WHERE instance = :instance AND account = :account', { instance, account })
  }
}

function encodeFlight({ origin, accounts, reserved }: Flight): string {
  return JSON.stringify({ origin, accounts, reserved: String(reserved) })
}

/** The inverse of what `writeBatch` stores of a request in flight. */
export function decodeFlight(json: string): Flight {
  const { origin, accounts, reserved } = JSON.parse(json) as Omit<Flight, 'reserved'> & { reserved: string }
  // Earlier versions did not write the path.
  return { origin: { ...origin, path: origin.path ?? '/v1/messages' }, accounts, reserved: BigInt(reserved) }
}
