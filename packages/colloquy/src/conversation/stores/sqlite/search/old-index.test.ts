import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteConnection } from '../database/connection.ts'
import { eraseOldIndex } from './old-index.ts'

const messages = 300

function withOldIndex(): SqliteConnection | undefined {
  const db = new SqliteConnection(':memory:', { busyTimeoutMs: 0, mode: 0o600 })
  if (db.row("SELECT 1 WHERE sqlite_compileoption_used('ENABLE_FTS5')") === undefined) return undefined
  db.db.exec(`CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram')`)
  db.db.exec('BEGIN')
  for (let id = 1; id <= messages; id++) {
    db.run('INSERT INTO search (rowid, text) VALUES (?, ?)', [id, `message ${id} `.repeat(30)])
  }
  db.db.exec('COMMIT')
  return db
}

function countOf(db: SqliteConnection, table: string): number {
  return db.row<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)!.count
}

test('eraseOldIndex() erases at most 20 rows in one transaction', async (t) => {
  const db = withOldIndex()
  if (db === undefined) return t.skip('NOT TESTED: this Node has no FTS5')
  const counts: number[] = [countOf(db, 'search_content')]
  const { write } = db
  t.mock.method(db, 'write', async (doing: string, work: () => unknown) => {
    const result = await write.call(db, doing, work)
    if (db.row("SELECT 1 FROM sqlite_master WHERE name = 'search'")) counts.push(countOf(db, 'search_content'))
    return result
  })
  await eraseOldIndex(db)
  const erased = counts.slice(1).map((count, index) => counts[index]! - count)
  assert.equal(Math.max(...erased), 20)
  assert.equal(counts.at(-1), 0)
  assert.deepEqual(
    db.rows("SELECT name FROM sqlite_master WHERE name IN ('search', 'search_data', 'search_content')"),
    [],
  )
  await eraseOldIndex(db)
  await db.close()
})

test('eraseOldIndex() drops an index whose tables cannot be changed', async (t) => {
  const db = withOldIndex()
  if (db === undefined) return t.skip('NOT TESTED: this Node has no FTS5')
  if (!('enableDefensive' in db.db)) return t.skip('NOT TESTED: this Node protects no tables')
  Object.assign(db.db, { enableDefensive: () => {} })
  await eraseOldIndex(db)
  assert.deepEqual(db.rows("SELECT name FROM sqlite_master WHERE name LIKE 'search\\_d%' ESCAPE '\\'"), [])
  await db.close()
})
