/** A value of a parameter or a column. Integers beyond 2^53 are read as `bigint`. */
export type SqlValue = string | number | bigint | null
/** The parameters of a statement by name. */
export type SqlValues = Readonly<Record<string, SqlValue>>

/**
 * A statement. The SQL is the subset that SQLite and PostgreSQL share, with three additions:
 *
 * - `:name` is a parameter. Write `CAST(:name AS bigint)` if its type does not follow from its place.
 * - `%.table` is a table of the server.
 * - `json_rows(:name, id text, at bigint)` in a FROM clause is a table named `row`. The parameter is a JSON array of objects;
 *   write integers beyond 2^53 as strings.
 */
export interface Query {
  sql: string
  values: SqlValues
  /** Runs the statement once for each of these instead of `values`, and returns those that changed a row. SQLite only. */
  each?: readonly SqlValues[]
}

/** Steps of a transaction: a generator that yields statements and receives their rows. It may run several times. */
export type Work<T> = Generator<Query, T, unknown[]>

/** A database that keeps the state of servers. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  /** The file, or the host and name of the database. Contains no password. */
  readonly name: string
  /**
   * Runs one statement and returns its rows. Throws a `StoreError` if it fails.
   *
   * @param doing the end of the error message "Cannot …".
   */
  rows<Row>(doing: string, sql: string, values?: SqlValues): Promise<Row[]>
  /** Runs a transaction: all of its statements take effect, or none. Throws a `StoreError` if it fails. */
  transaction<T>(doing: string, work: () => Work<T>): Promise<T>
  /** Closes the database. No other method may be called afterwards. */
  close(): Promise<void>
}

/** Runs a statement inside a transaction: `const [row] = yield* rows<Key>('SELECT …', { id })`. */
export function* rows<Row>(sql: string, values: SqlValues = {}): Work<Row[]> {
  return (yield { sql, values }) as Row[]
}
