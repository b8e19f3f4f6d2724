import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BudgetError, ContentError, ConversationConflictError, type LimitName } from '../errors.ts'
import { type NextMove, nextMove, type OnConflict } from './conflict.ts'

const moved = new ConversationConflictError('c', 'moved', '2')
const busy = new ConversationConflictError('c', 'busy', '2')
const refused = (limit: LimitName, held: bigint): BudgetError =>
  new BudgetError(limit, { allowed: 10n, spent: 5n, held, worst: 10n })

describe('nextMove()', () => {
  const rows: [string, Error, Record<OnConflict, NextMove>][] = [
    ['another writer', moved, { fail: 'refresh and fail', queue: 'refresh', branch: 'refresh' }],
    ['a reply in flight', busy, { fail: 'fail', queue: 'wait', branch: 'fail' }],
    ['a budget that is full', refused('usd', 0n), { fail: 'fail', queue: 'fail', branch: 'fail' }],
    ['a budget with reservations', refused('usd', 1n), { fail: 'refresh', queue: 'refresh', branch: 'refresh' }],
    [
      'a token budget with reservations',
      refused('tokens', 1n),
      { fail: 'refresh', queue: 'refresh', branch: 'refresh' },
    ],
    // The store checks its own limits against every process's reservations: to refresh would show nothing new.
    ['a limit of the store', refused('usdPerDay', 1n), { fail: 'fail', queue: 'fail', branch: 'fail' }],
    ['content that the API refuses', new ContentError('no'), { fail: 'fail', queue: 'fail', branch: 'fail' }],
    ['any other error', new TypeError('broken'), { fail: 'fail', queue: 'fail', branch: 'fail' }],
  ]
  for (const [name, error, moves] of rows) {
    for (const onConflict of ['fail', 'queue', 'branch'] as const) {
      test(`after ${name}, with onConflict '${onConflict}', is '${moves[onConflict]}'`, () => {
        assert.equal(nextMove(error, { onConflict, hasRefreshed: false }), moves[onConflict])
      })
    }
  }

  test('refreshes only once for a budget', () => {
    assert.equal(nextMove(refused('usd', 1n), { onConflict: 'fail', hasRefreshed: true }), 'fail')
  })

  test('refreshes after each change by another writer', () => {
    assert.equal(nextMove(moved, { onConflict: 'queue', hasRefreshed: true }), 'refresh')
  })
})
