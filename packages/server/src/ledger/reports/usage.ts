import type { Database, SqlValues } from '../../state/database.ts'
import { type UsageSums, dayMs, hourMs, latenciesAt, sumColumns } from '../totals.ts'
import { offsetParts } from './time-zone.ts'
import { type StoredSums, type SumRow, isAmount, readSums } from './sums.ts'

/** The fields by which usage can be grouped. */
export const groupings = [
  'hour',
  'day',
  'month',
  'model',
  'key',
  'source',
  'workspace',
  'user',
  'chat',
  'type',
] as const
/** A field by which usage can be grouped. `type` splits tokens and cost into input, cache writes, cache reads and output. */
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

/** The usage to report: its period, filters and groups. */
export interface UsageQuery extends UsageFilter {
  /** `type` cannot be combined with `user` or `chat`: single requests do not have their cost by type. */
  by: readonly Grouping[]
  /** The time zone of days and months, such as `Europe/Paris`. Default `UTC`. */
  tz?: string
}

/** Percentiles in milliseconds, exact to 5 %. Null without requests to measure. */
export interface Percentiles {
  p50: number | null
  p95: number | null
  p99: number | null
}

/** A group of requests. */
export interface UsageRow extends UsageSums {
  /** The values of the fields in `by`. */
  group: Partial<Record<Grouping, string>>
  /** Durations of requests of whole days in UTC. Null in groups by hour, user, chat or type. */
  latency: Percentiles
  /** Times to the first event of replies, of the same days. */
  firstEvent: Percentiles
}

/** Usage in a period. */
export interface Usage {
  rows: UsageRow[]
  total: UsageRow
}

