import type { PoolConfig } from 'pg'
import pg from 'pg'
import type { PostgresPool } from './postgres-database.ts'
import { exactInteger } from './sql.ts'

/** The types of columns that hold integers: `bigint` and the sums of it, which `pg` returns as strings. */
export const integerTypes: readonly number[] = [20, 1700]

/**
 * Milliseconds after which a database that does not answer counts as one that cannot be reached: a machine that is frozen, or behind a
 * broken network, keeps its connections. Longer than any statement takes except migrations.
 */
const queryTimeoutMs = 30_000

/** A pool of connections whose integers are exact. */
export function postgresPool(config: PoolConfig): PostgresPool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: 5_000,
    query_timeout: queryTimeoutMs,
    ...config,
    types: { getTypeParser },
  })
  // A connection that breaks is replaced by the pool, and its statement fails. Without listeners the error would also end the
  // process: of an idle connection on the pool, of one in use on the client.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

const getTypeParser: typeof pg.types.getTypeParser = (type, format) =>
  integerTypes.includes(type) ? parseInteger : pg.types.getTypeParser(type, format)

/** Reads a column of one of `integerTypes`. */
export function parseInteger(text: string): number | bigint | string {
  return /^-?\d+$/.test(text) ? exactInteger(BigInt(text)) : text
}
