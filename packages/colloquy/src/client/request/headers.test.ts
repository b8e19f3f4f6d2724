import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Anthropic } from '../client.ts'
import { faultServer, hello, helloEvents, overloaded, params } from './fault-server.test.ts'
import { mergeHeaders, rateLimits, type HeadersLike } from './headers.ts'

const headers = {
  'anthropic-ratelimit-requests-limit': '50',
  'anthropic-ratelimit-requests-remaining': '49',
  'anthropic-ratelimit-requests-reset': '2026-02-25T20:02:37Z',
  'anthropic-ratelimit-input-tokens-remaining': '29000',
  'anthropic-priority-output-tokens-limit': '10',
  'anthropic-ratelimit-unified-5h-reset': '1767225600',
  'anthropic-ratelimit-odd-limit': 'many',
  'anthropic-organization-id': 'org',
}

const reset = new Date('2026-02-25T20:02:37Z')

test('rateLimits() reads every kind of limit, known or unknown', () => {
  assert.deepEqual(rateLimits(new Headers(headers)), {
    requests: { limit: 50, remaining: 49, reset },
    'input-tokens': { limit: undefined, remaining: 29_000, reset: undefined },
    'priority-output-tokens': { limit: 10, remaining: undefined, reset: undefined },
    'unified-5h': { limit: undefined, remaining: undefined, reset: new Date('2026-01-01T00:00:00Z') },
    odd: { limit: undefined, remaining: undefined, reset: undefined },
  })
  assert.deepEqual(rateLimits(undefined), {})
})

test('rateLimits() reads a response, a stream and an error', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(200, hello, headers),
    (answer) =>
      answer
        .stream(headers)
        .send(...helloEvents)
        .end(),
    (answer) =>
      answer
        .stream(headers)
        .send(...helloEvents)
        .end(),
    (answer) => answer.json(529, overloaded, headers),
  )
  const client = server.client({ maxRetries: 0 })
  const { data, response, request_id } = await client.messages.create(params).withResponse()
  assert.deepEqual(data, hello)
  assert.equal(request_id, 'req_test')
  assert.deepEqual(rateLimits(response.headers)['requests']?.reset, reset)
  const stream = await client.messages.create({ ...params, stream: true })
  assert.equal(rateLimits(stream.response?.headers)['requests']?.remaining, 49)
  await Array.fromAsync(stream)
  const helper = client.messages.stream(params)
  await helper.done()
  assert.equal(rateLimits(helper.response?.headers)['requests']?.remaining, 49)
  await assert.rejects(client.messages.create(params), (error: Anthropic.APIError) => {
    assert.equal(rateLimits(error.headers)['requests']?.remaining, 49)
    return true
  })
})

const sources: [name: string, source: unknown, expected: Record<string, string> | RegExp][] = [
  ['undefined', undefined, { a: '0' }],
  ['null', null, { a: '0' }],
  ['an empty object', {}, { a: '0' }],
  ['an empty list', [], { a: '0' }],
  ['a Map', new Map([['A', '1']]), { a: '1' }],
  ['Headers', new Headers({ A: '1' }), { a: '1' }],
  ['pairs', [['A', '1']], { a: '1' }],
  ['a value of undefined', { A: undefined }, { a: '0' }],
  ['a value of null', { A: null }, {}],
  ['an empty text', { A: '' }, { a: '' }],
  ['white space', { A: ' 1\n' }, { a: '1' }],
  ['a number', { A: 1.5 }, { a: '1.5' }],
  ['a boolean', { A: false }, { a: 'false' }],
  ['a bigint', { A: 5n }, { a: '5' }],
  ['a date', { A: new Date(0) }, { a: 'Thu, 01 Jan 1970 00:00:00 GMT' }],
  ['a list', { A: ['1', '2'] }, { a: '1, 2' }],
  ['a list in pairs', [['A', ['1', 2]]], { a: '1, 2' }],
  ['a list of nothing', { A: [] }, { a: '0' }],
  ['a list of undefined', { A: [undefined] }, { a: '0' }],
  ['a list of null', { A: [null] }, {}],
  [
    'a repeated name',
    [
      ['A', '1'],
      ['a', '2'],
    ],
    { a: '1, 2' },
  ],
  [
    'a repeated name after a null',
    [
      ['A', ['1', null]],
      ['a', '2'],
    ],
    { a: '2' },
  ],
  ['names that differ in case', { A: '1', a: '2' }, { a: '2' }],
  ['names that differ in case, the last undefined', { A: '1', a: undefined }, { a: '1' }],
  ['names that differ in case, the last null', { A: '1', a: null }, {}],
  ['names that differ in case, the last a list', { A: '1', a: ['2', '3'] }, { a: '2, 3' }],
  ['cookies in a list', { Cookie: ['b=1', 'c=2'] }, { a: '0', cookie: 'b=1; c=2' }],
  [
    'cookies in pairs',
    [
      ['cookie', 'b=1'],
      ['Cookie', 'c=2'],
    ],
    { a: '0', cookie: 'b=1; c=2' },
  ],
  ['an object', { A: {} }, /^Cannot send the header a: /],
  ['a symbol', { A: Symbol('s') }, /^Cannot send the header a: /],
  ['a function', { A: () => '1' }, /^Cannot send the header a: /],
  ['a line break', { A: '1\r\nb: 2' }, /^Cannot send the header a: /],
  ['a character beyond Latin-1', { A: '€' }, /^Cannot send the header a: /],
  ['a name with a space', { 'A b': '1' }, /^Cannot send the header a b: /],
  ['an empty name', { '': '1' }, /^Cannot send the header : /],
  ['a text', 'A: secret', /^Cannot read headers: found a string instead of a pair$/],
  ['a list of texts', ['A: secret'], /^Cannot read headers: found a string instead of a pair$/],
  ['true', true, /^Cannot read headers: found a boolean instead of a pair$/],
]

for (const [name, source, expected] of sources) {
  test(`mergeHeaders() with ${name}`, () => {
    const merge = (): Record<string, string> => mergeHeaders({ a: '0' }, source as HeadersLike).values
    if (expected instanceof RegExp) assert.throws(merge, { name: 'AnthropicError', message: expected })
    else assert.deepEqual(merge(), expected)
  })
}
