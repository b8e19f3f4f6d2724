import type { Database, SqlValues } from '../../state/database.ts'
import { dayMs, hourMs, latencyAt, sumColumns } from '../totals.ts'

/** The fields by which usage can be grouped. */
export const groupings = ['hour', 'day', 'month', 'model', 'key', 'source', 'workspace', 'user', 'chat'] as const
/** A field by which usage can be grouped. */
export type Grouping = (typeof groupings)[number]

/** The requests to count. Absent fields match all. */
export interface UsageFilter {
  /** The first millisecond, and the first after the end. Rounded to hours. */
  since: number
  until: number
  workspace?: string
  /** The id of a key; empty for requests without one. */
  key?: string
  /** The model that replied. */
  model?: string
  source?: string
}

/** Usage to read. */
export interface UsageQuery extends UsageFilter {
  /** At most two fields. */
  by: readonly Grouping[]
  /** The time zone of days and months, such as `Europe/Paris`. Default `UTC`. */
  tz?: string
}

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
}

/** A group of requests. */
export interface UsageRow extends UsageSums {
  /** The values of the fields in `by`. */
  group: Partial<Record<Grouping, string>>
  /** Milliseconds, of whole days in UTC; null without requests, and in groups by hour, user or chat. */
  p50_ms: number | null
  p95_ms: number | null
}

/** Usage in a period. */
export interface Usage {
  rows: UsageRow[]
  total: UsageRow
}

/** The columns of `usage_hour` and `request` for the groupings; those by time are made from `hour`. */
const columnOf: Record<Grouping, string> = {
  hour: 'hour',
  day: 'hour',
  month: 'hour',
  model: 'model',
  key: 'key_id',
  source: 'source',
  workspace: 'workspace',
  user: 'user_id',
  chat: 'conversation',
}

/** Sums as a database returns them. */
type StoredSums = { [Name in keyof UsageSums]: UsageSums[Name] extends bigint ? number | bigint : number }

interface SumRow extends StoredSums {
  hour?: number
  [column: string]: string | number | bigint | undefined
}

interface BucketRow {
  day?: number
  bucket: number
  requests: number
  [column: string]: string | number | undefined
}

/**
 * Reads usage from the totals of hours. Groups by user or chat are not in the totals: they are read from the single requests,
 * which takes longer and goes back only as far as those are kept.
 */
export async function readUsage(db: Database, query: UsageQuery): Promise<Usage> {
  const columns = [...new Set(query.by.map((by) => columnOf[by]))]
  const { where, values } = conditions(query)
  const isDetailed = query.by.some((by) => by === 'user' || by === 'chat')
  const sums = await db.rows<SumRow>(
    'read the usage',
    isDetailed ? requestSums(columns, where) : hourSums(columns, where),
    values,
  )
  return grouped(sums, isDetailed ? [] : await readLatencies(db, query, columns), query)
}

/** Reads the latencies of the days in UTC that the period touches. */
function readLatencies(db: Database, query: UsageQuery, columns: readonly string[]): Promise<BucketRow[]> {
  const { where, values } = conditions(query)
  const groupBy = ['bucket', ...columns.map((column) => (column === 'hour' ? 'day' : column))].join(', ')
  const sql = `SELECT ${groupBy}, sum(requests) AS requests FROM %.latency_day
    WHERE ${where.replaceAll('hour ', 'day ')} GROUP BY ${groupBy}`
  return db.rows<BucketRow>('read the usage', sql, { ...values, since: query.since - (query.since % dayMs) })
}

function hourSums(columns: readonly string[], where: string): string {
  const sums = sumColumns.map((name) => `coalesce(sum(${name}), 0) AS ${name}`)
  const groupBy = columns.length === 0 ? '' : `GROUP BY ${columns.join(', ')}`
  return `SELECT ${[...columns, ...sums].join(', ')} FROM %.usage_hour WHERE ${where} ${groupBy}`
}

