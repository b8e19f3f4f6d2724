import type { Socket } from 'node:net'
import type { PoolConfig } from 'pg'
import pg from 'pg'
import type { PostgresPool } from './postgres-database.ts'
import { exactInteger } from './sql.ts'

/** The types of columns that hold integers: `bigint` and the sums of it, which `pg` returns as strings. */
export const integerTypes: readonly number[] = [20, 1700]

/**
 * Milliseconds after which a database that does not answer counts as one that cannot be reached: a machine that is frozen, or
 * behind a broken network, keeps its connections. Longer than any statement takes except migrations, and short enough for a
 * server to stop within a minute.
 */
const queryTimeoutMs = 20_000

/** Milliseconds that a connection may take to close. */
const endMs = 2_000

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
  const open = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    open.add(client)
    client.on('error', () => {})
    client.on('end', () => open.delete(client))
  })
  return { connect: () => pool.connect(), end: () => endPool(pool, open) }
}

/** Closes the connections: at once those of a database that hangs, as it does not answer the request to close. */
async function endPool(pool: pg.Pool, open: ReadonlySet<pg.PoolClient>): Promise<void> {
  const timer = setTimeout(() => {
    for (const client of open) socketOf(client).destroy()
  }, endMs)
  try {
    await pool.end()
    // It does not wait for connections that were given back with an error.
    await Promise.all([...open].map((client) => new Promise((resolve) => client.once('end', resolve))))
  } finally {
    clearTimeout(timer)
  }
}

function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream
}

const getTypeParser: typeof pg.types.getTypeParser = (type, format) =>
  integerTypes.includes(type) ? parseInteger : pg.types.getTypeParser(type, format)

/** Reads a column of one of `integerTypes`. */
export function parseInteger(text: string): number | bigint | string {
  return /^-?\d+$/.test(text) ? exactInteger(BigInt(text)) : text
}
