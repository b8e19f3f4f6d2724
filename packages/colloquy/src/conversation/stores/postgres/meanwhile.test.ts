import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PoolClient } from 'pg'
import { Interruption } from '../../../../../../test/interrupted.ts'
import { connectPostgres, postgresPool } from '../../../../../../test/stores.ts'
import { until } from '../../../../../../test/until.ts'
import { ConversationNotFoundError } from '../../errors.ts'
import type { BegunTurn, ConversationStore } from '../store.ts'
import { postgresStore } from './store.ts'

const db = connectPostgres()
const schema = { schema: 'meanwhile' }
const store = postgresStore(db, schema)
const meanwhile = new Interruption()
const interrupted = postgresStore(meanwhile.inStatementsOf(db), schema)
// The first statement of a store reads its migrations.
before(() => interrupted.open('none'))

const hi = { role: 'user', json: '{"role":"user","content":"hi"}' }

describe('a turn that continues in another process between two statements', () => {
  let conversations = 0

  /** A turn whose tools run. `goOn` runs its next step, after which its tools run again if it `continues`. */
  async function waiting(): Promise<{ id: string; goOn: (step?: { continues: boolean }) => Promise<void> }> {
    const id = `c${++conversations}`
    await store.create({ id, title: null, settings: '{}', at: 1 })
    const begin = async (version: number, parent: number): Promise<BegunTurn> => {
      return (await store.begin({ id, version, parent, messages: [hi], at: 1 })) as BegunTurn
    }
    const end = { id, state: 'committed', json: '{}', received: null, reply: '{}', at: 1 } as const
    const first = await begin(1, 0)
    await store.finish({ ...end, handle: first.handle, continues: true })
    const goOn = async ({ continues } = { continues: false }): Promise<void> => {
      const { handle } = await begin(first.version, first.reply)
      await store.finish({ ...end, handle, continues })
      await store.release(first.handle)
    }
    return { id, goOn }
  }

  for (let after = 1; after < 4; after++) {
    test(`is in flight or has its last reply, for open() interrupted after ${after} statements`, async () => {
      const { id, goOn } = await waiting()
      meanwhile.arm(after + 1, () => goOn())
      const opened = await interrupted.open(id)
      const shown = opened?.unfinished.length === 0 ? opened.messages.at(-1)?.number : opened?.unfinished[0]?.number
      assert.equal(shown, opened?.unfinished.length === 0 ? 4 : 2)
    })

    test(`is stopped in its next step, for stop() interrupted after ${after} statements`, async () => {
      const { id, goOn } = await waiting()
      meanwhile.arm(after + 1, () => goOn({ continues: true }))
      const numbers = await interrupted.stop(id)
      const { unfinished } = (await store.open(id))!
      assert.deepEqual(
        unfinished.map(({ number }) => number),
        numbers,
      )
      for (const { handle } of unfinished) assert.equal(await store.release(handle), true)
    })
  }
})

test('open() shows that tools run if their reply ends between two statements', async () => {
  await store.create({ id: 'ends', title: null, settings: '{}', at: 1 })
  const { handle } = (await store.begin({ id: 'ends', version: 1, parent: 0, messages: [hi], at: 1 })) as BegunTurn
  const end = { id: 'ends', handle, state: 'committed', json: '{}', received: null, reply: '{}', at: 1 } as const
  meanwhile.arm(2, () => store.finish({ ...end, continues: true }))
  const opened = await interrupted.open('ends')
  assert.deepEqual(
    [opened?.messages.at(-1)?.state, opened?.unfinished.map(({ awaitsTools }) => awaitsTools)],
    ['committed', [true]],
  )
})

for (let at = 1; at < 4; at++)
  test(`stop() stops a reply or finds no conversation if that is deleted before statement ${at}`, async () => {
    const id = `gone${at}`
    await store.create({ id, title: null, settings: '{}', at: 1 })
    await store.begin({ id, version: 1, parent: 0, messages: [hi], at: 1 })
    meanwhile.arm(at, () => store.delete(id))
    const stopped = interrupted.stop(id)
    if (at < 3) await assert.rejects(stopped, new ConversationNotFoundError(id))
    else assert.deepEqual(await stopped, [2])
  })

for (let at = 1; at < 5; at++)
  test(`open() counts a reply off the path once if it ends before statement ${at}`, async () => {
    const id = `off${at}`
    await store.create({ id, title: null, settings: '{}', at: 1 })
    const ends = (await store.begin({ id, version: 1, parent: 0, messages: [hi], at: 1 })) as BegunTurn
    const { handle } = (await store.begin({ id, version: 2, parent: 0, messages: [hi], at: 1 })) as BegunTurn
    const end = { id, state: 'committed', json: '{}', received: null, reply: '{}', at: 1 } as const
    await store.finish({ ...end, handle })
    meanwhile.arm(at, () => store.finish({ ...end, handle: ends.handle }))
    const opened = (await interrupted.open(id))!
    assert.equal(opened.unfinished.length + opened.offPathReplies.length, 1)
  })

