import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatUsd, fromUsd, perToken, toUsd } from './money.ts'

test('perToken() reads list prices exactly', () => {
  assert.equal(perToken('3'), 3_000_000n)
  assert.equal(perToken('0.125'), 125_000n)
  assert.equal(perToken('0.000001'), 1n)
  for (const bad of ['', '-1', '1e3', '1.2345678', '$3']) assert.throws(() => perToken(bad), RangeError)
})

test('fromUsd() reads an amount to the last digit', () => {
  assert.equal(fromUsd('0.5'), 500_000_000_000n)
  assert.equal(fromUsd(0.1), 100_000_000_000n)
  assert.equal(fromUsd(1.5e-7), 150_000n)
  assert.equal(fromUsd(1e21), 10n ** 33n)
  assert.equal(fromUsd('12.000000000001'), 12_000_000_000_001n)
  for (const bad of ['', '-1', '.5', '1.', '1e3', '$1', 1e-13, Number.NaN])
    assert.throws(() => fromUsd(bad), RangeError)
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), (amount) =>
      assert.equal(fromUsd(toUsd(amount).toFixed(12)), amount),
    ),
  )
})

test('formatUsd() shows enough digits for the amount', () => {
  assert.equal(formatUsd(0n), '$0.00')
  assert.equal(formatUsd(1n), '<$0.0001')
  assert.equal(formatUsd(32_900_000_000n), '$0.0329')
  assert.equal(formatUsd(99_960_000_000n), '$0.1000')
  assert.equal(formatUsd(345_000_000_000n), '$0.35')
  assert.equal(formatUsd(12_345_000_000_000n), '$12.35')
  assert.equal(formatUsd(-12_345_000_000_000n), '-$12.35')
})

test('formatUsd() is within half a unit of its last digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 100_000_000n, max: 10n ** 18n }), (amount) => {
      const shown = Number(formatUsd(amount).slice(1))
      assert.ok(Math.abs(shown - toUsd(amount)) <= (amount < 10n ** 11n ? 0.00005 : 0.005) * 1.000001)
    }),
  )
})
