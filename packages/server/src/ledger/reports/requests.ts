import type { Database, SqlValue } from '../../state/database.ts'
import type { RequestRow } from '../request-row.ts'

/** Requests to list. Absent fields match all. */
export interface RequestsQuery {
  /** Default 20. */
  limit?: number
  /** The cursor of the last request on the previous page. */
  before?: string
  since?: number
  until?: number
  workspace?: string
  key?: string
  user?: string
  conversation?: string
  /** The model that replied. */
  model?: string
  source?: string
  /** `failed` requests ended with an error other than an abort by the client. */
  outcome?: 'ok' | 'failed' | 'aborted'
}

const outcomes = {
  ok: 'error_type IS NULL',
  failed: "error_type IS NOT NULL AND error_type <> 'aborted'",
  aborted: "error_type = 'aborted'",
}

/**
 * Lists requests, the newest first.
 *
 * @example
 * ```ts
 * import { listRequests } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const { database, close } = await openServerStore(':memory:')
 * const requests = await listRequests(database, { limit: 20 })
 * console.log(requests.length) // 0
 * await close()
 * ```
 */
export async function listRequests(db: Database, query: RequestsQuery): Promise<RequestRow[]> {
  const { limit = 20, before, since, until, outcome } = query
  const values: Record<string, SqlValue> = { limit }
  const where: string[] = []
  const add = (condition: string, name: string, value: SqlValue | undefined): void => {
    if (value === undefined) return
    where.push(condition)
    values[name] = value
  }
  add('started_at >= :since', 'since', since)
  add('started_at < :until', 'until', until)
  add('workspace = :workspace', 'workspace', query.workspace)
  add('key_id = :key', 'key', query.key)
  add('user_id = :user', 'user', query.user)
  add('conversation = :conversation', 'conversation', query.conversation)
  add('served_model = :model', 'model', query.model)
  add('source = :source', 'source', query.source)
  if (outcome !== undefined) where.push(outcomes[outcome])
  if (before !== undefined) {
    const { at, id } = readCursor(before)
    where.push('started_at <= :at AND (started_at < :at OR id < :id)')
    Object.assign(values, { at, id })
  }
  const conditions = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  const sql = `SELECT * FROM %.request ${conditions} ORDER BY started_at DESC, id DESC LIMIT :limit`
  return (await db.rows<StoredRow>('list the requests', sql, values)).map(readRow)
}

/** Reads one request. */
export async function findRequest(db: Database, id: string): Promise<RequestRow | undefined> {
  const [row] = await db.rows<StoredRow>('read the request', 'SELECT * FROM %.request WHERE id = :id', { id })
  return row && readRow(row)
}

/** Names the place of a request in the list. */
export function cursorOf({ started_at, id }: RequestRow): string {
  return `${started_at}_${id}`
}

/** The inverse of `cursorOf`. Throws a `RangeError` if it is not one. */
function readCursor(cursor: string): { at: number; id: string } {
  const [, at, id] = /^(\d{1,15})_(\w{1,100})$/.exec(cursor) ?? []
  if (at === undefined || id === undefined) throw new RangeError(`Cannot continue the list: ${cursor} is not a cursor`)
  return { at: Number(at), id }
}

/** A row as a database returns it. */
interface StoredRow extends Omit<RequestRow, 'cost' | 'saved'> {
  cost: number | bigint | null
  saved: number | bigint
}

/** Amounts as strings, as rows are written. */
function readRow(row: StoredRow): RequestRow {
  return { ...row, cost: row.cost === null ? null : String(row.cost), saved: String(row.saved) }
}
