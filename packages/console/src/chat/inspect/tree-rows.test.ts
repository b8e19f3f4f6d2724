import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeMessageJson } from '../../api/types.ts'
import { rowsOf } from './tree-rows.ts'

test('each branch is read to its end before the next one begins', () => {
  const data = [message('1'), message('2', '1'), message('3', '2'), message('4', '1'), message('5', '4')]
  const rows = rowsOf({ head: '5', data })
  assert.deepEqual(
    rows.map(({ message: { id }, level, isActive }) => [id, level, isActive]),
    [
      ['1', 0, true],
      ['2', 1, false],
      ['3', 1, false],
      ['4', 1, true],
      ['5', 1, true],
    ],
  )
})

test('a chain of 10,000 messages is not indented', () => {
  const data = Array.from({ length: 10_000 }, (_, index) =>
    message(String(index + 1), index ? String(index) : undefined),
  )
  const rows = rowsOf({ head: '10000', data })
  assert.equal(rows.length, 10_000)
  assert.ok(rows.every(({ level, isActive }) => level === 0 && isActive))
})

test('an empty chat has no rows', () => assert.deepEqual(rowsOf({ head: null, data: [] }), []))

function message(id: string, parentId?: string): TreeMessageJson {
  return { id, parentId, role: 'user', state: 'committed', createdAt: '', excerpt: id }
}
