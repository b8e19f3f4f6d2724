import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('the log grows longer while many callers write at once, and is moved by the next lone write', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const path = join(folder, 'colloquy.db')
  const db = new SqliteConnection(path, { busyTimeoutMs: 0, mode: 0o600 })
  t.after(async () => {
    await db.close()
    rmSync(folder, { recursive: true })
  })
  const insert = (message: number) => () => db.run('INSERT INTO delta VALUES (?, 0, ?)', [message, 'x'.repeat(100_000)])
  const before = statSync(path).size
  await Promise.all(Array.from({ length: 60 }, (_, index) => db.write('write', insert(index))))
  assert.ok(statSync(`${path}-wal`).size > 6_000_000)
  assert.equal(statSync(path).size, before)
  await db.write('write', insert(60))
  assert.ok(statSync(path).size > 6_000_000)
})
