import { join } from 'node:path'
import { after, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import { type ConversationStore, memoryStore } from 'colloquy/conversation'
import { type PostgresDatabase, postgresStore } from 'colloquy/conversation/postgres'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import pg from 'pg'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

interface StoreOptions {
  leaseMs: number
  now: () => number
}

/** Makes a new, empty store. Each call of the result opens it once more. */
export type MakePlace = (folder: string, options: StoreOptions) => () => ConversationStore

/**
 * Every kind of store that is available here, by name. PostgreSQL is a server if one is installed that this user may start, and
 * PGlite if not; with `COLLOQUY_LONG` both. Their servers are stopped after the tests of the file.
 */
export function storePlaces(): Record<string, MakePlace> {
  const places: Record<string, MakePlace> = {
    memoryStore: (_, options) => {
      const store = memoryStore(options)
      return () => store
    },
    sqliteStore: (folder, options) => () => sqliteStore(join(folder, 'colloquy.db'), options),
  }
  const pool = serverPool({ max: 8 })
  if (pool === undefined || process.env['COLLOQUY_LONG'] !== undefined)
    places['postgresStore on PGlite'] = postgresPlace(startPglite())
  if (pool === undefined)
    test('postgresStore on a server', { skip: 'NOT TESTED: no PostgreSQL is installed that this user may start' })
  else places['postgresStore on a server'] = postgresPlace(pool, { prepare: true })
  return places
}

/** A database with one connection, which runs any number of statements with `exec()`. */
interface PostgresConnection extends PostgresDatabase {
  exec(sql: string): Promise<unknown>
}

/** Connects to an empty database until the tests of the file have ended: of a server, or of PGlite if none is available here. */
export function connectPostgres(): PostgresConnection {
  const pool = serverPool({ max: 1, idleTimeoutMillis: 0 })
  if (pool === undefined) return startPglite()
  const query = (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => pool.query(sql, values)
  return { query, exec: query }
}

function startPglite(): PGlite {
  const pglite = new PGlite()
  after(() => pglite.close())
  return pglite
}

/** Several connections to a server; undefined if none is available here: PGlite has one. */
export function postgresPool(): pg.Pool | undefined {
  return serverPool({ max: 4 })
}

let server: PostgresServer | undefined
const pools: pg.Pool[] = []

/** A pool of connections to a server, which is started once and stopped after the tests of the file. */
function serverPool(options: pg.PoolConfig): pg.Pool | undefined {
  server ??= startPostgres()
  if (server === undefined) return undefined
  const pool = new pg.Pool({ host: server.host, user: 'postgres', ...options })
  if (pools.push(pool) === 1)
    after(async () => {
      await Promise.all(pools.map((each) => each.end()))
      server?.stop()
    })
  return pool
}

/** Across the files of tests that share this process, and so a server. */
let schemas = 0

/** Makes stores in the database, each in a schema of its own. @param prepare whether the driver prepares statements. */
function postgresPlace(database: PostgresDatabase, { prepare = false } = {}): MakePlace {
  return (_, options) => {
    const schema = `test_${++schemas}`
    return () => postgresStore(database, { ...options, schema, prepare })
  }
}
