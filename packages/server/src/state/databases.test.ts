import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { openConversations } from 'colloquy/conversation'
import { postgresStore } from 'colloquy/conversation/postgres'
import { offline } from 'colloquy/engines'
import { databasePlaces } from '../../../../test/databases.ts'
import { connectPostgres } from '../../../../test/stores.ts'
import { type Database, rows } from './database.ts'
import type { Migration } from './migrations.ts'
import { type PostgresClient, PostgresDatabase } from './postgres-database.ts'
import { openServerStore } from './server-store.ts'
import { SqliteDatabase } from './sqlite-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-state-'))
after(() => rmSync(folder, { recursive: true }))

const items: Migration = { name: '0001 items', sql: 'CREATE TABLE %.item (id text PRIMARY KEY, amount bigint)' }
const notes: Migration = { name: '0002 notes', sql: 'CREATE TABLE %.note (id text PRIMARY KEY)' }

test('a statement that PostgreSQL does not answer in time closes its connection, without waiting for a ROLLBACK', async () => {
  const sent: string[] = []
  const released: unknown[] = []
  const client: PostgresClient = {
    async query(given) {
      const sql = typeof given === 'string' ? given : given.text
      sent.push(sql)
      // The error of `pg` after its `query_timeout`.
      if (sql === 'SELECT 1') throw new Error('Query read timeout')
      return { rows: [] }
    },
    release: (error) => void released.push(error),
  }
  const pool = { connect: async () => client, end: async () => {} }
  const db = new PostgresDatabase(pool, { migrations: [], name: 'db' })
  await assert.rejects(
    db.transaction('count', () => rows('SELECT 1')),
    { code: 'cannot_open', message: 'Cannot count: the database db cannot be reached (Query read timeout)' },
  )
  assert.equal(sent.includes('ROLLBACK'), false)
  assert.deepEqual(released, [undefined, true])
})

test('a schema of PostgreSQL that is up to date is only read', async () => {
  const sent: string[] = []
  const client: PostgresClient = {
    async query(given) {
      const sql = typeof given === 'string' ? given : given.text
      sent.push(sql)
      return { rows: sql.includes('migration') || sql.includes('to_regclass') ? [{ name: items.name }] : [] }
    },
    release: () => {},
  }
  const db = new PostgresDatabase(
    { connect: async () => client, end: async () => {} },
    { migrations: [items], name: 'db' },
  )
  await db.rows('read', 'SELECT 1')
  assert.deepEqual(
    sent.filter((sql) => !sql.startsWith('SELECT')),
    [],
  )
})

