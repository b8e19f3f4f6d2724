import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { ConversationConflictError } from '../../../errors.ts'
import type { BegunTurn, ConversationStore } from '../../store.ts'
import { sqliteStore } from '../store.ts'
import { LogSync } from './log-sync.ts'

describe('writes of several callers at once', () => {
  let folder: string
  let path: string
  let store: ConversationStore

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
    store = sqliteStore(path, { busyTimeoutMs: 200 })
    for (const id of ids) await store.create({ id, title: null, settings: '{}', at: 1 })
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })

  const ids = Array.from({ length: 30 }, (_, index) => `c${index}`)

  function begin(id: string, version = 1, text = 'hi'): Promise<BegunTurn> {
    const messages = [{ role: 'user', json: JSON.stringify({ role: 'user', content: text }) }]
    return store.begin({ id, version, parent: 0, messages, at: 2 }) as Promise<BegunTurn>
  }

  function finish(id: string, handle: number, text = 'yes'): Promise<{ number: number }> {
    const json = JSON.stringify({ role: 'assistant', content: text })
    return store.finish({ id, handle, state: 'committed', json, received: null, reply: '{}', at: 3 })
  }

  /** The messages that another process can see. */
  function visible(): number {
    const db = new DatabaseSync(path)
    const { count } = db.prepare("SELECT count(*) AS count FROM message WHERE json <> ''").get() as { count: number }
    db.close()
    return count
  }

  test('share one durable commit, and no promise resolves before it', async () => {
    const begun = await Promise.all(ids.map((id) => begin(id)))
    const sync = mock.method(LogSync.prototype, 'sync')
    const seen = await Promise.all(
      begun.map(async ({ handle }, index) => {
        await finish(ids[index]!, handle)
        return visible()
      }),
    )
    sync.mock.restore()
    assert.equal(sync.mock.callCount(), 1)
    assert.deepEqual(new Set(seen), new Set([ids.length * 2]))
  })

  test('a caller that fails undoes its own changes only', async () => {
    const tries = await Promise.allSettled(ids.map((id, index) => begin(id, index === 7 ? 9 : 1)))
    const failed = tries.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
    assert.deepEqual(failed, [7])
    assert.ok((tries[7] as PromiseRejectedResult).reason instanceof ConversationConflictError)
    assert.equal(visible(), ids.length - 1)
    assert.equal((await store.open('c7'))?.conversation.version, 1)
  })

  test('a caller that breaks a rule of the database after a change fails alone', async () => {
    const begun = await begin('c0')
    await store.journal({ handle: begun.handle, index: 0, json: '[]', at: 2 })
    const again = store.journal({ handle: begun.handle, index: 0, json: '[]', at: 2 })
    const others = ids.slice(1).map((id) => begin(id))
    await assert.rejects(again, { name: 'StoreError' })
    assert.equal((await Promise.all(others)).length, ids.length - 1)
    assert.equal(visible(), ids.length)
  })

  test('one whose text does not fit on a full disk does not keep the others out', async () => {
    const { store: full, db } = openWithConnection(path)
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
    db.exec(`PRAGMA max_page_count = ${pages + 40}`)
    const messages = (text: string) => [{ role: 'user', json: JSON.stringify({ role: 'user', content: text }) }]
    const tries = await Promise.allSettled(
      ids.slice(0, 5).map((id, index) => {
        const text = index === 2 ? 'long '.repeat(40_000) : 'short'
        return full.begin({ id, version: 1, parent: 0, messages: messages(text), at: 2 })
      }),
    )
    assert.deepEqual(
      tries.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    assert.equal((tries[2] as PromiseRejectedResult).reason.code, 'full')
    assert.equal(visible(), 4)
    await full.close()
  })

  test('wait for the lock of another process, and fail after busyTimeoutMs', async () => {
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const waiting = [begin('c0'), begin('c1')]
    setTimeout(() => other.exec('ROLLBACK'), 50)
    await Promise.all(waiting)
    other.exec('BEGIN IMMEDIATE')
    await assert.rejects(begin('c2'), { name: 'StoreError', code: 'locked' })
    other.exec('ROLLBACK')
    other.close()
    assert.equal(visible(), 2)
  })

  test('are committed by close()', async () => {
    const begun = begin('c0')
    await store.close()
    await begun
    assert.equal(visible(), 1)
  })
})

/** Opens a store and returns its connection too, so that a test can limit its size. */
function openWithConnection(path: string): { store: ConversationStore; db: DatabaseSync } {
  const exec = mock.method(DatabaseSync.prototype, 'exec')
  const store = sqliteStore(path)
  exec.mock.restore()
  return { store, db: exec.mock.calls[0]!.this as DatabaseSync }
}
