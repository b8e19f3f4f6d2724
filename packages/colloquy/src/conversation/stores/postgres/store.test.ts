import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { BeginStep, BegunTurn, ConversationStore, FinishStep } from '../store.ts'
import { LeaseClock } from '../lease.ts'
import { PostgresConnection } from './connection.ts'
import { postgresStore } from './store.ts'
import { connectPostgres } from '../../../../../../test/stores.ts'
import { beginTurn, finishReply } from './turns.ts'

const db = connectPostgres()

test('a schema that is up to date is read without the right to change it', async () => {
  await postgresStore(db, { schema: 'read' }).create({ id: 'one', title: null, settings: '{}', at: 1 })
  await db.query('SET default_transaction_read_only = on')
  const store = postgresStore(db, { schema: 'read' })
  assert.equal((await store.open('one'))?.conversation.version, 1)
  assert.deepEqual(
    (await store.list({ limit: 9 })).map(({ id }) => id),
    ['one'],
  )
  const step = { id: 'one', version: 1, parent: 0, messages: [], at: 1 }
  await assert.rejects(store.begin(step), { name: 'StoreError', code: 'read_only' })
  await db.query('RESET default_transaction_read_only')
})

test('a role may have a schema of its own and no right to create one', async () => {
  await db.query('CREATE ROLE app')
  await db.query('CREATE SCHEMA own AUTHORIZATION app')
  await db.query('SET ROLE app')
  const settings = { id: 'one', title: null, settings: '{}', at: 1 }
  await postgresStore(db, { schema: 'own' }).create(settings)
  const refused = { name: 'StoreError', message: /^Cannot prepare the schema another: permission denied/ }
  await assert.rejects(postgresStore(db, { schema: 'another' }).create(settings), refused)
  await db.query('RESET ROLE')
})

test('a database whose encoding lacks characters is refused before anything is written', async () => {
  const asked: string[] = []
  const query = (sql: string): Promise<{ rows: unknown[] }> => {
    asked.push(sql)
    return Promise.resolve({ rows: sql.includes('server_encoding') ? [{ encoding: 'LATIN1' }] : [] })
  }
  const message = /^Cannot prepare the schema colloquy: its database has the encoding LATIN1, .* ENCODING 'UTF8'$/
  await assert.rejects(postgresStore({ query }).open('one'), { name: 'StoreError', message })
  assert.ok(asked.every((sql) => sql.startsWith('SELECT')))
})

test('a schema may have the name of a word of SQL', async () => {
  const store = postgresStore(db, { schema: 'user' })
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  assert.equal((await postgresStore(db, { schema: 'user' }).open('one'))?.conversation.version, 1)
})

/** The plans of the statements with a text, while the planner may not do something. */
async function plansOf(
  text: string,
  off: readonly string[],
  act: (store: ConversationStore) => unknown,
): Promise<string[]> {
  const plans: string[] = []
  const query = async (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
    if (sql.includes(text)) plans.push(JSON.stringify(await db.query(`EXPLAIN ${sql}`, values)))
    return db.query(sql, values)
  }
  const store = postgresStore({ query }, { schema: 'planned' })
  await store.open('none')
  for (const name of off) await db.query(`SET enable_${name} = off`)
  await act(store)
  await db.query('RESET ALL')
  return plans
}

test('list() finds an owner and a shelf by an index', async () => {
  // Otherwise a small table is read as a whole.
  const plans = await plansOf('ORDER BY updated_at', ['seqscan'], async (store) => {
    for (const given of [{ owner: 'ada' }, { shelf: 'pinned' }] as const) await store.list({ limit: 9, ...given })
  })
  assert.deepEqual(
    plans.map((plan) => /conversation_(?:owner|shelf)_idx/.exec(plan)?.[0]),
    ['conversation_owner_idx', 'conversation_shelf_idx'],
  )
})

