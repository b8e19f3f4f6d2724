import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import { formOf } from './on-demand/web-body.ts'
import { faultServer } from './fault-server.test.ts'

const bytes = new TextEncoder().encode('a\nb\n')

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 2)
  yield bytes.subarray(2)
}

/** A body, its media type, and whether a `fetch` receives it as a stream. */
type Row = [name: string, make: () => unknown, contentType: string | undefined, isStream: boolean]

const rows: Row[] = [
  ['an iterator', () => [bytes][Symbol.iterator](), undefined, true],
  ['an iterator of texts', () => ['a\n', 'b\n'][Symbol.iterator](), undefined, true],
  ['an async generator', pieces, undefined, true],
  ['a ReadableStream', () => new Response(bytes).body, undefined, true],
  ['a Blob', () => new Blob([bytes], { type: 'text/plain' }), 'text/plain', false],
  ['a Blob without a type', () => new Blob([bytes]), undefined, false],
  ['an ArrayBuffer', () => bytes.buffer, undefined, false],
  ['a function', () => async () => new Blob([bytes], { type: 'text/plain' }), 'text/plain', false],
]

for (const [name, make, contentType, isStream] of rows) {
  test(`a body that is ${name} is sent again by a retry, over every transport`, async (t) => {
    const answers = [529, 200, 529, 200].map(
      (status) => (answer: { json: (status: number, body: object, headers: object) => void }) =>
        answer.json(status, {}, { 'retry-after-ms': '1' }),
    )
    const server = await faultServer(t, ...(answers as never[]))
    const received: unknown[] = []
    const fetch = (url: string, init?: RequestInit): Promise<Response> => {
      received.push(init?.body instanceof ReadableStream)
      return globalThis.fetch(url, init)
    }
    for (const options of [{}, { fetch }])
      await server.client({ maxRetries: 1, ...options }).post('/v1/x', { body: make() })
    for (const { body, headers } of server.requests) {
      assert.equal(body, 'a\nb\n')
      assert.equal(headers['content-type'], contentType)
    }
    assert.equal(server.requests.length, 4)
    assert.deepEqual(received, [isStream, isStream])
  })
}

test('the media type of a stream is that of the request', async () => {
  const fetch = async (_: string, init?: RequestInit): Promise<Response> =>
    Response.json({ type: new Headers(init?.headers).get('content-type') })
  const client = new Anthropic({ apiKey: 'key', fetch })
  const sent = await client.post('/v1/x', { body: pieces(), headers: { 'Content-Type': 'text/plain' } })
  assert.deepEqual(sent, { type: 'text/plain' })
})

test('a body whose iterator fails is the error of the request', async () => {
  async function* failing(): AsyncGenerator<string> {
    yield 'a'
    throw new Error('no more')
  }
  const client = new Anthropic({ apiKey: 'key', fetch: async () => Response.json({}) })
  await assert.rejects(client.post('/v1/x', { body: failing() }), { message: 'no more' })
})

const fields: [name: string, value: unknown, expected: [string, string][] | RegExp][] = [
  ['undefined', undefined, []],
  ['a text', 'b', [['a', 'b']]],
  ['a number', 5, [['a', '5']]],
  ['a boolean', false, [['a', 'false']]],
  [
    'a list',
    ['b', undefined, 5],
    [
      ['a[]', 'b'],
      ['a[]', '5'],
    ],
  ],
  ['an empty list', [], []],
  ['an object', { b: 'c', d: undefined }, [['a[b]', 'c']]],
  ['an object of lists', { b: [{ c: 1 }] }, [['a[b][][c]', '1']]],
  ['a promise', Promise.resolve('b'), [['a', 'b']]],
  ['null', null, /^Cannot send a in a form: expected .*: found null$/],
  ['a list of null', [null], /^Cannot send a\[\] in a form: /],
  ['bytes', bytes, /^Cannot send a in a form: bytes have no name/],
  ['a date', new Date(0), /^Cannot send a in a form: /],
  ['a function', () => 'b', /^Cannot send a in a form: /],
]

for (const [name, value, expected] of fields) {
  test(`a form with a field of ${name}`, async () => {
    const form = formOf({ a: value })
    if (expected instanceof RegExp) await assert.rejects(form, { name: 'TypeError', message: expected })
    else assert.deepEqual([...(await form)], expected)
  })
}
