import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { offline } from 'colloquy/engines'
import { databasePlaces } from '../../../../test/databases.ts'
import { sampled } from '../../../../test/sampled.ts'
import { openAccess } from '../access/open-access.ts'
import { createServer } from '../app.ts'
import { Partitions } from '../ledger/partitions.ts'
import { readUsage } from '../ledger/reports/usage.ts'
import type { Database, SqlValues } from './database.ts'
import { migrations } from './migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-upgrade-'))
after(() => rmSync(folder, { recursive: true }))

interface Column {
  table: string
  name: string
  type: string
}

/** The columns of all tables but that of the migrations. Partitions are parts of a table. */
async function columnsOf(db: Database): Promise<Column[]> {
  const found = await db.rows<Column>(
    'read the columns',
    db.kind === 'sqlite'
      ? `SELECT m.name AS "table", c.name AS name, lower(c.type) AS type FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table'`
      : `SELECT relname AS "table", attname AS name, format_type(atttypid, NULL) AS type
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
         WHERE relkind IN ('r', 'p') AND NOT relispartition
           AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('%.migration'))`,
  )
  return found.map((row) => ({ ...row })).filter(({ table }) => table !== 'migration')
}

/** Puts a row into each table: texts are a JSON object, numbers a time of today. */
async function fill(db: Database, at: number): Promise<Map<string, SqlValues>> {
  const rows = new Map<string, SqlValues>()
  const columns = await columnsOf(db)
  if (columns.some(({ table }) => table === 'request')) await new Partitions(db).prepare([at])
  for (const [table, found] of Map.groupBy(columns, (column) => column.table)) {
    const row = Object.fromEntries(found.map(({ name, type }) => [name, type === 'text' ? '{}' : at]))
    const names = Object.keys(row)
    const values = names.map((name) => `:${name}`).join(', ')
    await db.rows('fill the table', `INSERT INTO %.${table} (${names.join(', ')}) VALUES (${values})`, row)
    rows.set(table, row)
  }
  return rows
}

function sorted(columns: readonly Column[]): string[] {
  return columns.map(({ table, name, type }) => `${table}.${name} ${type}`).toSorted()
}

for (const [name, makePlace] of Object.entries(databasePlaces()))
  test(`a database of ${name} that any earlier version wrote is opened with all that it has`, async () => {
    const fresh = makePlace(folder)(migrations)
    const expected = sorted(await columnsOf(fresh))
    await fresh.close()
    const stages = migrations.map((_, index) => index + 1)
    for (const stage of sampled(stages, 7)) {
      const place = makePlace(folder)
      const before = place(migrations.slice(0, stage))
      const at = Date.now()
      const rows = await fill(before, at)
      await before.close()
      const database = place(migrations)
      const columns = await columnsOf(database)
      assert.deepEqual(sorted(columns), expected)
      for (const [table, row] of rows) {
        // Its latencies are not needed any more: see the migration.
        if (table === 'latency_hour') continue
        const names = Object.keys(row).join(', ')
        const kept = await database.rows<SqlValues>('read', `SELECT ${names} FROM %.${table}`)
        assert.deepEqual({ ...kept[0] }, row, `${table} of migration ${stage}`)
      }
      await use(database, at)
      await database.close()
    }
  })

/** A server of today begins with the database. */
async function use(database: Database, at: number): Promise<void> {
  const store = { database, close: async () => {} }
  const access = await openAccess({ store })
  const server = createServer({ engine: offline(), access, store })
  const { secret } = await access.keys.create({ name: 'new', budgets: [{ usd: '1', per: 'day' }] })
  const response = await server.fetch('http://test/v1/messages', {
    method: 'POST',
    headers: { 'x-api-key': secret, 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'claude-sonnet-4-6', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  assert.equal(response.status, 200)
  await response.text()
  await access.ledger.flush()
  const { total } = await readUsage(database, { since: at - 1, until: Date.now() + 3_600_000, by: ['key'] })
  assert.ok(total.requests >= 1)
  await server.close()
  await access.close()
}
