import type { Socket } from 'node:net'
import type { PoolConfig } from 'pg'
import pg from 'pg'
import type { PostgresClient, PostgresPool } from './postgres-database.ts'
import { exactInteger } from './sql.ts'

/** The types of columns that hold integers: `bigint` and the sums of it, which `pg` returns as strings. */
export const integerTypes: readonly number[] = [20, 1700]

/**
 * Milliseconds after which a database that does not answer counts as one that cannot be reached: a machine that is frozen, or
 * behind a broken network, keeps its connections. Longer than any statement takes except migrations, and short enough for a
 * server to stop within a minute.
 */
const queryTimeoutMs = 20_000

/** Milliseconds that a connection may take to open. */
const connectMs = 5_000

/** Milliseconds that a connection may take to close. */
const endMs = 2_000

/** A pool of connections whose integers are exact. */
export function postgresPool({ query_timeout: queryMs = queryTimeoutMs, ...config }: PoolConfig): PostgresPool {
  const pool = new pg.Pool({ connectionTimeoutMillis: connectMs, ...config, types: { getTypeParser } })
  // A connection that breaks is replaced by the pool, and its statement fails. Without listeners the error would also end the
  // process: of an idle connection on the pool, of one in use on the client.
  pool.on('error', () => {})
  const open = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    open.add(client)
    client.on('error', () => {})
    client.on('end', () => open.delete(client))
  })
  return { connect: async () => limited(await connect(pool), queryMs), end: () => endPool(pool, open) }
}

/** Connects, again if a timer that fired much too late says that this process was frozen, and perhaps the database with it. */
async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  for (;;) {
    const begunAt = performance.now()
    try {
      return await pool.connect()
    } catch (error) {
      if (performance.now() - begunAt < 2 * connectMs) throw error
    }
  }
}

/** The same connection, whose answers do not take for ever. */
function limited(client: pg.PoolClient, queryMs: number): PostgresClient {
  return {
    query: (sql, values) =>
      inTime(client.query(sql as string, values), typeof sql === 'string' ? queryMs : sql.query_timeout),
    release: (error) => client.release(error),
  }
}

/** The parts of a time limit. A process that is frozen, with its timers, misses one of them and not the whole limit. */
const parts = 10

async function inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = Object.assign(new Error(`the database did not answer for ${limitMs / 1000} s`), { code: 'ETIMEDOUT' })
  let left = parts
  const timer = setInterval(() => --left === 0 && reject(late), limitMs / parts)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearInterval(timer)
  }
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
