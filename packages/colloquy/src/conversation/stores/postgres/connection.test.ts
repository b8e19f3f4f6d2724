import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresConnection, statement } from './connection.ts'

test('statement() numbers named parameters and leaves casts alone', () => {
  assert.deepEqual(statement('count', 'SELECT :id, :at::bigint FROM %.a WHERE b = :id::text OR c = :atLast::int'), {
    doing: 'count',
    sql: 'SELECT $1, $2::bigint FROM %.a WHERE b = $1::text OR c = $3::int',
    parameters: ['id', 'at', 'atLast'],
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
