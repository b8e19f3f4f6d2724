import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { ConversationNotFoundError } from '../../errors.ts'
import type { BegunTurn, ConversationStore } from '../store.ts'
import { messagesAtOnce } from './messages.ts'
import { afterEachWrite, cutAfter, longConversation, rowsLeft } from '../../../../../../test/sqlite-writes.ts'
import { sqliteStore } from './store.ts'

const length = 5 * messagesAtOnce + 10

describe('deleting a long conversation', () => {
  let folder: string
  let path: string
  let store: ConversationStore

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
    store = sqliteStore(path)
    await store.create(longConversation('long', length))
    await store.create(longConversation('other', 3))
  })
  afterEach(async () => {
    mock.restoreAll()
    await store.close()
    rmSync(folder, { recursive: true })
  })

  /** Deletes the conversation as a process does that dies after the first transaction. */
  function cutDeletion(): Promise<void> {
    return cutAfter(1, () => store.delete('long'))
  }

  test('erases at most 200 messages in one transaction', async () => {
    const counts = [length + 3]
    afterEachWrite((count) => counts.push(count))
    assert.equal(await store.delete('long'), true)
    const erased = counts.slice(1).map((count, index) => counts[index]! - count)
    assert.deepEqual(erased, [...Array<number>(5).fill(messagesAtOnce), 10])
    assert.equal(rowsLeft(path), 3)
    assert.equal(await store.delete('long'), false)
  })

  test('lets other work run in between', async () => {
    let others = 0
    afterEachWrite(() => setImmediate(() => others++))
    await store.delete('long')
    assert.ok(others >= 5, String(others))
  })

  test('no reader sees a part of it', async () => {
    await cutDeletion()
    assert.ok(rowsLeft(path) > 3)
    assert.equal(await store.open('long'), undefined)
    assert.deepEqual(
      (await store.list({ limit: 9 })).map(({ id }) => id),
      ['other'],
    )
    assert.deepEqual(await store.search(['long'], { limit: 9 }), [])
    await assert.rejects(store.path('long', 1_000), ConversationNotFoundError)
    await assert.rejects(store.tree('long'), ConversationNotFoundError)
    assert.deepEqual(await store.integrity!(), [])
  })

  test('a new conversation with its id has none of its messages', async () => {
    await store.delete('other')
    await cutDeletion()
    await store.create(longConversation('long', 2))
    await store.create(longConversation('next', 2))
    assert.equal((await store.tree('long')).length, 2)
    await store.delete('next')
    assert.equal((await store.open('long'))?.messages.length, 2)
    assert.equal(rowsLeft(path), 2)
  })

  test('continues when the file is opened again', async () => {
    await cutDeletion()
    await store.close()
    const erased = Promise.withResolvers<void>()
    afterEachWrite((count) => count === 3 && erased.resolve())
    store = sqliteStore(path)
    await erased.promise
    mock.restoreAll()
    await store.delete('none')
    assert.equal((await store.open('other'))?.messages.length, 3)
  })

  test('is finished by the next deletion', async () => {
    await cutDeletion()
    await store.delete('other')
    assert.equal(rowsLeft(path), 0)
  })

  test('a turn in flight finds that its conversation does not exist', async () => {
    const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
    const begun = (await store.begin({ id: 'long', version: 1, parent: length, messages, at: 1 })) as BegunTurn
    await cutDeletion()
    const end = { id: 'long', handle: begun.handle, json: '{}', received: null, reply: '{}', at: 2 }
    assert.equal(await store.journal({ handle: begun.handle, index: 0, json: '[]', at: 2 }), false)
    await assert.rejects(store.finish({ ...end, state: 'committed' }), ConversationNotFoundError)
  })

  test('close() ends it, and opening the file continues it', async () => {
    const deleting = store.delete('long')
    await Promise.resolve()
    await store.close()
    await assert.rejects(deleting, { name: 'StoreError', code: 'closed' })
    assert.ok(rowsLeft(path) > 3)
    store = sqliteStore(path)
    await store.delete('other')
    assert.equal(rowsLeft(path), 0)
  })
})
