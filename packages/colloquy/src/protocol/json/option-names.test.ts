import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOptionNames, describeValue, nearestName } from './option-names.ts'

const limits = ['usdPerDay', 'tokensPerDay', 'usdPerUser', 'tokensPerUser', 'usdPerUserDay', 'tokensPerUserDay', 'fit']

for (const [name, known, nearest] of [
  ['usdPerUserPerDay', limits, 'usdPerUserDay'],
  ['usdperday', limits, 'usdPerDay'],
  ['tokenPerDay', limits, 'tokensPerDay'],
  ['maxTokens', ['model', 'max_tokens', 'system'], 'max_tokens'],
  ['systemPrompt', ['model', 'max_tokens', 'system'], 'system'],
  ['idempotencyKey', ['key', 'onConflict'], 'key'],
  ['onconflict', ['key', 'onConflict'], 'onConflict'],
  ['dollars', ['usd', 'tokens'], undefined],
] as const) {
  test(`nearestName() of ${name} is ${nearest ?? 'unknown'}`, () => {
    assert.equal(nearestName(name, known), nearest)
  })
}

test('checkOptionNames() names the nearest option, or all', () => {
  assert.throws(() => checkOptionNames({ usdPerUserPerDay: 1 }, limits, 'limits'), {
    name: 'AnthropicError',
    message: 'Cannot use the option usdPerUserPerDay of limits: did you mean usdPerUserDay?',
  })
  assert.throws(
    () => checkOptionNames({ dollars: 1 }, ['usd', 'tokens'], 'budget'),
    /Cannot use the option dollars of budget: the options are usd, tokens$/,
  )
})

test('checkOptionNames() accepts known options and undefined ones', () => {
  checkOptionNames({ fit: true, usdPerDay: 0, other: undefined }, limits, 'limits')
})

for (const value of [null, 5, 'x.db', ['a']]) {
  test(`checkOptionNames() refuses ${JSON.stringify(value)}`, () => {
    assert.throws(() => checkOptionNames(value, limits, 'limits'), /Cannot use limits as its options must be an object/)
  })
}

for (const [value, expected] of [
  [7, '7'],
  [5n, '5'],
  [null, 'null'],
  [undefined, 'undefined'],
  ['a"b', '"a\\"b"'],
  ['x'.repeat(1e6), `"${'x'.repeat(60)}…"`],
  [[1], 'a list'],
  [{ secret: 1 }, 'an object'],
  [() => 1, 'a function'],
  [Symbol('s'), 'Symbol(s)'],
] as const) {
  test(`describeValue() writes ${expected.slice(0, 20)}`, () => assert.equal(describeValue(value), expected))
}
