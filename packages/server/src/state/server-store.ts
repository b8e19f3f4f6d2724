import { StoreError } from 'colloquy/conversation/errors'
import type { Database } from './database.ts'
import type { PostgresDatabase } from './postgres-database.ts'
import { migrations } from './migrations.ts'

export type { Database, Query, SqlValue, SqlValues, Work } from './database.ts'

/** The state of servers that survives a restart: keys, the ledger and more. */
export interface ServerStore {
  /** The database, for parts that have tables of their own. */
  readonly database: Database
  /**
   * Runs a statement on the connections to PostgreSQL, so that `postgresStore(store)` needs none of its own. Integers beyond 2^53
   * are read as `bigint`. Undefined for SQLite.
   */
  readonly query?: (sql: string, values?: unknown[]) => Promise<{ rows: unknown[] }>
  /** Closes the database. */
  close(): Promise<void>
}

/** Options of `openServerStore()`. */
export interface ServerStoreOptions {
  /** The schema of the tables in PostgreSQL. Lower-case letters, digits and `_`. Default `colloquy_server`. */
  schema?: string
  /** How long to wait for the lock of another process, in milliseconds. SQLite only. Default 5,000. */
  busyTimeoutMs?: number
  /** The most connections to PostgreSQL. Default 10. */
  maxConnections?: number
}

/**
 * Opens the store of a server: a SQLite file, `:memory:`, or a database of PostgreSQL by its URL (`postgres://…`, needs the
 * package `pg`). Creates the tables, or brings them up to date.
 *
 * Throws a `StoreError` if the database cannot be reached, is locked or damaged, or was written by a newer version.
 *
 * @example
 * ```ts
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const store = await openServerStore('server.db') // or postgres://user:password@host/database
 * await store.close()
 * ```
 */
export async function openServerStore(location: string, options: ServerStoreOptions = {}): Promise<ServerStore> {
  if (isPostgres(location)) {
    const database = await openPostgres(location, options)
    return { database, query: (sql, values) => database.query(sql, values), close: () => database.close() }
  }
  const database = await openSqlite(location, options)
  return { database, close: () => database.close() }
}

function isPostgres(location: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(location)
}

async function openSqlite(path: string, { busyTimeoutMs }: ServerStoreOptions): Promise<Database> {
  if (/^\w+:\/\//.test(path)) {
    const scheme = path.slice(0, path.indexOf(':'))
    throw new StoreError('cannot_open', `Cannot open a database at ${scheme}://: use postgres:// or the path of a file`)
  }
  const { SqliteDatabase } = await import('./sqlite-database.ts')
  return new SqliteDatabase(path, { migrations, ...(busyTimeoutMs !== undefined && { busyTimeoutMs }) })
}

async function openPostgres(
  url: string,
  { schema, maxConnections = 10 }: ServerStoreOptions,
): Promise<PostgresDatabase> {
  const { PostgresDatabase } = await import('./postgres-database.ts')
  const { postgresPool } = await import('./postgres-pool.ts').catch((error: unknown) => {
    throw new StoreError('cannot_open', 'Cannot use PostgreSQL: install the package pg', { cause: error })
  })
  const pool = postgresPool({ connectionString: url, max: maxConnections })
  const database = new PostgresDatabase(pool, {
    migrations,
    name: nameOf(url),
    ...(schema !== undefined && { schema }),
  })
  try {
    await database.rows('open the database', 'SELECT 1')
    return database
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** The host and the database of a URL, without the user and the password. */
function nameOf(url: string): string {
  const parsed = URL.parse(url)
  return parsed ? `${parsed.host}${parsed.pathname}` : 'of the given URL'
}