describe('a conversation that another process erases between two statements', () => {
  const reply = '{"message":{"usage":{"input_tokens":1}},"cost_pico_usd":7}'
  const operations: Record<string, (each: ConversationStore) => Promise<unknown>> = {
    open: (each) => each.open('one'),
    path: (each) => each.path('one', 2),
    read: (each) => each.read('one', [1, 2]),
    tree: (each) => each.tree('one'),
    messages: (each) => Array.fromAsync(each.messages('one')),
    find: (each) => each.find('one', 'key'),
  }

  async function take(): Promise<number> {
    await store.create({ id: 'one', title: null, settings: '{}', at: 2 })
    const step = { id: 'one', version: 1, parent: 0, messages: [hi], key: 'key', at: 2 }
    const { handle, version } = (await store.begin(step)) as BegunTurn
    await store.finish({ id: 'one', handle, state: 'committed', json: '{}', received: null, reply, at: 2 })
    return version
  }

  /** The result of an operation, or its error, as text. */
  async function outcome(operation: Promise<unknown>): Promise<string> {
    return operation.then(
      (result) => JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
      String,
    )
  }

  for (const [name, operate] of Object.entries(operations)) {
    for (const [how, erase] of [
      ['delete()', () => store.delete('one')],
      ['prune()', (version: number) => store.prune('one', version, 1)],
    ] as const) {
      test(`is read as it was before ${how} or after it: ${name}`, async () => {
        await store.create({ id: 'older', title: null, settings: '{}', at: 1 })
        const version = await take()
        const [before] = [await outcome(operate(store)), await erase(version)]
        const after = await outcome(operate(store))
        for (let at = 2; ; at++) {
          await store.delete('one')
          await take()
          meanwhile.arm(at, () => erase(version))
          const found = await outcome(operate(interrupted))
          if (meanwhile.steps < at) break
          assert.ok([before, after].includes(found), `before statement ${at}: ${found}`)
        }
        for (const id of ['one', 'older']) await store.delete(id)
      })
    }
  }

  test('list() counts a reply that is erased meanwhile', async () => {
    for (let at = 1; ; at++) {
      const version = await take()
      meanwhile.arm(at, () => store.prune('one', version, 1))
      const listed = (await interrupted.list({ limit: 99 })).find(({ id }) => id === 'one')
      assert.equal(listed?.totals?.picoUsd, 7n, `erased before statement ${at}`)
      await store.delete('one')
      if (meanwhile.steps < at) break
    }
  })
})

const pool = postgresPool()
const skip = pool === undefined && 'NOT TESTED: no PostgreSQL is installed that this user may start'

// A statement that waits for another transaction has read most of what it needs before: it must not miss what that one wrote.
describe('a statement that erases while another process writes', { skip }, () => {
  let client: PoolClient
  let pid: number
  const other = postgresStore({ query: (sql, values) => client.query(sql, values) }, schema)
  before(async () => {
    client = await pool!.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    pid = rows[0]!.pid
  })
  after(() => client.release())

  const account = { user: 'ada', day: '' }
  const reservation = { picoUsd: 100n, tokens: 10n, accounts: [{ ...account, most: {} }] }
  const reply = JSON.stringify({ message: { model: 'm', usage: { input_tokens: 1 } }, cost_pico_usd: 7 })
  const end = { id: 'one', state: 'committed', json: '{}', received: null, reply, at: 1 } as const

  function begin(each: ConversationStore, version: number, parent: number): Promise<BegunTurn> {
    return each.begin({ id: 'one', version, parent, messages: [hi], reservation, at: 1 }) as Promise<BegunTurn>
  }

  const writes: Record<string, (handle: number) => Promise<unknown>> = {
    'begins a turn': () => begin(other, 2, 0),
    'writes the journal': (handle) => other.journal({ handle, index: 1, json: '["more"]', at: 1 }),
    'ends the reply': (handle) => other.finish({ ...end, handle }),
    'ends the reply as abandoned': (handle) => other.finish({ ...end, handle, recovering: true }),
    'ends the reply, and runs tools': (handle) => other.finish({ ...end, handle, continues: true }),
  }
  /** The amount that the earlier tests have spent. */
  let spent = 0n
  const erasures: Record<string, () => Promise<unknown>> = {
    'delete()': () => store.delete('one'),
    'prune()': () => store.prune('one', 2, 1),
  }

  /** Does something while the transaction of a write is open, which is committed once the other one waits for it. */
  async function during(write: () => Promise<unknown>, action: () => Promise<unknown>): Promise<void> {
    await client.query('BEGIN')
    await write()
    let isOver = false
    const acting = action().finally(() => (isOver = true))
    const blocked = `SELECT 1 FROM pg_stat_activity WHERE ${pid} = ANY(pg_blocking_pids(pid))`
    await until(async () => isOver || (await pool!.query(blocked)).rows.length > 0)
    await client.query('COMMIT')
    // A turn that began meanwhile is a conflict.
    await acting.catch((error: unknown) => assert.equal((error as Error).name, 'ConversationConflictError'))
  }

  for (const [doing, write] of Object.entries(writes)) {
    for (const [name, erase] of Object.entries(erasures)) {
      test(`${name} loses no cost and leaves no text when another process ${doing}`, async () => {
        await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
        const { handle } = await begin(store, 1, 0)
        await store.journal({ handle, index: 0, json: '["part"]', at: 1 })
        await during(() => write(handle), erase)
        const left = (await store.list({ limit: 99 })).find(({ id }) => id === 'one')
        if (left !== undefined) assert.equal(left.totals?.picoUsd, doing.startsWith('ends') ? 7n : 0n)
        const parts = await db.query(
          'SELECT FROM meanwhile.delta WHERE message NOT IN (SELECT id FROM meanwhile.message)',
        )
        assert.equal(parts.rows.length, 0)
        await store.delete('one')
        const { picoUsd, held } = await store.spending(account)
        const replies = doing.startsWith('begins') ? 2n : 1n
        assert.deepEqual([picoUsd - spent, held.picoUsd], [doing.startsWith('ends') ? 7n : replies * 100n, 0n])
        spent = picoUsd
      })
    }
  }
})
