import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import type { BegunTurn } from '../store.ts'
import { PostgresConnection, statement } from './connection.ts'
import { postgresStore } from './store.ts'

test('statement() numbers named parameters and leaves casts alone', () => {
  assert.deepEqual(statement('count', 'SELECT :id, :at::bigint FROM %.a WHERE b = :id::text OR c = :atLast::int'), {
    doing: 'count',
    sql: 'SELECT $1, $2::bigint FROM %.a WHERE b = $1::text OR c = $3::int',
    parameters: ['id', 'at', 'atLast'],
    isFrequent: false,
  })
})

test('rows() sends a statement again that lost a conflict, at most three times, and no other', async () => {
  for (const [code, failures, expected] of [
    ['40P01', 3, 4],
    ['40001', 1, 2],
    ['40P01', 9, 4],
    ['23505', 1, 1],
  ] as const) {
    let sent = 0
    const query = async (sql: string): Promise<{ rows: object[] }> => {
      if (sql !== 'SELECT 1') return { rows: [] }
      if (++sent <= failures) throw Object.assign(new Error('lost'), { code })
      return { rows: [{ found: 1 }] }
    }
    const connection = new PostgresConnection({ query }, 'colloquy')
    const rows = connection.rows(statement('count', 'SELECT 1'), {})
    if (failures < expected) assert.deepEqual(await rows, [{ found: 1 }])
    else await assert.rejects(rows, { name: 'StoreError' })
    assert.equal(sent, expected)
  }
})

test('rows() prepares frequent statements if the driver can', async () => {
  const sent: unknown[] = []
  const query = async (...values: unknown[]): Promise<{ rows: object[] }> => {
    sent.push(values)
    return { rows: [] }
  }
  const connection = new PostgresConnection({ query }, 'colloquy', { prepare: true })
  await connection.rows(statement('count', 'SELECT 1', { isFrequent: true }), {})
  await connection.rows(statement('count', 'SELECT 2'), {})
  await connection.rows(statement('count', 'SELECT 3', { isFrequent: true }), {})
  const [first, second, third] = sent.slice(-3) as [[{ name: string }], unknown, [{ name: string }]]
  assert.deepEqual(first, [{ name: first[0].name, text: 'SELECT 1', values: [] }])
  assert.deepEqual(second, ['SELECT 2', []])
  assert.notEqual(first[0].name, third[0].name)
})

test('a question and a journal do not wait for the disk, a reply does', async () => {
  const db = new PGlite()
  const store = postgresStore(db)
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
  await db.close()
})