/** The columns of `usage_hour` and `request` for the groupings; those by time are made from `hour`. */
const columnOf: Record<Exclude<Grouping, 'type'>, string> = {
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

interface BucketRow {
  day?: number
  bucket: number
  requests: number
  [column: string]: string | number | undefined
}

/**
 * Reads usage from the totals of hours. Users and chats are not in the totals: they are read from the single requests, which
 * takes longer and goes back only as far as those are kept. Throws a `RangeError` if fields cannot be combined.
 *
 * @example
 * ```ts
 * import { readUsage } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const { database, close } = await openServerStore(':memory:')
 * const until = Date.now()
 * const { rows, total } = await readUsage(database, { by: ['key', 'model'], since: until - 86_400_000, until })
 * console.log(rows.length, total.requests) // 0 0
 * await close()
 * ```
 */
export async function readUsage(db: Database, { by: fields, ...query }: UsageQuery): Promise<Usage> {
  const by = fields.filter((each) => each !== 'type')
  const columns = [...new Set(by.map((each) => columnOf[each]))]
  const isDetailed = by.some((each) => each === 'user' || each === 'chat')
  const hasTypes = by.length < fields.length
  if (isDetailed && hasTypes) throw new RangeError('Cannot group by type together with user or chat')
  const sums = await readAllSums(db, { ...query, by }, columns)
  const times = isDetailed ? noTimes : await readTimes(db, query, columns)
  const usage = grouped(sums, times, { ...query, by })
  return hasTypes ? { ...usage, rows: usage.rows.flatMap(rowsByType) } : usage
}

async function readAllSums(db: Database, { by, ...query }: UsageQuery, columns: readonly string[]): Promise<SumRow[]> {
  const { where, values } = conditions(query)
  if (!columns.includes('hour') || by.includes('hour')) return readSums(db, { columns, where, values })
  // The database adds up the hours of a day, which are 24 times as many.
  const sums: SumRow[] = []
  const { tz = 'UTC', until } = query
  for (const { offsetMs, ...part } of offsetParts(tz, { since: Number(values['since']), until })) {
    const rows = await readSums(db, { columns, where, values: { ...values, ...part }, dayOffsetMs: offsetMs })
    for (const row of rows) sums.push(row)
  }
  return sums
}

/**
 * Finds the hour with requests that is nearest to a period: the last one until its end, or the first one after it. Undefined if
 * the filter matches no request at all.
 */
export async function nearestUse(db: Database, filter: UsageFilter): Promise<number | undefined> {
  const { since: _, ...rest } = filter
  const { where, values } = conditions({ ...rest, since: 0 })
  const find = async (hour: string, condition: string): Promise<number | undefined> => {
    const sql = `SELECT ${hour} AS hour FROM %.usage_hour WHERE ${condition}`
    const [found] = await db.rows<{ hour: number | null }>('read the usage', sql, values)
    return found?.hour ?? undefined
  }
  return (await find('max(hour)', where)) ?? find('min(hour)', where.replace('hour < :until', 'hour >= :until'))
}

interface Times {
  latencies: readonly BucketRow[]
  firstEvents: readonly BucketRow[]
}

const noTimes: Times = { latencies: [], firstEvents: [] }

/** Reads the times of the days in UTC that the period touches. */
async function readTimes(db: Database, query: UsageFilter, columns: readonly string[]): Promise<Times> {
  const { where, values } = conditions(query)
  const groupBy = ['bucket', ...columns.map((column) => (column === 'hour' ? 'day' : column))].join(', ')
  const read = (table: string): Promise<BucketRow[]> => {
    const sql = `SELECT ${groupBy}, sum(requests) AS requests FROM %.${table}
      WHERE ${where.replaceAll('hour ', 'day ')} GROUP BY ${groupBy}`
    return db.rows<BucketRow>('read the usage', sql, { ...values, since: query.since - (query.since % dayMs) })
  }
  const [latencies, firstEvents] = await Promise.all([read('latency_day'), read('first_event_day')])
  return { latencies, firstEvents }
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

interface GroupQuery {
  by: readonly Exclude<Grouping, 'type'>[]
  tz?: string
}

function grouped(sums: readonly SumRow[], { latencies, firstEvents }: Times, { by, tz = 'UTC' }: GroupQuery): Usage {
  const timeOf = timeNames(tz)
  const utcTime = timeNames('UTC')
  const groups = new Map<string, UsageRow>()
  for (const sum of sums) {
    const values = by.map((each) => timeOf(each, sum.hour) ?? String(sum[columnOf[each]]))
    const name = JSON.stringify(values)
    const row = groups.get(name) ?? emptyRow(Object.fromEntries(by.map((each, index) => [each, values[index]])))
    groups.set(name, row)
    addSums(row, sum)
  }
  const total = emptyRow({})
  for (const row of groups.values()) addSums(total, row)
  const bucketName = (row: BucketRow): string =>
    JSON.stringify(by.map((each) => utcTime(each, row.day) ?? String(row[columnOf[each]])))
  for (const [field, buckets] of [
    ['latency', latencies],
    ['firstEvent', firstEvents],
  ] as const) {
    total[field] = percentilesOf(buckets)
    // The times of a day do not tell those of its hours.
    if (by.includes('hour')) continue
    for (const [name, found] of Map.groupBy(buckets, bucketName)) {
      const row = groups.get(name)
      if (row) row[field] = percentilesOf(found)
    }
  }
  return { rows: [...groups.values()], total }
}

const noPercentiles: Percentiles = { p50: null, p95: null, p99: null }

function percentilesOf(buckets: readonly BucketRow[]): Percentiles {
  const [p50 = null, p95 = null, p99 = null] = latenciesAt([0.5, 0.95, 0.99], buckets)
  return { p50, p95, p99 }
}

function emptyRow(group: UsageRow['group']): UsageRow {
  const sums = Object.fromEntries(sumColumns.map((name) => [name, isAmount(name) ? 0n : 0]))
  return { group, ...(sums as unknown as UsageSums), latency: noPercentiles, firstEvent: noPercentiles }
}

function addSums(row: UsageRow, sum: StoredSums): void {
  for (const name of sumColumns) {
    if (isAmount(name)) row[name] += BigInt(sum[name])
    else row[name] += sum[name]
  }
}

/** The types of tokens, and the calls of server tools, which have a cost but no tokens. */
const types = ['input', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output', 'server_tools'] as const

/** A row for each type that was used. `unknown` has the cost of requests that an earlier version recorded. */
function rowsByType(row: UsageRow): UsageRow[] {
  const costs = types.map((type) => row[`${type}_cost`])
  const rest = row.cost - costs.reduce((sum, cost) => sum + cost, 0n)
  const rows = types.map((type, index) => {
    const cost = costs[index]!
    const tokens = type === 'server_tools' ? {} : { [type]: row[type] }
    return { ...typeRow(row, type), ...tokens, cost, [`${type}_cost`]: cost }
  })
  const used = rows.filter((each) => each.cost !== 0n || tokensOf(each) > 0)
  return rest === 0n ? used : [...used, { ...typeRow(row, 'unknown'), cost: rest }]
}

/** Every row of a group has all of its requests: a request has tokens of several types. */
function typeRow({ group, requests, unpriced }: UsageRow, type: string): UsageRow {
  return { ...emptyRow({ ...group, type }), requests, unpriced }
}

function tokensOf(row: UsageRow): number {
  return row.input + row.cache_write_5m + row.cache_write_1h + row.cache_read + row.output
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
