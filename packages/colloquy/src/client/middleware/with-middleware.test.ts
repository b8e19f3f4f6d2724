import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APIConnectionError } from '../../protocol/types/error.ts'
import { Anthropic } from '../client.ts'
import { type Answer, faultServer, hello, helloEvents, overloaded, params } from '../request/fault-server.test.ts'
import type { Middleware } from '../request/options.ts'
import { RetryableError } from '../request/errors.ts'

const replies = (answer: Answer): void => {
  answer.json(200, hello)
}

test('middleware wraps every attempt, the first outermost, and may change it', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(529, overloaded, { 'retry-after-ms': '1' }),
    (answer) => answer.json(200, hello),
  )
  const order: string[] = []
  const note =
    (name: string): Middleware =>
    async (request, next, { options }) => {
      order.push(`${name} ${options?.path} ${request.headers.get('x-stainless-retry-count')}`)
      request.headers.set('x-trace', `${request.headers.get('x-trace') ?? ''}${name}`)
      const response = await next(request)
      order.push(`${name} ${response.status}`)
      return response
    }
  const client = server.client({ middleware: [note('a')] })
  assert.deepEqual(await client.messages.create(params, { middleware: [note('b')] }), hello)
  const round = (status: number, count: number): string[] => [
    `a /v1/messages ${count}`,
    `b /v1/messages ${count}`,
    `b ${status}`,
    `a ${status}`,
  ]
  assert.deepEqual(order, [...round(529, 0), ...round(200, 1)])
  assert.equal(server.requests[1]!.headers['x-trace'], 'ab')
  assert.deepEqual(JSON.parse(server.requests[1]!.body), params)
})

test('a stream passes through middleware as it arrives', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents)
      .end(),
  )
  const seen: string[] = []
  const client = server.client({
    middleware: [
      async (request, next) => {
        const response = await next(request)
        seen.push(response.headers.get('content-type') ?? '')
        return response
      },
    ],
  })
  assert.equal(await client.messages.stream(params).finalText(), 'Hello!')
  assert.deepEqual(seen, ['text/event-stream; charset=utf-8'])
})

test('middleware may return its own response', async () => {
  const client = new Anthropic({
    apiKey: 'key',
    middleware: [async () => Response.json(hello, { headers: { 'request-id': 'req_cache' } })],
  })
  const message = await client.messages.create(params)
  assert.deepEqual(message, hello)
  assert.equal((message as { _request_id?: string })._request_id, 'req_cache')
})

test('an error of middleware reaches the caller; a connection error is retried', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const mistake = new TypeError('mistake')
  await assert.rejects(server.client({ middleware: [() => Promise.reject(mistake)] }).messages.create(params), mistake)
  let tries = 0
  const flaky: Middleware = async (request, next) => {
    if (tries++ === 0) throw new APIConnectionError()
    return next(request)
  }
  assert.deepEqual(await server.client({ middleware: [flaky] }).messages.create(params), hello)
  assert.equal(tries, 2)
})

test('a RetryableError of middleware is retried until no retry is left', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  let failures = 1
  let tries = 0
  const cause = Object.assign(new Error('the signature is too old'), { code: 'ERR_INVALID_STATE' })
  const signs: Middleware = async (request, next) => {
    if (tries++ < failures) throw new RetryableError('Cannot sign', { cause })
    return next(request)
  }
  const client = server.client({ middleware: [signs] })
  assert.deepEqual(await client.messages.create(params), hello)
  assert.equal(tries, 2)
  tries = 0
  failures = Infinity
  await assert.rejects(client.messages.create(params, { maxRetries: 1 }), { message: 'Cannot sign', cause })
  assert.equal(tries, 2)
})

test('a body that middleware has read is one clear error', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const eats: Middleware = async (request, next) => {
    const response = await next(request)
    await response.text()
    return response
  }
  await assert.rejects(
    server.client({ middleware: [eats] }).messages.create(params),
    /a middleware consumed the response body\. It should read response\.clone\(\)/,
  )
})

test('an abort reaches through middleware', async (t) => {
  const server = await faultServer(t, () => {})
  const controller = new AbortController()
  const client = server.client({ middleware: [(request, next) => next(request)] })
  const call = client.messages.create(params, { signal: controller.signal })
  setTimeout(() => controller.abort(), 30)
  await assert.rejects(call, Anthropic.APIUserAbortError)
  await server.idle()
})

test('context.parse() reads JSON with its ids, once, and leaves the response to the client', async (t) => {
  const server = await faultServer(t, replies)
  const seen: unknown[] = []
  const observe: Middleware = async (request, next, { parse }) => {
    const response = await next(request)
    const message = await parse<Anthropic.Message & { _request_id?: string }>(response)
    seen.push(message.id, message._request_id, (await parse(response)) === message)
    return response
  }
  assert.equal((await server.client({ middleware: [observe] }).messages.create(params)).id, 'msg_1')
  assert.deepEqual(seen, ['msg_1', 'req_test', true])
})