/** The same sums from single requests. */
function requestSums(columns: readonly string[], where: string): string {
  const sums = ['input', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output', 'saved'].map(
    (name) => `coalesce(sum(${name}), 0) AS ${name}`,
  )
  const select = [
    ...columns,
    ...sums,
    'count(*) AS requests',
    `count(CASE WHEN error_type <> 'aborted' THEN 1 END) AS failed`,
    'count(CASE WHEN estimated = 1 THEN 1 END) AS estimated',
    'count(CASE WHEN cost IS NULL THEN 1 END) AS unpriced',
    'coalesce(sum(cost), 0) AS cost',
    'coalesce(sum(CASE WHEN estimated = 1 THEN cost END), 0) AS estimated_cost',
  ]
  const from = `SELECT *, started_at - started_at % ${hourMs} AS hour, served_model AS answered_by FROM %.request`
  const renamed = `SELECT hour, workspace, key_id, answered_by AS model, source, user_id, conversation, input,
    cache_write_5m, cache_write_1h, cache_read, output, saved, cost, estimated, error_type FROM (${from}
    WHERE started_at >= :since AND started_at < :until) AS request`
  return `SELECT ${select.join(', ')} FROM (${renamed}) AS request WHERE ${where} GROUP BY ${columns.join(', ')}`
}

function conditions({ since, until, workspace, key, model, source }: UsageFilter): {
  where: string
  values: SqlValues
} {
  const filters = { workspace, key_id: key, model, source }
  const given = Object.entries(filters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    where: ['hour >= :since', 'hour < :until', ...given.map(([name]) => `${name} = :${name}`)].join(' AND '),
    values: { since: since - (since % hourMs), until, ...Object.fromEntries(given) },
  }
}

function grouped(sums: readonly SumRow[], latencies: readonly BucketRow[], { by, tz = 'UTC' }: UsageQuery): Usage {
  const timeOf = timeNames(tz)
  const groupOf = (row: SumRow): UsageRow['group'] =>
    Object.fromEntries(by.map((each) => [each, timeOf(each, row.hour) ?? String(row[columnOf[each]])]))
  const utcTime = timeNames('UTC')
  const bucketGroup = (row: BucketRow): UsageRow['group'] =>
    Object.fromEntries(by.map((each) => [each, utcTime(each, row.day) ?? String(row[columnOf[each]])]))
  const groups = new Map<string, { row: UsageRow; buckets: BucketRow[] }>()
  const total = { row: emptyRow({}), buckets: [...latencies] }
  for (const sum of sums) {
    const group = groupOf(sum)
    const name = JSON.stringify(group)
    const found = groups.get(name) ?? { row: emptyRow(group), buckets: [] }
    groups.set(name, found)
    for (const { row } of [found, total]) addSums(row, sum)
  }
  // The latencies of a day do not tell those of its hours.
  const grouped = by.includes('hour') ? [] : latencies
  for (const bucket of grouped) groups.get(JSON.stringify(bucketGroup(bucket)))?.buckets.push(bucket)
  for (const { row, buckets } of [...groups.values(), total]) {
    row.p50_ms = latencyAt(0.5, buckets)
    row.p95_ms = latencyAt(0.95, buckets)
  }
  return { rows: [...groups.values()].map(({ row }) => row), total: total.row }
}

function emptyRow(group: UsageRow['group']): UsageRow {
  const none = { requests: 0, failed: 0, estimated: 0, unpriced: 0, input: 0, cache_write_5m: 0, cache_write_1h: 0 }
  return {
    group,
    ...none,
    cache_read: 0,
    output: 0,
    cost: 0n,
    saved: 0n,
    estimated_cost: 0n,
    p50_ms: null,
    p95_ms: null,
  }
}

function addSums(row: UsageRow, sum: StoredSums): void {
  for (const name of sumColumns) {
    if (name === 'cost' || name === 'saved' || name === 'estimated_cost') row[name] += BigInt(sum[name])
    else row[name] += sum[name]
  }
}

/** Names the hour, day or month of a time in a zone, each hour once. Undefined for other groupings. */
function timeNames(tz: string): (by: Grouping, hour: number | undefined) => string | undefined {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: tz,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  const known = new Map<number, string>()
  const lengths: Partial<Record<Grouping, number>> = { hour: 13, day: 10, month: 7 }
  return (by, hour) => {
    const length = lengths[by]
    if (length === undefined || hour === undefined) return undefined
    if (!known.has(hour)) known.set(hour, format.format(hour))
    return known.get(hour)!.slice(0, length)
  }
}
