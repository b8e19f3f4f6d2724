import { join } from 'node:path'
import { after, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import { type ConversationStore, memoryStore } from 'colloquy/conversation'
import { type PostgresDatabase, postgresStore } from 'colloquy/conversation/postgres'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import pg from 'pg'
import { startPostgres } from './postgres-server.ts'

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
  const server = startPostgres()
  if (server === undefined || process.env['COLLOQUY_LONG'] !== undefined) {
    const pglite = new PGlite()
    after(() => pglite.close())
    places['postgresStore on PGlite'] = postgresPlace(pglite)
  }
  if (server === undefined) {
    test('postgresStore on a server', { skip: 'NOT TESTED: no PostgreSQL is installed that this user may start' })
    return places
  }
  const pool = new pg.Pool({ host: server.host, user: 'postgres', max: 8 })
  after(async () => {
    await pool.end()
    server.stop()
  })
  places['postgresStore on a server'] = postgresPlace(pool, { prepare: true })
  return places
}

/** Makes stores in the database, each in a schema of its own. @param prepare whether the driver prepares statements. */
function postgresPlace(database: PostgresDatabase, { prepare = false } = {}): MakePlace {
  let schemas = 0
  return (_, options) => {
    const schema = `test_${++schemas}`
    return () => postgresStore(database, { ...options, schema, prepare })
  }
}
