import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrations } from '../state/migrations.ts'
import { SqliteDatabase } from '../state/sqlite-database.ts'
import { Ledger } from './ledger.ts'
import { type RequestOrigin, refusedRow } from './request-row.ts'

const requests = 1_000
const inFlight = 64
const origin: RequestOrigin = {
  id: '',
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

test('requests of a busy key reserve from the database once in hundreds', async (t) => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const ledger = new Ledger(database, { flushMs: 1_000_000 })
  const transaction = t.mock.method(database, 'transaction')
  const accounts = [{ name: 'a', limit: 10_000_000n, until: null }]
  const settle = (id: number): void => ledger.settle(refusedRow({ ...origin, id: String(id) }, undefined, 0), 30n)
  for (let id = 0; id < requests; id++) {
    await ledger.begin({ origin: { ...origin, id: String(id) }, accounts: ['a'], reserved: 100n }, accounts)
    if (id >= inFlight) settle(id - inFlight)
  }
  for (let id = requests - inFlight; id < requests; id++) settle(id)
  assert.equal(transaction.mock.callCount(), 1)
  await ledger.close()
  const found = await database.rows('read', 'SELECT spent, reserved FROM %.account')
  assert.deepEqual({ ...found[0]! }, { spent: 30_000, reserved: 0 })
  await database.close()
})
