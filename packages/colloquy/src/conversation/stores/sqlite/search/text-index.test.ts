import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { memoryStore } from '../../memory/store.ts'
import type { BegunTurn, ConversationStore, MessageRecord } from '../../store.ts'
import { SqliteConnection } from '../database/connection.ts'
import { sqliteStore } from '../store.ts'
import { blockSize, rowsPerBlock } from './postings.ts'

describe('the search index of sqliteStore()', () => {
  let store: ConversationStore
  const connections: SqliteConnection[] = []
  let changes: number[]

  beforeEach(() => {
    changes = []
    const { write } = SqliteConnection.prototype
    mock.method(
      SqliteConnection.prototype,
      'write',
      function (this: SqliteConnection, doing: string, work: () => unknown) {
        connections[0] = this
        return write.call(this, doing, () => {
          const before = totalChanges()
          const result = work()
          changes.push(totalChanges() - before)
          return result
        })
      },
    )
    store = sqliteStore(':memory:')
  })
  afterEach(async () => {
    mock.restoreAll()
    await store.close()
  })

  const countOf = (sql: string): number => connections[0]!.row<{ count: number }>(sql)!.count
  const totalChanges = (): number => countOf('SELECT total_changes() AS count')
  const count = (table: string): number => countOf(`SELECT count(*) AS count FROM ${table}`)

  async function found(word: string, limit = 1_000): Promise<string[]> {
    const hits = await store.search([word], { limit })
    return hits.map(({ conversationId, number }) => `${conversationId} ${number}`)
  }

  test('finds what reading every message finds, before and after erasing', async () => {
    const memory = memoryStore()
    const words = ['alpha', 'beta', 'gamma', 'delta', 'omega']
    const text = (index: number): string =>
      `${words[index % 5]} ${words[(index * 7) % 3]} ${index} ${'é'.repeat(index % 4)}`
    const queries = [
      ['alpha'],
      ['alpha', 'beta'],
      ['ega'],
      ['mm'],
      ['99'],
      ['ééé', 'delta'],
      ['nowhere'],
      ['bet', 'a 10'],
    ]
    const check = async (): Promise<void> => {
      for (const query of queries) {
        const places = async (of: ConversationStore): Promise<string[]> =>
          (await of.search(query, { limit: 50 })).map(({ conversationId, number }) => `${conversationId} ${number}`)
        assert.deepEqual(await places(store), await places(memory), query.join(' '))
      }
    }
    for (const each of [store, memory]) {
      for (let index = 0; index < 4; index++) await add(each, `c${index}`, 170, (number) => text(index * 170 + number))
    }
    await check()
    assert.equal(count('search_block'), 2)
    for (const each of [store, memory]) {
      await each.prune('c1', 1, 60)
      await each.delete('c2')
    }
    await check()
    for (const each of [store, memory]) await add(each, 'c5', 300, text)
    await check()
  })

  test('is written block by block, by the first search', async () => {
    await add(store, 'c', 5 * blockSize, (number) => `message number ${number}`)
    assert.deepEqual([count('search_block'), count('search_posting')], [0, 0])
    changes = []
    await found('number')
    assert.equal(count('search_block'), 5)
    assert.equal(changes.length, 10, 'each block is begun and written')
    assert.ok(Math.max(...changes) <= rowsPerBlock + blockSize, String(Math.max(...changes)))
    changes = []
    await found('number')
    assert.deepEqual(changes, [])
  })

  test('two searches at once share the work', async () => {
    await add(store, 'c', 3 * blockSize, (number) => `message number ${number}`)
    changes = []
    const both = await Promise.all([found('number 7'), found('number 8')])
    assert.deepEqual(
      both.map(({ length }) => length),
      [80, 11],
    )
    assert.equal(changes.length, 6)
  })

  test('forgets erased text', async () => {
    await add(store, 'old', blockSize, (number) => (number === 9 ? 'a xylophone' : 'a piano'))
    await add(store, 'c', blockSize, () => 'a piano')
    await found('xylophone')
    const before = count('search_posting')
    await store.prune('old', 1, 9)
    assert.ok(count('search_posting') < before)
    assert.deepEqual(await found('xylophone'), [])
    assert.equal(count('search_block'), 2)
    await store.delete('old')
    await store.delete('c')
    assert.deepEqual([count('search_block'), count('search_posting')], [0, 0])
  })

  test('a new message that gets the id of an erased one is found', async () => {
    await add(store, 'first', blockSize - 10, () => 'one')
    await add(store, 'second', 20, () => 'two')
    await add(store, 'third', 20, () => 'three')
    await store.prune('second', 1, 8)
    await found('three')
    await store.delete('third')
    await add(store, 'fourth', 3, (number) => `four ${number}`)
    assert.deepEqual(await found('four'), ['fourth 3', 'fourth 2', 'fourth 1'])
  })

  test('a reply that ended after its block was indexed is found', async () => {
    await store.create({ id: 'c', title: null, settings: '{}', at: 1 })
    const messages = [{ role: 'user', json: '{"role":"user","content":"hello"}' }]
    const { handle } = (await store.begin({ id: 'c', version: 1, parent: 0, messages, at: 1 })) as BegunTurn
    await add(store, 'later', blockSize, () => 'later')
    assert.deepEqual(await found('xylophone'), [])
    assert.deepEqual([count('search_block'), count('search_later')], [1, 1])
    const json = '{"role":"assistant","content":"xylophone"}'
    await store.finish({ id: 'c', handle, state: 'committed', json, received: null, reply: '{}', at: 2 })
    assert.deepEqual(await found('xylophone'), ['c 2'])
    assert.deepEqual([count('search_block'), count('search_later')], [1, 0])
  })

  test('a message that is erased while its block is read is not indexed', async () => {
    await add(store, 'c', blockSize, (number) => `message ${number}`)
    await add(store, 'long', 2, () => 'long '.repeat(200_000))
    await add(store, 'd', 2 * blockSize, () => 'other')
    const searching = found('message')
    const pruning = store.prune('c', 1, 100)
    assert.ok((await searching).length >= 99)
    await pruning
    assert.equal((await found('message')).length, 99)
    const before = count('search_posting')
    await found('other', 1)
    assert.equal(count('search_posting'), before)
  })
})

async function add(
  store: ConversationStore,
  id: string,
  length: number,
  text: (number: number) => string,
): Promise<void> {
  const messages = Array.from({ length }, (_, index): MessageRecord => {
    const json = JSON.stringify({ role: 'user', content: text(index + 1) })
    const place = { number: index + 1, parent: index, createdAt: 1 }
    return { ...place, role: 'user', state: 'committed', json, received: null, reply: null }
  })
  await store.create({ id, title: null, settings: '{}', at: 1, messages, head: length })
}
