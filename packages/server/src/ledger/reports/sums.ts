import type { Database, SqlValues } from '../../state/database.ts'
import { type UsageSums, dayMs, hourMs, partColumns, sumColumns } from '../totals.ts'

/** Sums as a database returns them. */
export type StoredSums = { [Name in keyof UsageSums]: UsageSums[Name] extends bigint ? number | bigint : number }

/** Sums, and the columns by which they are grouped. */
export interface SumRow extends StoredSums {
  hour?: number
  [column: string]: string | number | bigint | undefined
}

/** A condition on the columns of `usage_hour`, and its parameters. */
export interface Condition {
  where: string
  values: SqlValues
}

/** The sums to read. */
export interface SumsQuery extends Condition {
  /** Columns of `usage_hour`, and the columns `user_id` and `conversation` of `request`. */
  columns: readonly string[]
  /** Sums of whole days: `hour` is then noon at this offset from UTC. Undefined: of hours. */
  dayOffsetMs?: number | undefined
}

/** Reads the sums of requests, by columns. */
export function readSums(db: Database, query: SumsQuery): Promise<SumRow[]> {
  const { columns } = query
  if (columns.includes('user_id')) return run(db, requestSums(query), query)
  if (columns.includes('conversation')) return chatSums(db, query)
  return run(db, hourSums(query), query)
}

/**
 * Sums by chat. Most requests of a busy server belong to none, and these are not read: they are the totals without the requests
 * of chats. Requests that are no longer kept count among them.
 */
async function chatSums(db: Database, query: SumsQuery): Promise<SumRow[]> {
  const others = query.columns.filter((column) => column !== 'conversation')
  // First the chats: a request that is recorded meanwhile is in the totals only.
  const chats = await run(db, requestSums(query, `conversation <> ''`), query)
  const totals = await run(db, hourSums({ ...query, columns: others }), query)
  const placeOf = (row: SumRow): string => JSON.stringify(others.map((column) => row[column]))
  const chatsOf = Map.groupBy(chats, placeOf)
  const rest = totals.map((total) => ({ ...without(total, chatsOf.get(placeOf(total)) ?? []), conversation: '' }))
  return [...chats, ...rest.filter(({ requests }) => requests > 0)]
}

/** Single requests do not have their cost by type, so that the rest has none either. */
function without(total: SumRow, parts: readonly SumRow[]): SumRow {
  const rest: SumRow = { ...total }
  for (const part of parts) {
    for (const name of sumColumns) {
      if (isAmount(name)) rest[name] = BigInt(rest[name]) - BigInt(part[name])
      else rest[name] -= part[name]
    }
  }
  for (const name of Object.values(partColumns)) rest[name] = 0
  return rest
}

function run(db: Database, sql: string, { values }: Condition): Promise<SumRow[]> {
  return db.rows<SumRow>('read the usage', sql, values)
}

function hourSums(query: SumsQuery): string {
  const { select, groupBy } = grouping(query)
  const sums = sumColumns.map((name) => `coalesce(sum(${name}), 0) AS ${name}`)
  return `SELECT ${[...select, ...sums].join(', ')} FROM %.usage_hour WHERE ${query.where} ${groupBy}`
}

function grouping({ columns, dayOffsetMs }: SumsQuery): { select: readonly string[]; groupBy: string } {
  if (columns.length === 0) return { select: [], groupBy: '' }
  if (dayOffsetMs === undefined) return { select: columns, groupBy: `GROUP BY ${columns.join(', ')}` }
  // Noon is on the same day even if the offset changes during it.
  const day = `hour - (hour + ${dayOffsetMs}) % ${dayMs} + ${dayMs / 2}`
  return {
    select: columns.map((column) => (column === 'hour' ? `${day} AS hour` : column)),
    groupBy: `GROUP BY ${columns.map((column) => (column === 'hour' ? day : column)).join(', ')}`,
  }
}

/** The same sums from single requests that satisfy a condition on the columns of `request`. */
function requestSums(query: SumsQuery, which = 'true'): string {
  const { select: places, groupBy } = grouping(query)
  const sums = ['input', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output', 'saved'].map(
    (name) => `coalesce(sum(${name}), 0) AS ${name}`,
  )
  const select = [
    ...places,
    ...sums,
    'count(*) AS requests',
    `count(CASE WHEN error_type <> 'aborted' THEN 1 END) AS failed`,
    'count(CASE WHEN estimated = 1 THEN 1 END) AS estimated',
    'count(CASE WHEN cost IS NULL THEN 1 END) AS unpriced',
    'coalesce(sum(cost), 0) AS cost',
    'coalesce(sum(CASE WHEN estimated = 1 THEN cost END), 0) AS estimated_cost',
    ...Object.values(partColumns).map((name) => `0 AS ${name}`),
  ]
  // The period ends with an hour, as that of the totals; the bounds of the time let an index find its rows.
  const from = `SELECT *, started_at - started_at % ${hourMs} AS hour, served_model AS answered_by FROM %.request`
  const renamed = `SELECT hour, workspace, key_id, answered_by AS model, source, user_id, conversation, input,
    cache_write_5m, cache_write_1h, cache_read, output, saved, cost, estimated, error_type FROM (${from}
    WHERE started_at >= :since AND started_at < CAST(:until AS bigint) + ${hourMs} AND ${which}) AS request`
  return `SELECT ${select.join(', ')} FROM (${renamed}) AS request WHERE ${query.where} ${groupBy}`
}

type AmountName = { [Name in keyof UsageSums]: UsageSums[Name] extends bigint ? Name : never }[keyof UsageSums]

export function isAmount(name: keyof UsageSums): name is AmountName {
  return name === 'cost' || name === 'saved' || name.endsWith('_cost')
}
