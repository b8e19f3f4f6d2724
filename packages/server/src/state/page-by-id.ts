import type { Database, SqlValues } from './database.ts'

/** The part of a list that is asked for. */
export interface Page {
  /** The most rows. */
  limit: number
  /** The page ends before the row with this id. */
  before: string | null
  /** The page begins after the row with this id. */
  after: string | null
}

/** The rows of a list. */
export interface ListedRows {
  doing: string
  /** A table with a column `id`. */
  table: string
  columns: string
  where: string
  values: SqlValues
}

/**
 * Reads a page of a list, newest first, and whether there are more rows in its direction. Ids begin with their time, so a row
 * keeps its place also if it is deleted while the pages are read.
 */
export async function pageById<Row>(
  db: Database,
  { doing, table, columns, where, values }: ListedRows,
  { limit, before, after }: Page,
): Promise<{ data: Row[]; hasMore: boolean }> {
  // PostgreSQL would compare letters by a language.
  const id = db.kind === 'postgres' ? 'id COLLATE "C"' : 'id'
  const [sign, order] = before === null ? ['<', 'DESC'] : ['>', 'ASC']
  const from = before ?? after
  const place = from === null ? '' : `AND ${id} ${sign} :from`
  const found = await db.rows<Row>(
    doing,
    `SELECT ${columns} FROM %.${table} WHERE ${where} ${place} ORDER BY ${id} ${order} LIMIT :most`,
    { ...values, most: limit + 1, ...(from !== null && { from }) },
  )
  const data = found.slice(0, limit)
  return { data: before === null ? data : data.toReversed(), hasMore: found.length > limit }
}