test('context.parse() of a reply that streams gives its events, while the client reads them too', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents)
      .end(),
  )
  const types: string[] = []
  let observed: Promise<void> | undefined
  const observe: Middleware = async (request, next, { parse }) => {
    const response = await next(request)
    const events = await parse<AsyncIterable<Anthropic.MessageStreamEvent>>(response)
    observed = (async () => {
      for await (const { type } of events) types.push(type)
    })()
    return response
  }
  const text = await server
    .client({ middleware: [observe] })
    .messages.stream(params)
    .finalText()
  assert.equal(text, 'Hello!')
  await observed
  assert.deepEqual([types[0], types.at(-1), types.includes('ping')], ['message_start', 'message_stop', false])
})

test('context.options has stream for a reply that streams', async (t) => {
  const answers = [1, 2].map(() => (answer: Answer) => {
    answer
      .stream()
      .send(...helloEvents)
      .end()
  })
  const server = await faultServer(t, ...answers, replies)
  const seen: unknown[] = []
  const observe: Middleware = (request, next, { options }) => {
    seen.push(options?.stream)
    return next(request)
  }
  const { messages } = server.client({ middleware: [observe] })
  await messages.stream(params).done()
  await Array.fromAsync(await messages.create({ ...params, stream: true }))
  await messages.create(params)
  assert.deepEqual(seen, [true, true, undefined])
})

test('context.parse() of a download gives its response, unread', async () => {
  const fetch = async (): Promise<Response> =>
    new Response('a,b', { headers: { 'content-type': 'application/octet-stream' } })
  let parsed: unknown
  const observe: Middleware = async (request, next, { parse }) => {
    const response = await next(request)
    parsed = (await parse(response)) === response
    return response
  }
  const { files } = new Anthropic({ apiKey: 'key', fetch, middleware: [observe] })
  assert.equal(await (await files.download('file_1')).text(), 'a,b')
  assert.equal(parsed, true)
})

test('a middleware may send a body in pieces', async (t) => {
  const server = await faultServer(t, replies, replies)
  const pieces = ['{"a":', '1}'].map((text) => new TextEncoder().encode(text))
  const change: Middleware = (request, next) => next({ ...request, body: pieces })
  for (const options of [{}, { fetch: (url: string, init?: RequestInit) => globalThis.fetch(url, init) }])
    await server.client({ middleware: [change], ...options }).messages.create(params)
  assert.deepEqual(
    server.requests.map(({ body }) => body),
    ['{"a":1}', '{"a":1}'],
  )
})

test('the timeout of an attempt counts what the middleware sends and not the middleware', async (t) => {
  const server = await faultServer(t, replies, () => {})
  const slow: Middleware = async (request, next) => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    return next(request)
  }
  const client = server.client({ middleware: [slow], timeout: 200, maxRetries: 0 })
  assert.equal((await client.messages.create(params)).id, 'msg_1')
  await assert.rejects(client.messages.create(params), Anthropic.APIConnectionTimeoutError)
})

test('the timeout counts a body that comes slowly, from when the middleware sent the request', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(200, { 'content-type': 'application/json' }).send('{')
  })
  const client = server.client({ middleware: [(request, next) => next(request)], timeout: 200, maxRetries: 0 })
  await assert.rejects(client.messages.create(params), Anthropic.APIConnectionTimeoutError)
})

test('an error whose causes form a circle is thrown as it is', async () => {
  const error = new Error('round')
  error.cause = new Error('about', { cause: error })
  const client = new Anthropic({ apiKey: 'key', middleware: [() => Promise.reject(error)] })
  await assert.rejects(client.messages.create(params), error)
})

test('a value that is thrown and is not an error becomes one', async () => {
  const client = new Anthropic({ apiKey: 'key', middleware: [() => Promise.reject('oops')] })
  await assert.rejects(client.messages.create(params), { name: 'Error', message: 'oops', cause: 'oops' })
})

test('the logger of middleware writes only the levels of the client', async (t) => {
  const server = await faultServer(t, replies)
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  const logger = { error: write, warn: write, info: write, debug: write }
  const chatty: Middleware = async (request, next, context) => {
    for (const level of ['error', 'warn', 'info', 'debug'] as const) context.logger[level](level)
    return next(request)
  }
  await server.client({ logger, logLevel: 'off', middleware: [chatty] }).messages.create(params)
  assert.deepEqual(lines, [])
  await server.client({ logger, logLevel: 'warn', middleware: [chatty] }).messages.create(params)
  assert.deepEqual(lines, ['error', 'warn'])
})
