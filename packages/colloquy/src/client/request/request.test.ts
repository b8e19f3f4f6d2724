import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { withQuery } from './on-demand/uncommon-parts.ts'
import { checkBaseUrl, encodeBody, pathOf, splitHeaderParams } from './request.ts'

const queries: [name: string, value: unknown, expected: string][] = [
  ['undefined', undefined, ''],
  ['null', null, '?q='],
  ['an empty text', '', '?q='],
  ['a text', 'a b+c&d', '?q=a%20b%2Bc%26d'],
  ['zero', 0, '?q=0'],
  ['a number', 1.5, '?q=1.5'],
  ['false', false, '?q=false'],
  ['a bigint', 5n, '?q=5'],
  ['a date', new Date(0), '?q=1970-01-01T00:00:00.000Z'],
  ['an object with toJSON()', { toJSON: () => ({ a: 1 }) }, '?q[a]=1'],
  ['a list', ['a', 1], '?q[]=a&q[]=1'],
  ['an empty list', [], ''],
  ['an object', { a: { b: 1 }, c: undefined }, '?q[a][b]=1'],
  ['an empty object', {}, ''],
  ['a function', () => 1, ''],
  ['a symbol', Symbol('s'), '?q=Symbol(s)'],
]

for (const [name, value, expected] of queries) {
  test(`withQuery() with ${name} in the query`, () => {
    const url = decodeURIComponent(withQuery('https://a.test/v1/x', { q: value }))
    assert.equal(url, `https://a.test/v1/x${decodeURIComponent(expected)}`)
  })
}

test('withQuery() replaces values of an earlier query, and removes them for undefined', () => {
  assert.equal(withQuery('https://a.test/x', { a: 1, b: 2 }, { a: 3 }, null, undefined), 'https://a.test/x?a=3&b=2')
  assert.equal(withQuery('https://a.test/x?b=2', { a: 1 }, { a: undefined, b: undefined }), 'https://a.test/x')
})

const refused = [
  'a.test',
  'ftp://a.test',
  'https://me:hunter2@a.test',
  'me:hunter2@a.test',
  'https://a.test/v1',
  'https://a.test/v1/',
  'https://a.test/?key=hunter2',
  'https://a.test/?',
  'https://a.test/#x',
  '',
  ' ',
  5,
  5n,
  Symbol('s'),
  {},
  [],
  () => 'https://a.test',
]

for (const value of refused) {
  test(`checkBaseUrl() refuses ${String(value)}`, () => {
    assert.throws(
      () => checkBaseUrl(value),
      (error: Error) => {
        assert.equal(error.name, 'AnthropicError')
        assert.match(
          error.message,
          /^Cannot use the base URL .* as it must be an http or https URL without user name, query or final /,
        )
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
}

for (const [url, expected] of Object.entries({
  'https://a.test': 'https://a.test',
  ' https://a.test/ ': 'https://a.test/',
  'http://a.test:81/gate//': 'http://a.test:81/gate//',
  'https://a.test/v1beta': 'https://a.test/v1beta',
  'https://[::1]:8080': 'https://[::1]:8080',
})) {
  test(`checkBaseUrl() of ${url}`, () => assert.equal(checkBaseUrl(url), expected))
}

const ids: [id: unknown, expected: string | RegExp][] = [
  ['a b/c', '/v1/x/a%20b%2Fc'],
  ['%2e%2e', '/v1/x/%252e%252e'],
  [0, '/v1/x/0'],
  [5n, '/v1/x/5'],
  [new String('s'), '/v1/x/s'],
  [{ toString: () => 'ok' }, '/v1/x/ok'],
  ['...', '/v1/x/...'],
  ['', /found "" \(string\)$/],
  ['.', /found "\." \(string\)$/],
  ['..', /found "\.\." \(string\)$/],
  [['..'], /found "\.\." \(object\)$/],
  [undefined, /found "" \(undefined\)$/],
  [null, /found "" \(object\)$/],
  [{}, /found "\[object Object\]" \(object\)$/],
  [[], /found "" \(object\)$/],
  [Math, /without an id/],
]

for (const [id, expected] of ids) {
  test(`pathOf() with an id of ${inspect(id)}`, () => {
    if (expected instanceof RegExp)
      assert.throws(() => pathOf('/v1/x', id), { name: 'AnthropicError', message: expected })
    else assert.equal(pathOf('/v1/x', id), expected)
  })
}

const betas: [name: string, value: unknown, expected: unknown][] = [
  ['undefined', undefined, ['own']],
  ['null', null, ['own']],
  ['an empty list', [], ['own']],
  ['a list', ['a', 'b'], ['a', 'b', 'own']],
  ['a text', 'abc', ['abc', 'own']],
]

for (const [name, value, expected] of betas) {
  test(`splitHeaderParams() with betas of ${name}`, () => {
    const [params, options] = splitHeaderParams({ betas: value as string[], user_profile_id: null }, { betas: ['own'] })
    assert.deepEqual(params, {})
    assert.deepEqual(options?.betas, expected)
  })
}

test('encodeBody() sends text and bytes as they are', () => {
  assert.equal(encodeBody('{"a":"\\ud83d"}'), '{"a":"\\ud83d"}')
  const bytes = Uint8Array.of(1, 2)
  assert.equal(encodeBody(bytes), bytes)
  assert.equal(encodeBody(undefined), undefined)
  assert.equal(encodeBody(null), undefined)
})
