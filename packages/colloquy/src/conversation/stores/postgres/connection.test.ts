import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statement } from './connection.ts'

test('statement() numbers named parameters and leaves casts alone', () => {
  assert.deepEqual(statement('count', 'SELECT :id, :at::bigint FROM %.a WHERE b = :id::text OR c = :atLast::int'), {
    doing: 'count',
    sql: 'SELECT $1, $2::bigint FROM %.a WHERE b = $1::text OR c = $3::int',
    parameters: ['id', 'at', 'atLast'],
  })
})
