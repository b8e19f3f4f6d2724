import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { ConversationExistsError } from '../../errors.ts'
import type { ConversationStore } from '../store.ts'
import { slicesOf } from './adding.ts'
import { bytesAtOnce, messagesAtOnce } from './messages.ts'
import {
  afterEachWrite,
  cutAfter,
  longConversation,
  messageOf,
  rowsLeft,
} from '../../../../../../test/sqlite-writes.ts'
import { sqliteStore } from './store.ts'

const length = 3 * messagesAtOnce + 10
const leaseMs = 30_000

describe('adding a long conversation', () => {
  let folder: string
  let path: string
  let store: ConversationStore
  let now: number

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
    now = Date.now()
    store = open()
    await store.create(longConversation('other', 0))
  })
  afterEach(async () => {
    mock.restoreAll()
    await store.close()
    rmSync(folder, { recursive: true })
  })

  function open(): ConversationStore {
    return sqliteStore(path, { leaseMs, now: () => now })
  }

  /** Runs once, after the first 200 messages are added. */
  function afterFirstSlice(act: () => Promise<unknown>): void {
    let isDone = false
    afterEachWrite(async (count) => {
      if (count !== messagesAtOnce || isDone) return
      isDone = true
      await act()
    })
  }

  /** Adds messages, and fails after the second transaction as if the process ended there. */
  function cutAdding(): Promise<void> {
    return cutAfter(2, () => store.create(longConversation('long', length)))
  }

  test('adds at most 200 messages in one transaction, and other work runs in between', async () => {
    const counts: number[] = []
    let others = 0
    afterEachWrite((count) => {
      counts.push(count)
      setImmediate(() => others++)
    })
    await store.create(longConversation('long', length))
    assert.deepEqual(counts, [0, 200, 400, 600, length, length])
    assert.ok(others >= 4, String(others))
    const { conversation: added, messages } = (await store.open('long'))!
    assert.deepEqual([added.head, added.last, messages.length], [length, length, length])
    assert.equal(messages.at(-1)?.json, messageOf('long', length).json)
    assert.equal(rowsLeft(path), length)
  })

  test('no reader sees a part of it', async () => {
    const seen: unknown[] = []
    afterEachWrite(async () => {
      if (seen.length < 3) seen.push(await store.open('long'), (await store.list({ limit: 9 })).length)
    })
    await store.create(longConversation('long', length))
    assert.deepEqual(seen, [undefined, 1, undefined, 1])
  })

  test('another opening of the file does not erase it', async () => {
    afterFirstSlice(async () => {
      const other = open()
      await other.delete('other')
      await other.close()
    })
    await store.create(longConversation('long', length))
    assert.equal((await store.open('long'))?.messages.length, length)
  })

  test('leaves nothing behind if its id is taken meanwhile', async () => {
    afterFirstSlice(() => store.create(longConversation('long', 1)))
    await assert.rejects(store.create(longConversation('long', length)), ConversationExistsError)
    assert.equal((await store.open('long'))?.messages.length, 1)
    assert.equal(rowsLeft(path), 1)
  })

  test('is erased by a later opening if its process ended', async () => {
    await cutAdding()
    assert.ok(rowsLeft(path) > messagesAtOnce)
    await store.close()
    now += leaseMs + 1
    store = open()
    await store.delete('other')
    await store.create(longConversation('long', 2))
    await store.close()
    assert.equal(rowsLeft(path), 2)
    store = open()
  })

  test('fails if the lease ended and another process erased a part', async () => {
    afterFirstSlice(async () => {
      now += leaseMs + 1
      const other = open()
      await other.delete('other')
      await other.close()
    })
    await assert.rejects(store.create(longConversation('long', length)), { name: 'StoreError', code: 'failed' })
    assert.equal(await store.open('long'), undefined)
    assert.equal(rowsLeft(path), 0)
  })
})

test('slicesOf() ends a slice that is long in bytes', () => {
  const json = 'x'.repeat(bytesAtOnce / 2)
  const messages = Array.from({ length: 5 }, (_, index) => ({ ...messageOf('long', index + 1), json }))
  assert.deepEqual(
    slicesOf(messages).map((slice) => slice.length),
    [2, 2, 1],
  )
})
