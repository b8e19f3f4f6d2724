import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresConnection, statement } from './connection.ts'
import { migrations } from './schema.ts'
import { postgresStore } from './store.ts'

test('statement() numbers named parameters and leaves casts alone', () => {
  assert.deepEqual(statement('count', 'SELECT :id, :at::bigint FROM %.a WHERE b = :id::text OR c = :atLast::int'), {
    doing: 'count',
    sql: 'SELECT $1, $2::bigint FROM %.a WHERE b = $1::text OR c = $3::int',
    parameters: ['id', 'at', 'atLast'],
    isFrequent: false,
  })
})

test('rows() sends a statement again that lost a conflict, at most nine times, and no other', async () => {
  for (const [code, failures, expected] of [
    ['40P01', 3, 4],
    ['40001', 1, 2],
    ['40P01', 20, 10],
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

test('an error of several addresses names each of them', async () => {
  const errors = ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED 127.0.0.1:5432'].map((text) => new Error(text))
  const query = async (): Promise<never> => {
    throw Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' })
  }
  await assert.rejects(postgresStore({ query }).open('one'), {
    name: 'StoreError',
    message: 'Cannot prepare the schema colloquy: connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432',
  })
})

test('rows() stops preparing statements if a pooler gives them other connections', async () => {
  for (const code of ['26000', '42P05']) {
    const named: boolean[] = []
    const query = async (sent: string | { name: string }): Promise<{ rows: object[] }> => {
      named.push(typeof sent === 'object')
      if (typeof sent === 'object') throw Object.assign(new Error('prepared statement'), { code })
      return { rows: sent === 'SELECT 1' ? [{ found: 1 }] : [] }
    }
    const connection = new PostgresConnection({ query }, 'colloquy', { prepare: true })
    const count = statement('count', 'SELECT 1', { isFrequent: true })
    for (const _ of [1, 2]) assert.deepEqual(await connection.rows(count, {}), [{ found: 1 }])
    assert.deepEqual(named.slice(-3), [true, false, false])
  }
})

test('rows() stops preparing for all statements that were in flight at once', async () => {
  const query = async (given: unknown): Promise<{ rows: unknown[] }> => {
    if (typeof given === 'string') return { rows: given.includes('migration') ? [...migrations] : [] }
    await new Promise(setImmediate)
    throw Object.assign(new Error('prepared statement already exists'), { code: '42P05' })
  }
  const connection = new PostgresConnection({ query }, 'colloquy', { prepare: true })
  const frequent = statement('read', 'SELECT 1', { isFrequent: true })
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => connection.rows(frequent, {}))), [[], [], []])
})

test('rows() waits on if the process was frozen or busy, and perhaps the database with it', async () => {
  const names = migrations.map(({ name }) => ({ name }))
  const query = async (sql: string): Promise<{ rows: object[] }> => {
    if (sql !== 'SELECT 1') return { rows: names }
    const { promise, resolve } = Promise.withResolvers<{ rows: object[] }>()
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150)
      setTimeout(resolve, 10, { rows: [{ found: 1 }] })
    })
    return promise
  }
  const connection = new PostgresConnection({ query }, 'colloquy', { timeoutMs: 100 })
  assert.deepEqual(await connection.rows(statement('count', 'SELECT 1'), {}), [{ found: 1 }])
})

test('rows() fails if the database does not answer in time, also when the schema is read', async () => {
  for (const isFrozen of [() => true, (sql: string) => sql === 'SELECT 1']) {
    const names = migrations.map(({ name }) => ({ name }))
    const query = (sql: string): Promise<{ rows: object[] }> =>
      isFrozen(sql) ? new Promise(() => {}) : Promise.resolve({ rows: names })
    const connection = new PostgresConnection({ query }, 'colloquy', { timeoutMs: 1 })
    await assert.rejects(connection.rows(statement('count', 'SELECT 1'), {}), {
      name: 'StoreError',
      message: /^Cannot .*: the database did not answer for 0\.00[13] s$/,
    })
  }
})
