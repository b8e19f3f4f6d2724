import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from 'colloquy/conversation/errors'
import { KeyCache } from '../access/keys/key-cache.ts'
import { Keys } from '../access/keys/keys.ts'
import { migrations } from '../state/migrations.ts'
import type { Database, SqlValues, Work } from '../state/database.ts'
import { SqliteDatabase } from '../state/sqlite-database.ts'
import { Ledger } from './ledger.ts'
import { BudgetExceeded } from './reserve.ts'
import { SignsOfLife } from './signs-of-life.ts'
import type { Account } from './accounts.ts'
import { type RequestOrigin, refusedRow } from './request-row.ts'
import { until } from '../../../../test/until.ts'

const hourMs = 3_600_000
const account: Account = { name: 'a', limit: 1_000n, until: null }
const origin: RequestOrigin = {
  id: 'req_1',
  started_at: Date.UTC(2026, 10, 26),
  workspace: 'default',
  key_id: '',
  user_id: '',
  conversation: '',
  source: 'api',
  path: '/v1/messages',
  engine: '',
  model: 'claude-haiku-4-5',
}

for (const [name, jump] of [
  ['a day ahead', 24 * hourMs],
  ['a day behind', -24 * hourMs],
] as const) {
  test(`a server whose clock is ${name} of the others is not taken for dead, nor takes them for dead`, async () => {
    const database = new SqliteDatabase(':memory:', { migrations })
    let difference = 0
    const lost: string[] = []
    const options = { leaseMs: 150, flushMs: 10, onLost: ({ id }: { id: string }) => lost.push(id) }
    const here = new Ledger(database, options)
    const there = new Ledger(database, { ...options, now: () => Date.now() + difference })
    await here.begin({ origin, accounts: ['a'], reserved: 10n }, [account])
    await there.begin({ origin: { ...origin, id: 'req_2' }, accounts: ['a'], reserved: 10n }, [account])
    await sleep(100)
    // Both are idle now, with a request in flight.
    difference = jump
    await sleep(600)
    assert.deepEqual(lost, [])
    for (const ledger of [here, there]) await ledger.flush()
    const flights = await database.rows('read', 'SELECT * FROM %.in_flight')
    assert.equal(flights.length, 2)
    await here.close()
    await there.close()
    await database.close()
  })
}

test('a server that was frozen and taken for dead overspends no budget afterwards', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const lost: string[] = []
  const frozen = new Ledger(database, { leaseMs: 40, flushMs: 1_000_000 })
  await frozen.begin({ origin, accounts: ['a'], reserved: 10n }, [account])
  await frozen.flush()
  const other = new Ledger(database, { leaseMs: 40, flushMs: 10, onLost: ({ id }) => lost.push(id) })
  await until(() => lost.length === 1)
  // It takes this from what it had reserved before.
  await frozen.begin({ origin: { ...origin, id: 'req_2' }, accounts: ['a'], reserved: 10n }, [account])
  await frozen.flush()
  const rest = { origin: { ...origin, id: 'req_3' }, accounts: ['a'], reserved: 985n }
  await assert.rejects(async () => other.begin(rest, [account]), BudgetExceeded)
  await frozen.close()
  await other.close()
  await database.close()
})

test('a server that has ended is found, whatever its clock said', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const add = 'INSERT INTO %.instance (id, seen_at) VALUES (:id, :at)'
  await database.rows('add', add, { id: 'past', at: 0 })
  await database.rows('add', add, { id: 'future', at: Date.now() + 24 * hourMs })
  const lost: string[] = []
  const ledger = new Ledger(database, { leaseMs: 100, flushMs: 10, onLost: ({ id }) => lost.push(id) })
  for (let wait = 0; lost.length < 2 && wait < 6_000; wait++) await sleep(20)
  assert.deepEqual(lost.toSorted(), ['future', 'past'])
  await ledger.close()
  await database.close()
})

test('a ledger without requests sets no timers but for its signs of life', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const timers = mock.method(globalThis, 'setTimeout')
  const isResting = (): boolean => Number(timers.mock.calls.at(-1)?.arguments[1]) > 1_000
  const ledger = new Ledger(database, { flushMs: 1, leaseMs: 1_000_000_000 })
  await until(isResting)
  const count = timers.mock.callCount()
  assert.ok(count < 10, `${count} timers`)
  // It writes at once again when there is something to write.
  ledger.settle(refusedRow(origin, new Error('failed'), origin.started_at), 0n)
  await until(() => ledger.waiting === 0)
  await until(isResting)
  void ledger.begin({ origin: { ...origin, id: 'req_2' }, accounts: [], reserved: 0n }, [])
  await until(async () => (await database.rows('read', 'SELECT * FROM %.in_flight')).length === 1)
  timers.mock.restore()
  await ledger.close()
  await database.close()
})

test('a ledger that is closed waits for its maintenance, and tells what it could not store', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const [looking, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let isAway = false
  const slow: Database = {
    kind: database.kind,
    name: database.name,
    async rows<Row>(doing: string, sql: string, values?: SqlValues) {
      if (doing === 'find servers that ended') {
        looking.resolve()
        await answered.promise
      }
      return database.rows<Row>(doing, sql, values)
    },
    async transaction<T>(doing: string, work: () => Work<T>) {
      if (isAway) throw new StoreError('cannot_open', `Cannot ${doing}: it is away`)
      return database.transaction(doing, work)
    },
    close: () => database.close(),
  }
  const problems: unknown[] = []
  const ledger = new Ledger(slow, { flushMs: 1, onProblem: (error) => problems.push(error) })
  await looking.promise
  isAway = true
  ledger.settle(refusedRow(origin, new Error('failed'), origin.started_at), 0n)
  let isClosed = false
  const closing = assert
    .rejects(ledger.close(), { message: 'Cannot write the ledger: it is away; a settled request is lost' })
    .finally(() => (isClosed = true))
  await new Promise(setImmediate)
  assert.equal(isClosed, false)
  answered.resolve()
  await closing
  await database.close()
  assert.deepEqual(problems, [])
})

test('a server that was paused takes none for dead before another lease', () => {
  const signs = new SignsOfLife(100)
  const other = { id: 'other', seen_at: 1 }
  assert.deepEqual(signs.dead([other], 0), [])
  // The process was stopped for a second: the other one perhaps too.
  assert.deepEqual(signs.dead([other], 1_000), [])
  assert.deepEqual(signs.dead([other], 1_050), [])
  assert.deepEqual(signs.dead([other], 1_100), [other])
})

test('a key that was revoked is refused within two seconds, also if the clock was set back', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  let now = Date.UTC(2026, 10, 26)
  const keys = new Keys(database, () => now)
  const cache = new KeyCache(keys, () => now)
  const { secret } = await keys.create({ name: 'ada' })
  assert.equal((await cache.find(secret))?.name, 'ada')
  assert.equal(await cache.any(), true)
  await keys.revoke('ada')
  await keys.remove('ada')
  now -= hourMs
  assert.equal(await cache.find(secret), undefined)
  assert.equal(await cache.any(), false)
  await database.close()
})