test('search() indexes no message before the last one that it has indexed, also in a merge join', async () => {
  const off = ['seqscan', 'bitmapscan', 'hashjoin', 'nestloop']
  const [plan] = await plansOf('indexed_to < last', off, (store) => store.search(['one'], { limit: 9 }))
  assert.match(plan!, /Merge .*Join.*Index Cond: \(conversation > '0'::bigint\)/)
})

test('a question and a journal do not wait for the disk, a reply does', async () => {
  const store = postgresStore(db, { schema: 'waits' })
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  const setting = async (): Promise<unknown> => (await db.query('SHOW synchronous_commit')).rows[0]
  /** The setting at the commit of a step, and after it. */
  const during = async (step: () => Promise<unknown>): Promise<unknown[]> => {
    await db.query('BEGIN')
    await step()
    const found = await setting()
    await db.query('COMMIT')
    return [found, await setting()]
  }
  const [on, off] = [{ synchronous_commit: 'on' }, { synchronous_commit: 'off' }]
  const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
  let handle = 0
  const begin = async (): Promise<void> => {
    handle = ((await store.begin({ id: 'one', version: 1, parent: 0, messages, at: 1 })) as BegunTurn).handle
  }
  assert.deepEqual(await during(begin), [off, on])
  assert.deepEqual(await during(() => store.journal({ handle, index: 0, json: '[]', at: 1 })), [off, on])
  const end = { id: 'one', handle, json: '{}', received: null, reply: '{}', at: 1 }
  assert.deepEqual(await during(() => store.finish({ ...end, state: 'committed' })), [on, on])
})

interface Failure {
  code: string
  /** Whether the statement has happened all the same. */
  isDone: boolean
}

/** A store whose database fails at the statements that match, as it is told: before it runs them, or after. */
function failingStore(schema: string, matching: RegExp, failures: Failure[]): ConversationStore {
  const query = async (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
    const failure = matching.test(sql) ? failures.shift() : undefined
    if (failure === undefined || failure.isDone) {
      const answer = await db.query(sql, values)
      if (failure === undefined) return answer
    }
    throw Object.assign(new Error('The database is away'), { code: failure.code })
  }
  return postgresStore({ query }, { schema, leaseMs: 3_000 })
}

/** Failures of a database that restarts, the first one after it has done what it was told. */
const away = ['EPIPE', 'ECONNREFUSED', '57P03', '57P01'].map((code) => ({ code, isDone: code === 'EPIPE' }))
const longAway = Array.from({ length: 99 }, () => ({ code: '57P03', isDone: false }))

