import { type Database, rows, type SqlValues, type Work } from './database.ts'
import { storableText } from './sql.ts'

/** Rows to insert. */
export interface InsertOptions {
  /** The table, and the types of its columns by name. */
  table: string
  columns: Readonly<Record<string, 'text' | 'bigint'>>
  /** The end of the statement: what to do with rows that exist. */
  then: string
  /** The name of a column. If it is set, `insertRows()` returns the rows that it inserted with at least this column. */
  returning?: string
}

/** Inserts rows inside a transaction, in their order. */
export function* insertRows<Row>(
  kind: Database['kind'],
  values: readonly object[],
  { table, columns, then, returning }: InsertOptions,
): Work<Row[]> {
  if (values.length === 0) return []
  const names = Object.keys(columns)
  const into = `INSERT INTO %.${table} (${names.join(', ')})`
  if (kind === 'postgres') {
    const types = names.map((name) => `${name} ${columns[name]}`)
    const from = `json_rows(:rows, ${types.join(', ')})`
    const selected = names.map((name) => `row.${name}`).join(', ')
    const end = returning === undefined ? then : `${then} RETURNING ${returning}`
    return yield* rows<Row>(`${into} SELECT ${selected} FROM ${from} WHERE true ${end}`, {
      rows: JSON.stringify(values, plain),
    })
  }
  // Reading JSON takes SQLite longer than binding parameters, RETURNING longer than counting changes, and a statement takes no
  // round trip.
  const sql = `${into} VALUES (${names.map((name) => `:${name}`).join(', ')}) ${then}`
  return (yield { sql, values: {}, each: values as readonly SqlValues[] }) as Row[]
}

function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'string' ? storableText(value) : value
}
