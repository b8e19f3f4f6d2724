import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decimalUsd, jsonable } from './jsonable.ts'
import { fromUsd } from './money.ts'

test('jsonable() writes amounts as decimal strings, with dollars beside picodollars', () => {
  const cost = jsonable({ picoUsd: 3_150_000_000n, parts: { input: 5n }, estimated: false, list: [1n, 'a', null] })
  assert.deepEqual(JSON.parse(JSON.stringify({ cost, at: new Date(0) })), {
    cost: { picoUsd: '3150000000', usd: '0.00315', parts: { input: '5' }, estimated: false, list: ['1', 'a', null] },
    at: '1970-01-01T00:00:00.000Z',
  })
  assert.equal(JSON.stringify(jsonable({ costPicoUsd: 10n ** 12n })), '{"costPicoUsd":"1000000000000","costUsd":"1"}')
})

test('jsonable() changes nothing else about the object', () => {
  assert.deepEqual(jsonable({ picoUsd: 1n }), { picoUsd: 1n })
  assert.deepEqual(Object.keys({ ...jsonable({ picoUsd: 1n }) }), ['picoUsd'])
})

test('decimalUsd() is exact for any amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (amount) => {
      assert.equal(fromUsd(decimalUsd(amount)), amount)
      assert.equal(decimalUsd(-amount), amount === 0n ? '0' : `-${decimalUsd(amount)}`)
    }),
  )
})
