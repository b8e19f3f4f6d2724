import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import fc from 'fast-check'
import { afterEachWrite, cutAfter, messageOf, rowsLeft } from '../../../../../../test/sqlite-writes.ts'
import { ConversationNotFoundError } from '../../errors.ts'
import { descendants } from '../../history/tree.ts'
import type { BegunTurn, ConversationStore, MessageRecord, NewConversation, TreeNode } from '../store.ts'
import { messagesAtOnce } from './messages.ts'
import { sqliteStore } from './store.ts'

const length = 4 * messagesAtOnce
const reply = '{"message":{"usage":{"input_tokens":3,"output_tokens":1}},"cost_pico_usd":5}'

/** A conversation of paid replies. Two branches follow message 2: the numbers from 3 on, and those from `second` on. */
function forked(id: string, second: number): NewConversation {
  const messages = Array.from({ length }, (_, index): MessageRecord => {
    const number = index + 1
    return { ...messageOf(id, number), role: 'assistant', reply, parent: number === second ? 2 : index }
  })
  return { id, title: null, settings: '{}', at: 1, messages, head: length }
}

describe('erasing a long branch', () => {
  let folder: string
  let path: string
  let store: ConversationStore

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
    store = sqliteStore(path)
    await store.create(forked('long', 10))
  })
  afterEach(async () => {
    mock.restoreAll()
    await store.close()
    rmSync(folder, { recursive: true })
  })

  /** Erases the branch from message 10 on, as a process does that dies after the first transaction. */
  function cutPruning(): Promise<void> {
    return cutAfter(1, () => store.prune('long', 1, 10))
  }

  async function numbers(): Promise<number[]> {
    return (await store.tree('long')).map(({ number }) => number)
  }

  const rest = [1, 2, 3, 4, 5, 6, 7, 8, 9]

  test('erases at most 200 messages in one transaction, and other work runs in between', async () => {
    const counts: number[] = []
    let others = 0
    afterEachWrite((count) => {
      counts.push(count)
      setImmediate(() => others++)
    })
    const version = await store.prune('long', 1, 10)
    assert.deepEqual(counts, [600, 400, 200, 9])
    assert.ok(others >= 3, String(others))
    assert.deepEqual(await numbers(), rest)
    const { conversation, messages } = (await store.open('long'))!
    assert.deepEqual([conversation.head, conversation.version, messages.length], [2, version, 2])
    await store.prune('long', version, 3)
    assert.deepEqual(await numbers(), [1, 2])
  })

  test('every reader sees a tree, an active path without the branch, and the same totals', async () => {
    const seen: unknown[] = []
    let isLooking = false
    afterEachWrite(async () => {
      // Listing writes the totals.
      if (isLooking) return
      isLooking = true
      const nodes = await store.tree('long')
      const known = new Set([0, ...nodes.map(({ number }) => number)])
      const [listed] = await store.list({ limit: 1 })
      seen.push([nodes.every(({ parent }) => known.has(parent)), (await store.open('long'))?.conversation.head])
      seen.push([listed?.totals?.calls, listed?.totals?.picoUsd])
      isLooking = false
    })
    await store.prune('long', 1, 10)
    const expected = [
      [true, 2],
      [length, BigInt(5 * length)],
    ]
    assert.deepEqual(seen, [...expected, ...expected, ...expected, ...expected])
    assert.equal((await store.open('long'))?.offPathReplies.length, length - 2)
  })

  test('continues when the file is opened again', async () => {
    await cutPruning()
    assert.equal((await numbers()).length, length - messagesAtOnce)
    await store.close()
    const erased = Promise.withResolvers<void>()
    afterEachWrite((count) => count === rest.length && erased.resolve())
    store = sqliteStore(path)
    await erased.promise
    assert.deepEqual(await numbers(), rest)
  })

  test('is finished when another branch is erased', async () => {
    await cutPruning()
    await store.prune('long', 2, 9)
    assert.deepEqual(await numbers(), rest.slice(0, -1))
    assert.deepEqual(await store.integrity!(), [])
  })

  test('is ended when the conversation is deleted', async () => {
    await cutPruning()
    await store.delete('long')
    assert.equal(rowsLeft(path), 0)
    await store.create(forked('long', 10))
    await store.create(forked('next', 10))
    assert.equal((await numbers()).length, length)
  })

  test('erases nothing of another conversation when its own is deleted by another process', async () => {
    const other = sqliteStore(path)
    let writes = 0
    afterEachWrite(async () => {
      if (++writes > 1) return
      await other.delete('long')
      await other.create(forked('next', 10))
    })
    await assert.rejects(store.prune('long', 1, 10), new ConversationNotFoundError('long'))
    assert.equal((await Array.fromAsync(store.messages('next'))).length, length)
    await other.close()
  })

  test('erases what is added to the branch meanwhile, and moves the head that returned to it', async () => {
    await cutPruning()
    const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
    const begun = (await store.begin({ id: 'long', version: 2, parent: 20, messages, at: 1 })) as BegunTurn
    assert.equal((await store.open('long'))?.conversation.head, begun.reply)
    await store.delete('none')
    await store.prune('long', begun.version, 9)
    assert.deepEqual(await numbers(), rest.slice(0, -1))
    assert.equal((await store.open('long'))?.conversation.head, 2)
  })
})

test('prune() erases the descendants of a message in any tree', async () => {
  const store = sqliteStore(':memory:')
  let trees = 0
  const tree = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(tree, fc.nat(), async (places, which) => {
      const id = `tree ${trees++}`
      // Most messages follow the one before.
      const parents = places.map((place, index) => (place < 0.6 ? index : Math.floor((place - 0.6) * 2.5 * index)))
      const messages = parents.map((parent, index) => ({ ...messageOf(id, index + 1), parent }))
      const root = 1 + (which % messages.length)
      await store.create({ id, title: null, settings: '{}', at: 1, messages, head: messages.length })
      await store.prune(id, 1, root)
      const erased = descendants(messages, root)
      const left = (nodes: readonly Pick<TreeNode, 'number'>[]): number[] => nodes.map(({ number }) => number)
      assert.deepEqual(left(await store.tree(id)), left(messages.filter(({ number }) => !erased.has(number))))
      const head = erased.has(messages.length) ? parents[root - 1] : messages.length
      assert.equal((await store.open(id))?.conversation.head, head)
      await store.delete(id)
    }),
    { numRuns: 60 },
  )
  await store.close()
})
