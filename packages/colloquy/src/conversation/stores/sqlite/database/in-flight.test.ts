import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConversationNotFoundError } from '../../../errors.ts'
import { LeaseClock } from '../../lease.ts'
import { sqliteStore } from '../store.ts'
import { beginTurn, finishReply } from '../turns.ts'
import { SqliteConnection } from './connection.ts'

test('a reply that was erased is not in flight any longer, and its handle is not given to another', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const path = join(folder, 'chats.db')
  const store = sqliteStore(path)
  const db = new SqliteConnection(path, { busyTimeoutMs: 5_000, mode: 0o600 })
  t.after(async () => {
    await db.close()
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const clock = new LeaseClock({})
  const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
  const begin = async (id: string): Promise<number> => {
    await store.create({ id, owner: null, metadata: null, title: null, settings: '{}', at: 1 })
    const begun = await beginTurn(db, clock, { id, version: 1, parent: 0, messages, at: 2 })
    assert.ok(!begun.repeated)
    return begun.handle
  }
  const erased = await begin('one')
  assert.equal(db.inFlight.count, 1)
  await store.delete('one')
  const end = { state: 'committed', json: '{}', received: null, reply: '{}', at: 3 } as const
  await assert.rejects(finishReply(db, { ...end, id: 'one', handle: erased }), ConversationNotFoundError)
  assert.equal(db.inFlight.count, 0)
  const next = await begin('two')
  assert.notEqual(next, erased)
  await finishReply(db, { ...end, id: 'two', handle: next })
  assert.equal(db.inFlight.count, 0)
})