test('a role of PostgreSQL may have a schema of its own and no right to create one', async () => {
  const db = connectPostgres()
  await db.query('CREATE ROLE server')
  await db.query('CREATE SCHEMA own AUTHORIZATION server')
  await db.query('SET ROLE server')
  const query: PostgresClient['query'] = (given, values) =>
    db.query(typeof given === 'string' ? given : given.text, values)
  const pool = { connect: async () => ({ query, release: () => {} }), end: async () => {} }
  const open = (schema: string): Database => new PostgresDatabase(pool, { migrations: [items], name: 'db', schema })
  assert.deepEqual(await open('own').rows('read', 'SELECT id FROM %.item'), [])
  await assert.rejects(open('another').rows('read', 'SELECT 1'), /permission denied/)
  await db.query('RESET ROLE')
})

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(name, () => {
    const place = makePlace(folder)
    const open = (migrations: readonly Migration[] = [items]): Database => place(migrations)

    test('rows() takes named parameters, and reads integers exactly', async (t) => {
      const db = open()
      t.after(() => db.close())
      const big = 2n ** 62n
      const sql = 'INSERT INTO %.item VALUES (:id, CAST(:amount AS bigint)) RETURNING amount, :id AS again'
      assert.deepEqual(plain(await db.rows('add', sql, { id: 'a', amount: 7 })), [{ amount: 7, again: 'a' }])
      assert.deepEqual(plain(await db.rows('add', sql, { id: 'b', amount: big })), [{ amount: big, again: 'b' }])
      assert.deepEqual(plain(await db.rows('add', 'SELECT sum(amount) AS sum FROM %.item')), [{ sum: big + 7n }])
      await assert.rejects(
        db.rows('add', sql, { id: 'c' }),
        /Cannot run a statement: the parameter amount has no value/,
      )
    })

    test('query() keeps conversations on the connections of the server, if it is PostgreSQL', async (t) => {
      const db = open()
      t.after(() => db.close())
      if (!(db instanceof PostgresDatabase)) return
      const chats = openConversations({ engine: offline(), store: postgresStore(db, { schema: 'shared' }) })
      const chat = await chats.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
      assert.equal((await chat.send('What is 6 * 7?')).text, '6 * 7 = 42')
      await assert.rejects(db.query('SELECT oops', []), { code: '42703' })
    })

    test('json_rows() is a table of the objects of a JSON array', async (t) => {
      const db = open()
      t.after(() => db.close())
      const values = [
        { id: 'x', amount: '4611686018427387904' },
        { id: 'y', amount: null },
      ]
      const sql = `INSERT INTO %.item SELECT row.id, row.amount FROM json_rows(:values, id text, amount bigint)
        WHERE true ON CONFLICT (id) DO NOTHING RETURNING id, amount`
      const added = await db.rows('add', sql, { values: JSON.stringify(values) })
      assert.deepEqual(plain(added), [
        { id: 'x', amount: 2n ** 62n },
        { id: 'y', amount: null },
      ])
    })

    test('transaction() takes effect as a whole, or not at all', async (t) => {
      const db = open()
      t.after(() => db.close())
      const insert = 'INSERT INTO %.item VALUES (:id, 1)'
      const count = await db.transaction('add', function* () {
        yield* rows(insert, { id: 't1' })
        yield* rows(insert, { id: 't2' })
        return (yield* rows("SELECT id FROM %.item WHERE id IN ('t1', 't2')")).length
      })
      assert.equal(count, 2)
      const failing = db.transaction('add', function* () {
        yield* rows(insert, { id: 't3' })
        yield* rows(insert, { id: 't1' })
      })
      await assert.rejects(failing, { name: 'StoreError', code: 'failed' })
      assert.deepEqual(await db.rows('read', "SELECT id FROM %.item WHERE id = 't3'"), [])
    })

    test('transactions of two connections take turns', async (t) => {
      const [one, two] = [open(), open()]
      t.after(() => Promise.all([one.close(), two.close()]))
      await one.rows('add', "INSERT INTO %.item VALUES ('counter', 0)")
      const add = (db: Database): Promise<void> =>
        db.transaction('add', function* () {
          yield* rows("UPDATE %.item SET amount = amount + 1 WHERE id = 'counter'")
        })
      await Promise.all(Array.from({ length: 20 }, (_, index) => add(index % 2 ? one : two)))
      const found = await two.rows('read', "SELECT amount FROM %.item WHERE id = 'counter'")
      assert.deepEqual(plain(found), [{ amount: 20 }])
    })

    test('a newer version adds its migrations, and an older one then refuses to open', async () => {
      const old = open()
      await old.rows('read', 'SELECT 1')
      await old.close()
      const newer = open([items, notes])
      assert.deepEqual(await newer.rows('read', 'SELECT * FROM %.note'), [])
      await newer.close()
      const refused = async (): Promise<void> => {
        const db = open()
        try {
          await db.rows('read', 'SELECT 1')
        } finally {
          await db.close()
        }
      }
      await assert.rejects(refused(), {
        name: 'StoreError',
        code: 'newer',
        message: /^Cannot open .*: a newer version wrote it, .* migration "0002 notes"$/,
      })
    })
  })
}

test('a locked SQLite file gives one sentence', async () => {
  const path = join(folder, 'locked.db')
  const db = new SqliteDatabase(path, { migrations: [items], busyTimeoutMs: 20 })
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  await assert.rejects(db.rows('add', "INSERT INTO item VALUES ('a', 1)"), {
    code: 'locked',
    message: `Cannot add in ${path}: another process holds its lock`,
  })
  other.close()
  await db.close()
  await assert.rejects(db.rows('add', 'SELECT 1'), { code: 'closed', message: `Cannot add in ${path}: it is closed` })
})

test('openServerStore() names what it cannot open, without passwords', async () => {
  const path = join(folder, 'text.db')
  writeFileSync(path, 'This is not a database. '.repeat(100))
  await assert.rejects(openServerStore(path), { message: `Cannot open ${path}: the file is not a SQLite database` })
  await assert.rejects(openServerStore('mysql://root:secret@db/x'), {
    message: 'Cannot open a database at mysql://: use postgres:// or the path of a file',
  })
  await assert.rejects(openServerStore('postgres://root:secret@127.0.0.1:1/x'), {
    code: 'cannot_open',
    message: 'Cannot prepare the schema colloquy_server: the database 127.0.0.1:1/x cannot be reached (ECONNREFUSED)',
  })
})

/** Rows as plain objects: those of SQLite have no prototype. */
function plain(found: unknown[]): object[] {
  return found.map((row) => ({ ...(row as object) }))
}
