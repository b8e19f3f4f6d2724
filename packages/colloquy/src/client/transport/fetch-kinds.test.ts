// Implementations and mocks of `fetch` whose responses are not quite those of the platform.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import { hello, helloEvents, params } from '../request/fault-server.test.ts'

const events = helloEvents.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const headers = (type: string): Headers => new Headers({ 'content-type': type, 'request-id': 'req_1' })

/** Makes a response with a body of some kind. */
type Make = (text: string, type: string) => object

const kinds: Record<string, Make> = {
  'a Response': (text, type) => new Response(text, { headers: headers(type) }),
  'a Node stream, as of node-fetch': (text, type) => ({
    status: 200,
    headers: headers(type),
    body: Readable.from([Buffer.from(text)]),
  }),
  'a Node stream of texts': (text, type) => ({ status: 200, headers: headers(type), body: Readable.from([...text]) }),
  'a web stream of texts': (text, type) =>
    new Response(
      webStream(text, (piece) => piece),
      { headers: headers(type) },
    ),
  'a web stream of buffers': (text, type) =>
    new Response(
      webStream(text, (piece) => new TextEncoder().encode(piece).buffer),
      { headers: headers(type) },
    ),
  'a web stream of views': (text, type) =>
    new Response(
      webStream(text, (piece) => new DataView(new TextEncoder().encode(`[${piece}`).buffer, 1)),
      { headers: headers(type) },
    ),
  'an async generator': (text, type) => ({ status: 200, headers: headers(type), body: pieces(text) }),
  'text() alone, as of React Native': (text, type) => ({
    status: 200,
    headers: headers(type),
    body: undefined,
    text: async () => text,
  }),
  'text() and a body of null': (text, type) => ({
    status: 200,
    headers: headers(type),
    body: null,
    text: async () => text,
  }),
  'arrayBuffer() alone': (text, type) => ({
    status: 200,
    headers: headers(type),
    arrayBuffer: async () => new TextEncoder().encode(text).buffer,
  }),
  'a text as its body': (text, type) => ({ status: 200, headers: headers(type), body: text }),
  'bytes as its body': (text, type) => ({ status: 200, headers: headers(type), body: new TextEncoder().encode(text) }),
  'headers in an object': (text, type) => ({
    status: 200,
    headers: { 'content-type': type, 'Request-Id': 'req_1' },
    text: async () => text,
  }),
}

/** A stream as mocks make it, of pieces that are not a `Uint8Array`. */
function webStream(text: string, encode: (piece: string) => unknown): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const piece of text.match(/.{1,40}/gs)!) controller.enqueue(encode(piece))
      controller.close()
    },
  })
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of new TextEncoder().encode(text)) yield Uint8Array.of(byte)
}

function clientOf(make: Make, text: string, type: string): Anthropic {
  return new Anthropic({
    apiKey: 'key',
    baseURL: 'http://a.test',
    maxRetries: 0,
    fetch: async () => make(text, type) as Response,
  })
}

for (const [name, make] of Object.entries(kinds)) {
  test(`create() reads ${name}`, async () => {
    const message = await clientOf(make, JSON.stringify(hello), 'application/json').messages.create(params)
    assert.deepEqual(message, hello)
    assert.equal(message._request_id, 'req_1')
  })

  test(`stream() reads ${name}`, async () => {
    assert.equal(await clientOf(make, events, 'text/event-stream').messages.stream(params).finalText(), 'Hello!')
  })

  test(`an error is read from ${name}`, async () => {
    const body = '{"type":"error","error":{"type":"invalid_request_error","message":"No"}}'
    const failing: Make = (text, type) => Object.defineProperty(make(text, type), 'status', { value: 400 })
    await assert.rejects(clientOf(failing, body, 'application/json').messages.create(params), {
      name: 'BadRequestError',
      apiMessage: 'No',
      requestID: 'req_1',
    })
  })

  test(`leaving a stream of ${name} early is not an error`, async () => {
    for await (const event of await clientOf(make, events, 'text/event-stream').messages.create({
      ...params,
      stream: true,
    })) {
      assert.equal(event.type, 'message_start')
      break
    }
  })
}

test('create() reads json() alone, as of a mock', async () => {
  const make: Make = () => ({ status: 200, headers: headers('application/json'), json: async () => hello })
  assert.deepEqual(await clientOf(make, '', '').messages.create(params), hello)
})

test('a response without headers or a body is one clear error', async () => {
  await assert.rejects(clientOf(() => ({ status: 200 }), '', '').messages.create(params), { name: 'APIResponseError' })
})

test('a fetch that returns nothing is one clear error', async () => {
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://a.test',
    maxRetries: 0,
    fetch: async () => undefined as never,
  })
  await assert.rejects(client.messages.create(params), {
    name: 'AnthropicError',
    message: /fetch returned none/,
  })
})

test('leaving batch results early cancels the body before its signal breaks it off', async () => {
  const seen: string[] = []
  const body = (signal: AbortSignal): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"custom_id":"a"}\n'))
        signal.addEventListener('abort', () => seen.push('aborted'))
      },
      cancel: () => void seen.push('cancelled'),
    })
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://api.test',
    fetch: async (url, init) =>
      url.endsWith('results')
        ? new Response(body(init!.signal!))
        : Response.json({ id: 'b', results_url: 'http://api.test/results' }),
  })
  for await (const _ of await client.messages.batches.results('b')) break
  assert.deepEqual(seen, ['cancelled', 'aborted'])
})

test('fetch is given the request as the platform takes it', async () => {
  let seen: RequestInit | undefined
  const fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    assert.equal(typeof url, 'string')
    seen = init
    return Response.json(hello)
  }
  await new Anthropic({ apiKey: 'key', baseURL: 'http://a.test', fetch }).messages.create(params)
  assert.ok(seen?.headers instanceof Headers && seen.signal instanceof AbortSignal)
  assert.deepEqual([seen.method, typeof seen.body, seen.redirect], ['POST', 'string', 'manual'])
  assert.equal(seen.headers.get('x-api-key'), 'key')
})

test('a dispatcher of another version of undici is named, and not tried again', async () => {
  let attempts = 0
  const fetch = async (): Promise<never> => {
    attempts++
    const cause = Object.assign(new Error('invalid onRequestStart method'), { code: 'UND_ERR_INVALID_ARG' })
    throw new TypeError('fetch failed', { cause })
  }
  const client = new Anthropic({ apiKey: 'key', fetch })
  await assert.rejects(client.messages.create(params), {
    name: 'APIConnectionError',
    message:
      /^Connection error: cannot reach https:\/\/api\.anthropic\.com \(the dispatcher is of another version of undici/,
  })
  assert.equal(attempts, 1)
})

test('a redirect that a browser hides is an error', async () => {
  const make: Make = () =>
    Object.defineProperties(new Response(null), { status: { value: 0 }, type: { value: 'opaqueredirect' } })
  await assert.rejects(clientOf(make, '', '').messages.create(params), {
    name: 'APIError',
    status: undefined,
    message: /^Cannot follow a redirect to another URL/,
  })
})
