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
  const [latencies, firstEvents] = [new Map<string, LatencyRow>(), new Map<string, LatencyRow>()]
  for (const row of rows) {
    const { workspace, key_id, served_model: model, source, started_at } = row
    const place = { workspace, key_id, model, source }
    const name = JSON.stringify(place)
    const at = started_at - (started_at % hourMs)
    const hour = hours.get(`${name}${at}`) ?? { hour: at, ...place, ...nothing }
    hours.set(`${name}${at}`, hour)
    addRow(hour, row)
    const day = started_at - (started_at % dayMs)
    const count = (counts: Map<string, LatencyRow>, ms: number): void => {
      const bucket = latencyBucket(ms)
      const counted = counts.get(`${name}${day}-${bucket}`) ?? { day, ...place, bucket, requests: 0 }
      counts.set(`${name}${day}-${bucket}`, counted)
      counted.requests++
    }
    // A refusal takes no time, and would hide how long replies take.
    if (row.attempts > 0) count(latencies, row.ms)
    if (row.ttft_ms !== null) count(firstEvents, row.ttft_ms)
  }
  return { hours: [...hours.values()], latencies: [...latencies.values()], firstEvents: [...firstEvents.values()] }
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

/** The duration in milliseconds below which a share of the requests were. Null without requests. */
export function latencyAt(share: number, buckets: readonly { bucket: number; requests: number }[]): number | null {
  const sorted = buckets.toSorted((a, b) => a.bucket - b.bucket)
  let left = share * sorted.reduce((sum, { requests }) => sum + requests, 0)
  for (const { bucket, requests } of sorted) {
    left -= requests
    if (left <= 0) return Math.round(2 ** (bucket / perDoubling))
  }
  return null
}
