import type { CostParts } from 'colloquy/protocol'
import type { PricedRow } from './request-row.ts'

/** The sums of requests. Amounts are picodollars. */
export interface UsageSums {
  requests: number
  /** Requests that ended with an error other than an abort by the client. */
  failed: number
  /** Requests whose usage was not reported to the end, and their part of the cost. */
  estimated: number
  estimated_cost: bigint
  /** Requests without a known price. */
  unpriced: number
  input: number
  cache_write_5m: number
  cache_write_1h: number
  cache_read: number
  output: number
  cost: bigint
  /** By the prompt cache. */
  saved: bigint
  /** The parts of `cost` by type. Their sum is less than `cost` if an earlier version recorded some of the requests. */
  input_cost: bigint
  cache_write_5m_cost: bigint
  cache_write_1h_cost: bigint
  cache_read_cost: bigint
  output_cost: bigint
  server_tools_cost: bigint
}

/** The sums of an hour for one key, model and source, with the columns of `usage_hour`. */
export interface HourRow extends UsageSums {
  hour: number
  workspace: string
  key_id: string
  model: string
  source: string
}

/** The number of requests of a day in a range of times, with the columns of `latency_day` and `first_event_day`. */
export interface LatencyRow extends Pick<HourRow, 'workspace' | 'key_id' | 'model' | 'source' | 'requests'> {
  /** The first millisecond of the day in UTC. */
  day: number
  bucket: number
}

export const hourMs = 3_600_000
export const dayMs: number = 24 * hourMs

type PartColumn = Extract<keyof HourRow, `${string}_cost`>

/** The sums of requests. */
export interface Totals {
  hours: HourRow[]
  /** The durations of requests that an engine was asked for. */
  latencies: LatencyRow[]
  /** The times to the first event. */
  firstEvents: LatencyRow[]
}

/** Adds up rows by hour, and their times by day. */
export function totalsOf(rows: readonly PricedRow[]): Totals {
  const hours = new Map<string, HourRow>()
  const [latencies, firstEvents] = [new Map<string, LatencyCounts>(), new Map<string, LatencyCounts>()]
  let last: { row: PricedRow; hour: HourRow; latencies: LatencyCounts; firstEvents: LatencyCounts } | undefined
  for (const row of rows) {
    if (!last || !isSamePlace(last.row, row)) {
      const { workspace, key_id, served_model: model, source, started_at } = row
      const place = { workspace, key_id, model, source }
      const name = JSON.stringify(place)
      const at = started_at - (started_at % hourMs)
      const day = started_at - (started_at % dayMs)
      last = {
        row,
        hour: found(hours, `${name}${at}`, () => ({ hour: at, ...place, ...nothing })),
        latencies: found(latencies, `${name}${day}`, () => new LatencyCounts({ day, ...place })),
        firstEvents: found(firstEvents, `${name}${day}`, () => new LatencyCounts({ day, ...place })),
      }
    }
    addRow(last.hour, row)
    // A refusal takes no time, and would hide how long replies take.
    if (row.attempts > 0) last.latencies.add(row.ms)
    if (row.ttft_ms !== null) last.firstEvents.add(row.ttft_ms)
  }
  const rowsOf = (counts: typeof latencies): LatencyRow[] => [...counts.values()].flatMap((each) => each.rows())
  return { hours: [...hours.values()], latencies: rowsOf(latencies), firstEvents: rowsOf(firstEvents) }
}

/** Whether two requests are counted together. Most of those that end at the same time are. */
function isSamePlace(one: PricedRow, other: PricedRow): boolean {
  return (
    one.key_id === other.key_id &&
    one.served_model === other.served_model &&
    one.workspace === other.workspace &&
    one.source === other.source &&
    Math.floor(one.started_at / hourMs) === Math.floor(other.started_at / hourMs)
  )
}

function found<Value>(map: Map<string, Value>, name: string, make: () => Value): Value {
  const value = map.get(name) ?? make()
  map.set(name, value)
  return value
}

/** The requests of one place and day by their time. */
class LatencyCounts {
  readonly #place: Omit<LatencyRow, 'bucket' | 'requests'>
  readonly #counts = new Map<number, number>()

  constructor(place: Omit<LatencyRow, 'bucket' | 'requests'>) {
    this.#place = place
  }

  add(ms: number): void {
    const bucket = latencyBucket(ms)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
  }

  rows(): LatencyRow[] {
    return Array.from(this.#counts, ([bucket, requests]) => ({ ...this.#place, bucket, requests }))
  }
}

const nothing = {
  requests: 0,
  failed: 0,
  estimated: 0,
  unpriced: 0,
  input: 0,
  cache_write_5m: 0,
  cache_write_1h: 0,
  cache_read: 0,
  output: 0,
  cost: 0n,
  saved: 0n,
  estimated_cost: 0n,
  input_cost: 0n,
  cache_write_5m_cost: 0n,
  cache_write_1h_cost: 0n,
  cache_read_cost: 0n,
  output_cost: 0n,
  server_tools_cost: 0n,
}

/** The columns of `usage_hour` that are added up. */
export const sumColumns = Object.keys(nothing) as (keyof typeof nothing)[]

/** The columns of the parts of a cost. */
export const partColumns: Record<keyof CostParts, PartColumn> = {
  input: 'input_cost',
  cacheWrite5m: 'cache_write_5m_cost',
  cacheWrite1h: 'cache_write_1h_cost',
  cacheRead: 'cache_read_cost',
  output: 'output_cost',
  serverTools: 'server_tools_cost',
}
const parts = Object.entries(partColumns) as [keyof CostParts, PartColumn][]

function addRow(hour: HourRow, row: PricedRow): void {
  const cost = BigInt(row.cost ?? 0)
  hour.requests++
  if (row.error_type !== null && row.error_type !== 'aborted') hour.failed++
  if (row.cost === null) hour.unpriced++
  hour.input += row.input
  hour.cache_write_5m += row.cache_write_5m
  hour.cache_write_1h += row.cache_write_1h
  hour.cache_read += row.cache_read
  hour.output += row.output
  hour.cost += cost
  hour.saved += BigInt(row.saved)
  if (row.parts) for (const [part, column] of parts) hour[column] += row.parts[part]
  if (row.estimated === 0) return
  hour.estimated++
  hour.estimated_cost += cost
}

// Eight buckets for each doubling: each is 9 % wide.
const perDoubling = 8

function latencyBucket(ms: number): number {
  return Math.round(Math.log2(Math.max(ms, 1)) * perDoubling)
}

/** The durations in milliseconds below which the shares of the requests were, which ascend. None without requests. */
export function latenciesAt(
  shares: readonly number[],
  buckets: readonly { bucket: number; requests: number }[],
): number[] {
  const sorted = buckets.toSorted((a, b) => a.bucket - b.bucket)
  const all = sorted.reduce((sum, { requests }) => sum + requests, 0)
  const found: number[] = []
  let below = 0
  for (const { bucket, requests } of sorted) {
    below += requests
    while (found.length < shares.length && below >= shares[found.length]! * all)
      found.push(Math.round(2 ** (bucket / perDoubling)))
  }
  return found
}
