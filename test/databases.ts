import { join } from 'node:path'
import { after } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import type { Database } from '../packages/server/src/state/database.ts'
import type { Migration } from '../packages/server/src/state/migrations.ts'
import {
  type PostgresClient,
  PostgresDatabase,
  type PostgresPool,
} from '../packages/server/src/state/postgres-database.ts'
import { integerTypes, parseInteger, postgresPool } from '../packages/server/src/state/postgres-pool.ts'
import { SqliteDatabase } from '../packages/server/src/state/sqlite-database.ts'
import { startPostgres } from './postgres-server.ts'

/** Makes a new, empty database in the folder. Each call of the result opens it once more. */
type MakeDatabase = (folder: string) => (migrations: readonly Migration[]) => Database

// Files of tests that share this process share a server.
let pools: [kind: string, poolOf: () => PostgresPool] | undefined
let places = 0
let schemas = 0

/**
 * Every kind of database of the server that is available here, by name. PostgreSQL is a server if one is installed that this
 * user may start, and PGlite if not. Its server is stopped after the tests of the file.
 */
export function databasePlaces(): Record<string, MakeDatabase> {
  const [kind, poolOf] = (pools ??= postgresPools())
  return {
    SQLite: (folder) => {
      const path = join(folder, `server-${++places}.db`)
      return (migrations) => new SqliteDatabase(path, { migrations })
    },
    [kind]: () => {
      // The name of a schema may be a word of SQL.
      const schema = schemas++ === 0 ? 'user' : `test_${schemas}`
      return (migrations) => new PostgresDatabase(poolOf(), { migrations, name: kind, schema })
    },
  }
}

function postgresPools(): NonNullable<typeof pools> {
  const server = startPostgres()
  if (server === undefined) {
    const pglite = new PGlite()
    after(() => pglite.close())
    return ['PGlite', () => pglitePool(pglite)]
  }
  after(() => server.stop())
  return ['PostgreSQL', () => postgresPool({ host: server.host, user: 'postgres', max: 4 })]
}

let turn: Promise<void> = Promise.resolve()

/** PGlite has one connection, which the pools take in turns. */
function pglitePool(pglite: PGlite): PostgresPool {
  const parsers = Object.fromEntries(integerTypes.map((type) => [type, parseInteger]))
  return {
    async connect() {
      const before = turn
      const { promise, resolve } = Promise.withResolvers<void>()
      turn = promise
      await before
      const query: PostgresClient['query'] = async (given, values) => {
        const sql = typeof given === 'string' ? given : given.text
        if (values !== undefined) return pglite.query(sql, values, { parsers })
        await pglite.exec(sql)
        return { rows: [] }
      }
      return { query, release: () => resolve() }
    },
    end: async () => {},
  }
}
