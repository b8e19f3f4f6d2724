import type { Database, SqlValues } from '../../state/database.ts'
import { type UsageSums, hourMs, partColumns, sumColumns } from '../totals.ts'

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

/** Reads the sums of requests by columns of `usage_hour`, and by the columns `user_id` and `conversation` of `request`. */
export function readSums(db: Database, columns: readonly string[], condition: Condition): Promise<SumRow[]> {
  if (columns.includes('user_id')) return run(db, requestSums(columns, condition.where), condition)
  if (columns.includes('conversation')) return chatSums(db, columns, condition)
  return run(db, hourSums(columns, condition.where), condition)
}

/**
 * Sums by chat. Most requests of a busy server belong to none, and these are not read: they are the totals without the requests
 * of chats. Requests that are no longer kept count among them.
 */
async function chatSums(db: Database, columns: readonly string[], condition: Condition): Promise<SumRow[]> {
  const others = columns.filter((column) => column !== 'conversation')
  // First the chats: a request that is recorded meanwhile is in the totals only.
  const chats = await run(db, requestSums(columns, condition.where, `conversation <> ''`), condition)
  const totals = await run(db, hourSums(others, condition.where), condition)
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

function hourSums(columns: readonly string[], where: string): string {
  const sums = sumColumns.map((name) => `coalesce(sum(${name}), 0) AS ${name}`)
  const groupBy = columns.length === 0 ? '' : `GROUP BY ${columns.join(', ')}`
  return `SELECT ${[...columns, ...sums].join(', ')} FROM %.usage_hour WHERE ${where} ${groupBy}`
}

/** The same sums from single requests that satisfy a condition on the columns of `request`. */
function requestSums(columns: readonly string[], where: string, which = 'true'): string {
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
    ...Object.values(partColumns).map((name) => `0 AS ${name}`),
  ]
  // The period ends with an hour, as that of the totals; the bounds of the time let an index find its rows.
  const from = `SELECT *, started_at - started_at % ${hourMs} AS hour, served_model AS answered_by FROM %.request`
  const renamed = `SELECT hour, workspace, key_id, answered_by AS model, source, user_id, conversation, input,
    cache_write_5m, cache_write_1h, cache_read, output, saved, cost, estimated, error_type FROM (${from}
    WHERE started_at >= :since AND started_at < CAST(:until AS bigint) + ${hourMs} AND ${which}) AS request`
  return `SELECT ${select.join(', ')} FROM (${renamed}) AS request WHERE ${where} GROUP BY ${columns.join(', ')}`
}

type AmountName = { [Name in keyof UsageSums]: UsageSums[Name] extends bigint ? Name : never }[keyof UsageSums]

export function isAmount(name: keyof UsageSums): name is AmountName {
  return name === 'cost' || name === 'saved' || name.endsWith('_cost')
}