describe('a turn that begins while the database is away for a while', () => {
  const failures: Failure[] = []
  const store = failingStore('beginning', /begin_turn\(/, failures)
  let conversations = 0

  async function begin(given: typeof failures, step: Partial<BeginStep> = {}): Promise<BegunTurn & { id: string }> {
    const id = `c${++conversations}`
    await store.create({ id, title: null, settings: '{}', at: 1 })
    failures.splice(0, failures.length, ...given)
    const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
    const begun = await store.begin({ id, version: 1, parent: 0, messages, at: 2, ...step })
    return { id, ...(begun as BegunTurn) }
  }

  for (const key of [undefined, 'key']) {
    for (const isDone of [true, false]) {
      const how = isDone ? 'loses its first answer' : 'was lost'
      test(`begins once if it ${how}, ${key === undefined ? 'without' : 'with'} a key`, async () => {
        const { id, handle, ...begun } = await begin(isDone ? away : away.slice(1), { key })
        assert.equal(failures.length, 0)
        assert.deepEqual(begun, { repeated: false, version: 2, first: 1, reply: 2 })
        const end = { id, handle, json: '{}', received: null, reply: '{}', at: 1 }
        assert.deepEqual(await store.finish({ ...end, state: 'committed' }), { number: 2 })
        assert.equal((await store.open(id))?.messages.length, 2)
      })
    }
  }

  test('reserves its cost once', async () => {
    const account = { user: 'ada', day: '' }
    const reservation = { picoUsd: 60n, tokens: 6n, accounts: [{ ...account, most: { picoUsd: 100n } }] }
    await begin(away, { reservation })
    assert.equal((await store.spending(account)).held.picoUsd, 60n)
  })

  test('is not the turn that another one began with the same words at the same time', async () => {
    const { id } = await begin([])
    failures.push(away[1]!)
    const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
    const again = store.begin({ id, version: 1, parent: 0, messages, at: 2 })
    await assert.rejects(again, { name: 'ConversationConflictError' })
  })

  test('fails if the database stays away, and after another error at once', async () => {
    for (const given of [longAway, [{ code: '22P02', isDone: false }]]) {
      await assert.rejects(begin(given), { name: 'StoreError', message: /The database is away$/ })
      failures.length = 0
      assert.deepEqual((await store.open(`c${conversations}`))?.messages, [])
    }
  })
})

// The beginning of a turn does not wait for the disk: a database that crashes forgets it, and may use its ids again.
test('a reply waits for a database that is away for a while, and is written once', async () => {
  const failures: Failure[] = []
  const store = failingStore('away', /\.delta SELECT|finish_turn\(/, failures)
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  const begun = (await store.begin({ id: 'one', version: 1, parent: 0, messages: [], at: 1 })) as BegunTurn
  const { handle, reply } = begun
  failures.push(...away)
  assert.equal(await store.journal({ handle, index: 0, json: '[1]', at: 1 }), false)
  assert.equal(failures.length, 0)
  failures.push(...longAway)
  await assert.rejects(store.journal({ handle, index: 1, json: '[2]', at: 1 }), /The database is away$/)
  failures.splice(0, failures.length, { code: '22P02', isDone: false })
  await assert.rejects(store.journal({ handle, index: 1, json: '[2]', at: 1 }), /The database is away$/)
  assert.deepEqual((await store.received('one', reply, 0))?.parts, ['[1]'])
  failures.push(...away)
  const end = { id: 'one', handle, state: 'committed', json: '{}', received: null, reply: '{}', at: 1 } as const
  assert.deepEqual(await store.finish(end), { number: reply })
  assert.equal(failures.length, 0)
  assert.equal((await store.open('one'))?.messages.length, 1)
})

describe('a turn whose beginning the database has lost', () => {
  let store: ConversationStore
  beforeEach(async () => {
    await db.query('DROP SCHEMA IF EXISTS colloquy CASCADE')
    store = postgresStore(db)
    for (const id of ['one', 'two']) await store.create({ id, title: null, settings: '{}', at: 1 })
  })

  async function begin(
    id: string,
    { by = store, at = 2, key }: { by?: ConversationStore; at?: number; key?: string | undefined } = {},
  ): Promise<BegunTurn> {
    const messages = [{ role: 'user', json: `{"role":"user","content":"question of ${id}"}` }]
    return (await by.begin({ id, version: 1, parent: 0, messages, key, at })) as BegunTurn
  }

  async function beginAndLose(key?: string, id = 'one', by = store): Promise<BegunTurn> {
    await db.query('BEGIN')
    const begun = await begin(id, { key, by })
    await db.query('ROLLBACK')
    const sequence = "pg_get_serial_sequence('colloquy.message', 'id')"
    await db.query(`SELECT setval(${sequence}, ${begun.handle - 1}, false)`)
    return begun
  }

  function end(id: string, { handle }: BegunTurn): FinishStep {
    const json = `{"role":"assistant","content":"reply of ${id}"}`
    return { id, handle, state: 'committed', json, received: null, reply: '{}', at: 3 }
  }

  async function contents(id: string): Promise<string[]> {
    const { messages } = (await store.open(id))!
    return messages.map(({ json }) => JSON.parse(json).content)
  }

  test('is begun again by the end of its reply', async () => {
    const begun = await beginAndLose('key')
    assert.deepEqual(await contents('one'), [])
    assert.deepEqual(await store.finish(end('one', begun)), { number: begun.reply })
    assert.deepEqual(await contents('one'), ['question of one', 'reply of one'])
    assert.equal((await store.open('one'))?.conversation.version, begun.version)
    assert.equal((await store.find('one', 'key'))?.reply.number, begun.reply)
  })

  test('is begun again once, whichever statement or answer is lost meanwhile', async () => {
    let sent = 0
    for (let lost = 0; lost < 10; lost++) {
      for (const isAnswer of [false, true]) {
        const id = `lost ${lost} ${isAnswer}`
        await store.create({ id, title: null, settings: '{}', at: 1 })
        let left = Infinity
        const query = async (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
          const fails = left-- === 0
          if (fails && !isAnswer) throw new Error('cut')
          const answer = await db.query(sql, values)
          if (fails) throw new Error('cut')
          return answer
        }
        const cut = postgresStore({ query })
        const begun = await beginAndLose(undefined, id, cut)
        left = lost
        const finish = (): Promise<{ number: number }> => cut.finish(end(id, begun))
        assert.deepEqual(await finish().catch(finish), { number: begun.reply })
        assert.deepEqual(await contents(id), [`question of ${id}`, `reply of ${id}`])
        sent = lost - left
      }
    }
    assert.ok(sent < 10, 'the last statement was never lost')
  })

  test('is not added to a conversation that has continued', async () => {
    const begun = await beginAndLose()
    const other = postgresStore(db)
    const next = await begin('one', { by: other, at: 7 })
    await db.query("UPDATE colloquy.message SET owner = 'elsewhere 1 1' WHERE owner IS NOT NULL")
    await assert.rejects(store.finish(end('one', begun)), { name: 'ConversationNotFoundError' })
    await other.finish({ ...end('one', next), json: '{"role":"assistant","content":"other"}', recovering: true })
    assert.deepEqual(await contents('one'), ['question of one', 'other'])
  })

  test('writes nothing into a reply that has its handle now', async () => {
    const begun = await beginAndLose()
    const other = postgresStore(db)
    const reused = await begin('two', { by: other })
    await db.query("UPDATE colloquy.message SET owner = 'elsewhere 1 1' WHERE owner IS NOT NULL")
    assert.equal(reused.handle, begun.handle)
    await store.journal({ handle: begun.handle, index: 0, json: '["of one"]', at: 2 })
    assert.deepEqual((await store.received('two', reused.reply, 0))?.parts, [])
    await store.finish(end('one', begun))
    assert.deepEqual(await contents('one'), ['question of one', 'reply of one'])
    await other.finish({ ...end('two', reused), recovering: true })
    assert.deepEqual(await contents('two'), ['question of two', 'reply of two'])
  })

  test('keeps its handle apart from those of later turns of the process', async () => {
    const begun = await beginAndLose()
    const next = await begin('two')
    assert.notEqual(next.handle, begun.handle)
    await store.finish(end('one', begun))
    await store.finish(end('two', next))
    assert.deepEqual(await contents('one'), ['question of one', 'reply of one'])
    assert.deepEqual(await contents('two'), ['question of two', 'reply of two'])
  })

  test('is not kept by the process when its conversation was deleted', async () => {
    const connection = new PostgresConnection(db, 'colloquy')
    const clock = new LeaseClock({})
    const messages = [{ role: 'user', json: '{"role":"user","content":"question"}' }]
    const step = { id: 'one', version: 1, parent: 0, messages, at: 2 }
    const begun = (await beginTurn(connection, clock, step)) as BegunTurn
    assert.equal(connection.begun.size, 1)
    await store.delete('one')
    await assert.rejects(finishReply(connection, clock, end('one', begun)), { name: 'ConversationNotFoundError' })
    assert.equal(connection.begun.size, 0)
  })

  test('fails if the conversation was deleted', async () => {
    const begun = await beginAndLose()
    await store.delete('one')
    await assert.rejects(store.finish(end('one', begun)), { name: 'ConversationNotFoundError' })
  })
})
