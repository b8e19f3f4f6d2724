import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteConnection } from './connection.ts'

test('write() rejects and writes nothing when its work returns a promise', async (t) => {
  const db = new SqliteConnection(':memory:', { busyTimeoutMs: 0, mode: 0o600 })
  t.after(() => db.close())
  const insert = "INSERT INTO spending VALUES ('ada', '', 1, 1, 0, 0, 0)"
  await assert.rejects(
    db.write('write', async () => db.run(insert)),
    new TypeError('Cannot run a transaction whose work returns a promise'),
  )
  assert.deepEqual(db.rows('SELECT * FROM spending'), [])
  await db.write('write', () => db.run(insert))
  assert.equal(db.rows('SELECT * FROM spending').length, 1)
})
