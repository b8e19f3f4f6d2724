import assert from 'node:assert/strict'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import {
  endTurn,
  faultServer,
  hello,
  helloEvents,
  inOnePiece,
  overloaded,
  params,
  ping,
  start,
  text,
  textStart,
  type FaultServer,
  type Step,
} from './fault-server.test.ts'
import type { Retry } from './options.ts'

const says: Step = (answer) =>
  answer
    .stream()
    .send(...helloEvents)
    .end()
const replies: Step = (answer) => answer.json(200, hello)

/** The events and the error of a stream. */
async function read(stream: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<{ types: string[]; error: unknown }> {
  const types: string[] = []
  try {
    for await (const event of stream) types.push(event.type)
  } catch (error) {
    return { types, error }
  }
  return { types, error: undefined }
}

async function streamFrom(server: FaultServer, options: Anthropic.RequestOptions = {}) {
  return server.client().messages.create({ ...params, stream: true }, options)
}

function isBroken(error: unknown, partialText: string | undefined): void {
  assert.ok(error instanceof Anthropic.APIStreamError, `found ${String(error)}`)
  assert.ok(error instanceof Anthropic.APIConnectionError)
  assert.equal(error.requestID, 'req_test')
  assert.equal(error.status, undefined)
  const block = error.partial?.content[0]
  assert.equal(block?.type === 'text' ? block.text : undefined, partialText)
  if (partialText !== undefined) assert.equal(error.usage?.input_tokens, 12)
}

// A stream that breaks off

test('a stream without message_stop is an APIStreamError with partial, usage and id', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel')).end())
  const { types, error } = await read(await streamFrom(server))
  assert.deepEqual(types, ['message_start', 'content_block_start', 'content_block_delta'])
  isBroken(error, 'Hel')
  assert.equal(server.requests.length, 1)
})

test('the usage of a broken stream is the last one reported', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hello!'), endTurn).end())
  const { error } = await read(await streamFrom(server))
  assert.ok(error instanceof Anthropic.APIStreamError)
  assert.deepEqual([error.usage?.input_tokens, error.usage?.output_tokens], [12, 3])
})

test('a stream that is cut is an APIStreamError', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel')).cut())
  const { error } = await read(await streamFrom(server))
  isBroken(error, 'Hel')
})

test('a stream that is reset is an APIStreamError', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel')).reset())
  const { error } = await read(await streamFrom(server))
  isBroken(error, 'Hel')
})

test('finalMessage() rejects with the same APIStreamError as the iteration', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel')).reset())
  const stream = server.client().messages.stream(params)
  await assert.rejects(stream.finalMessage(), (error) => (isBroken(error, 'Hel'), true))
  await assert.rejects(stream.done(), Anthropic.APIStreamError)
  assert.ok(stream.errored && stream.ended && !stream.aborted)
})

test('an error event after the first event is an APIStreamError with its error', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.stream().send(start, textStart, text('Hel')).send(overloaded).end(),
  )
  const stream = await streamFrom(server)
  const { types, error } = await read(stream)
  assert.equal(types.length, 3)
  isBroken(error, 'Hel')
  assert.equal((error as Anthropic.APIError).type, 'overloaded_error')
  assert.equal((error as Anthropic.APIError).apiMessage, 'Overloaded')
  assert.equal(server.requests.length, 1)
})

test('an event that is not JSON is an APIStreamError, after the events before it', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.stream().send(start, textStart, text('Hel'), 'event: content_block_delta\ndata: {"type":\n\n').end(),
  )
  const { types, error } = await read(await streamFrom(server))
  assert.equal(types.length, 3)
  isBroken(error, 'Hel')
})

test('a stream ends at message_stop even if the connection stays open', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(...helloEvents))
  const stream = server.client().messages.stream(params)
  assert.equal((await stream.finalMessage()).stop_reason, 'end_turn')
  const { types, error } = await read(await streamFrom(server))
  assert.equal(error, undefined)
  assert.equal(types.at(-1), 'message_stop')
  await server.idle()
})

test('events after message_stop are ignored', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents, overloaded, 'data: {\n\n')
      .reset(),
  )
  const { types, error } = await read(await streamFrom(server))
  assert.equal(error, undefined)
  assert.equal(types.length, helloEvents.length - 1)
})

test('a response that is not a stream is an error that says what arrived', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(200, { 'content-type': 'text/html' }).response.end('<html>hello</html>')
  })
  await assert.rejects(streamFrom(server, { maxRetries: 0 }), /text\/html/)
})

// Before the first event

for (const type of ['overloaded_error', 'rate_limit_error', 'api_error', 'timeout_error']) {
  test(`${type} in a stream is retried before the first event`, async (t) => {
    const fault = { type: 'error', error: { type, message: 'Later' } }
    const server = await faultServer(t, (answer) => answer.stream().send(ping, fault).end(), says)
    const { types, error } = await read(await streamFrom(server))
    assert.equal(error, undefined)
    assert.equal(types.length, helloEvents.length - 1)
    assert.equal(server.requests.length, 2)
  })
}

test('an error in the same chunk as the first event is retried too', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(inOnePiece(start, overloaded)).end(), says)
  const { types } = await read(await streamFrom(server))
  assert.equal(types.length, helloEvents.length - 1)
  assert.equal(server.requests.length, 2)
})

test('a stream that is cut before its first event is retried', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(': hi\n\n').reset(), says)
  assert.equal((await read(await streamFrom(server))).error, undefined)
  assert.equal(server.requests.length, 2)
})

test('an error event that lasts is thrown at once, as by the official client', async (t) => {
  const fault = { type: 'error', error: { type: 'invalid_request_error', message: 'No' } }
  const server = await faultServer(t, (answer) => answer.stream().send(fault).end())
  await assert.rejects(streamFrom(server), (error: Anthropic.APIError) => {
    assert.equal(error.constructor, Anthropic.APIError)
    assert.equal(error.status, undefined)
    assert.equal(error.type, 'invalid_request_error')
    assert.equal(error.requestID, 'req_test')
    return true
  })
  assert.equal(server.requests.length, 1)
})

// Silence

test('a stream that falls silent ends with an APIStreamError after idleTimeout', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(start, textStart, text('Hel')))
  const { error } = await read(await streamFrom(server, { idleTimeout: 80 }))
  isBroken(error, 'Hel')
  assert.ok((error as Error).cause instanceof Anthropic.APIConnectionTimeoutError)
  assert.match((error as Error).message, /80 ms/)
  await server.idle()
})

test('idleTimeout is that of the request, else of the client, else 60 seconds', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(start))
  const client = server.client({ idleTimeout: 40 })
  const silence = async (options: Anthropic.RequestOptions): Promise<string> =>
    String((await read(await client.messages.create({ ...params, stream: true }, options))).error)
  assert.match(await silence({}), /nothing arrived for 40 ms/)
  assert.match(await silence({ idleTimeout: 50 }), /nothing arrived for 50 ms/)

  let now = 0
  t.mock.method(performance, 'now', () => now)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const iterator = (await streamFrom(server))[Symbol.asyncIterator]()
  await iterator.next()
  let failure: unknown
  iterator.next().catch((error: unknown) => (failure = error))
  for (; failure === undefined && now < 90_000; now += 500) {
    t.mock.timers.tick(500)
    await setImmediate()
  }
  assert.match(String(failure), /nothing arrived for 60000 ms/)
  // A look at the stream comes up to a second later.
  assert.ok(now >= 60_000 && now <= 62_000, `failed after ${now} ms`)
})

test('a stream with another content type that never begins ends after idleTimeout', async (t) => {
  const server = await faultServer(t, (answer) => void answer.head(200, { 'content-type': 'application/json' }))
  const stream = server.client().messages.stream(params, { idleTimeout: 80, maxRetries: 0 })
  await assert.rejects(stream.finalMessage(), {
    name: 'APIConnectionTimeoutError',
    message: /nothing arrived for 80 ms/,
  })
  await server.idle()
})

test('an idleTimeout or totalTimeout of 0 removes the limit of the client', async (t) => {
  const silent = await faultServer(t, (answer) => void answer.stream().send(start))
  const slow = await faultServer(t, async (answer) => {
    answer.stream().send(start)
    await sleep(60)
    answer.send(...helloEvents.slice(1)).end()
  })
  for (const name of ['idleTimeout', 'totalTimeout'] as const) {
    const client = silent.client({ idleTimeout: 2000, [name]: 20 })
    assert.match(String((await read(client.messages.stream(params))).error), new RegExp(`${name}|timed out`))
    const patient = client.withOptions({ baseURL: slow.url })
    const { types, error } = await read(patient.messages.stream(params, { [name]: 0 }))
    assert.deepEqual([error, types.at(-1)], [undefined, 'message_stop'], name)
  }
})

test('pings keep a stream alive', async (t) => {
  const server = await faultServer(t, async (answer) => {
    answer.stream().send(start)
    for (let i = 0; i < 8; i++) {
      await sleep(50)
      answer.send(ping)
    }
    answer.send(...helloEvents.slice(1)).end()
  })
  const { types, error } = await read(await streamFrom(server, { idleTimeout: 250 }))
  assert.equal(error, undefined)
  assert.equal(types.at(-1), 'message_stop')
})

test('a stream includes pings if the option asks for them', async (t) => {
  const server = await faultServer(t, says, says)
  const { types } = await read(await streamFrom(server, { pings: true }))
  assert.deepEqual(
    types,
    helloEvents.map(({ type }) => type),
  )
  let pings = 0
  await server
    .client()
    .messages.stream(params, { pings: true })
    .on('ping', () => pings++)
    .done()
  assert.equal(pings, 1)
})

test('idleTimeout does not count the time of a slow reader', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents)
      .end(),
  )
  const types: string[] = []
  for await (const { type } of await streamFrom(server, { idleTimeout: 60 })) {
    types.push(type)
    await sleep(30)
  }
  assert.equal(types.at(-1), 'message_stop')
})

test('half a body and then silence is an APIConnectionTimeoutError after timeout', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(200, { 'content-type': 'application/json' }).send('{"id":')
  })
  const call = server.client().messages.create(params, { timeout: 80, maxRetries: 1 })
  await assert.rejects(call, Anthropic.APIConnectionTimeoutError)
  assert.equal(server.requests.length, 2)
  await server.idle()
})

test('no response is an APIConnectionTimeoutError after timeout', async (t) => {
  const server = await faultServer(t, () => {})
  await assert.rejects(
    server.client().messages.create(params, { timeout: 50, maxRetries: 0 }),
    Anthropic.APIConnectionTimeoutError,
  )
  await server.idle()
})

test('totalTimeout bounds a stream that does not end', async (t) => {
  const server = await faultServer(t, async (answer) => {
    answer.stream().send(start, textStart)
    for (let i = 0; i < 200 && answer.response.writable; i++) {
      await sleep(10)
      answer.send(text('x'))
    }
  })
  const { error } = await read(await streamFrom(server, { totalTimeout: 700 }))
  assert.ok(error instanceof Anthropic.APIStreamError)
  assert.match(error.message, /totalTimeout/)
  assert.ok(error.cause instanceof Anthropic.APIConnectionTimeoutError)
  assert.equal(error.cause.notRetriedBecause, 'totalTimeout')
})

test('totalTimeout allows no retry whose wait would exceed it', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(529, overloaded))
  await assert.rejects(server.client().messages.create(params, { totalTimeout: 300 }), Anthropic.OverloadedError)
  assert.equal(server.requests.length, 1)
})

// Retries

test('529, 500 and a reset connection are retried until a response arrives', async (t) => {
  const retries: Retry[] = []
  const server = await faultServer(
    t,
    (answer) => answer.json(529, overloaded, { connection: 'close' }),
    (answer) => answer.reset(),
    (answer) =>
      answer.json(500, { type: 'error', error: { type: 'api_error', message: 'Oops' } }, { 'retry-after-ms': '5' }),
    replies,
  )
  const message = await server
    .client()
    .messages.create(params, { maxRetries: 3, onRetry: (retry) => retries.push(retry) })
  assert.deepEqual(message, hello)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['x-stainless-retry-count']),
    ['0', '1', '2', '3'],
  )
  assert.deepEqual(
    retries.map(({ retry, error }) => [retry, error.name]),
    [
      [1, 'OverloadedError'],
      [2, 'APIConnectionError'],
      [3, 'InternalServerError'],
    ],
  )
  assert.equal(retries[2]!.delayMs, 5)
})

test('retries end after maxRetries with the last error', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.json(
      429,
      { type: 'error', error: { type: 'rate_limit_error', message: 'Slow' } },
      { 'retry-after-ms': '1' },
    ),
  )
  await assert.rejects(server.client().messages.create(params), Anthropic.RateLimitError)
  assert.equal(server.requests.length, 3)
})

test('onRetry and maxRetryDelay are those of the request, else of the client', async (t) => {
  const told: string[] = []
  const server = await faultServer(t, (answer) => answer.json(529, overloaded, { 'retry-after-ms': '20' }))
  const client = server.client({ maxRetries: 1, maxRetryDelay: 10, onRetry: () => void told.push('client') })
  const ask = (options: Anthropic.RequestOptions): Promise<unknown> =>
    assert.rejects(client.messages.create(params, options), Anthropic.OverloadedError)
  await ask({})
  assert.equal(told.length, 0)
  await ask({ maxRetryDelay: 30 })
  await ask({ maxRetryDelay: 30, onRetry: () => void told.push('call') })
  assert.deepEqual(told, ['client', 'call'])
})

test('an error thrown by onRetry ends the request', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(529, overloaded))
  const enough = new Error('enough')
  const onRetry = (): never => {
    throw enough
  }
  await assert.rejects(server.client().messages.create(params, { onRetry }), enough)
  assert.equal(server.requests.length, 1)
})

test('a retry-after beyond maxRetryDelay is not waited for, and the error says so', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.json(429, { type: 'error', error: { type: 'rate_limit_error', message: 'Slow' } }, { 'retry-after': '61' }),
  )
  await assert.rejects(
    server.client({ onRetry: () => assert.fail('it waits') }).messages.create(params),
    (error: Anthropic.APIError) => {
      assert.ok(error instanceof Anthropic.RateLimitError)
      assert.equal(error.retryAfterMs, 61_000)
      assert.equal(error.notRetriedBecause, 'maxRetryDelay')
      return true
    },
  )
  assert.equal(server.requests.length, 1)
})

test('maxRetryDelay bounds the waits that the client chooses itself', async (t) => {
  const delays: number[] = []
  const server = await faultServer(t, (answer) => answer.json(529, overloaded))
  const options = { maxRetryDelay: 5, onRetry: ({ delayMs }: Retry) => void delays.push(delayMs) }
  await assert.rejects(server.client().messages.create(params, options), Anthropic.OverloadedError)
  assert.deepEqual(delays, [5, 5])
})

test('a maxRetryDelay of 0 allows any wait that a timer can count', async (t) => {
  const enough = new Error('enough')
  const delays: number[] = []
  const onRetry = ({ delayMs }: Retry): never => {
    delays.push(delayMs)
    throw enough
  }
  const asks =
    (seconds: string): Step =>
    (answer) =>
      answer.json(529, overloaded, { 'retry-after': seconds })
  const server = await faultServer(t, asks('86400'), asks('2592000'))
  const client = server.client({ maxRetryDelay: 0, onRetry })
  await assert.rejects(client.messages.create(params), enough)
  await assert.rejects(client.messages.create(params), { name: 'OverloadedError', retryAfterMs: 2_592_000_000 })
  assert.deepEqual(delays, [86_400_000])
})

test('retry-after is read in seconds, in milliseconds and as a date', async (t) => {
  const delays: number[] = []
  const busy =
    (headers: Record<string, string>): Step =>
    (answer) =>
      answer.json(529, overloaded, headers)
  const server = await faultServer(
    t,
    busy({ 'retry-after': '0.02' }),
    busy({ 'retry-after': '9', 'retry-after-ms': '7' }),
    busy({ 'retry-after': new Date(Date.now() + 2500).toUTCString() }),
    replies,
  )
  await server.client().messages.create(params, { maxRetries: 3, onRetry: ({ delayMs }) => delays.push(delayMs) })
  assert.deepEqual(delays.slice(0, 2), [20, 7])
  assert.ok(delays[2]! > 0 && delays[2]! < 2600, String(delays[2]))
})

for (const code of ['enforced_spend_limit_reached', 'contract_spend_limit_reached']) {
  test(`${code} is not retried, even with x-should-retry`, async (t) => {
    const body = { type: 'error', error: { type: 'rate_limit_error', message: 'Spent', details: { error_code: code } } }
    const server = await faultServer(t, (answer) => answer.json(429, body, { 'x-should-retry': 'true' }))
    await assert.rejects(server.client().messages.create(params), { errorCode: code, status: 429 })
    assert.equal(server.requests.length, 1)
  })
}

test('x-should-retry overrules the status', async (t) => {
  const bad = { type: 'error', error: { type: 'invalid_request_error', message: 'Bad' } }
  const server = await faultServer(
    t,
    (answer) => answer.json(400, bad, { 'x-should-retry': 'true', 'retry-after-ms': '1' }),
    (answer) => answer.json(529, overloaded, { 'x-should-retry': 'false' }),
  )
  await assert.rejects(server.client().messages.create(params), Anthropic.OverloadedError)
  assert.equal(server.requests.length, 2)
})

test('truncated JSON in a 200 is retried, and then an APIResponseError with the request id', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(200, { 'content-type': 'application/json' }).response.end('{"id":"msg_1","content":[{"ty')
  })
  await assert.rejects(server.client().messages.create(params, { maxRetries: 1 }), (error: Anthropic.APIError) => {
    assert.ok(error instanceof Anthropic.APIResponseError)
    assert.equal(error.requestID, 'req_test')
    assert.equal(error.status, 200)
    return true
  })
  assert.equal(server.requests.length, 2)
})

test('a body without an end is refused before it is decoded, and not requested again', async (t) => {
  const piece = Buffer.alloc(1024 * 1024, 'x')
  const server = await faultServer(t, (answer) => {
    const { response } = answer.head(200, { 'content-type': 'application/json' })
    const send = (): void => {
      while (!response.destroyed && response.write(piece));
    }
    response.on('drain', send)
    send()
  })
  const before = process.memoryUsage().heapUsed
  await assert.rejects(server.client().messages.create(params), {
    name: 'APIError',
    message: '200 Cannot read a response of more than 67108864 bytes',
  })
  // V8 does not return the memory of strings to the system.
  const grown = process.memoryUsage().heapUsed - before
  assert.ok(grown < 30e6, `${grown} bytes of strings`)
  assert.equal(server.requests.length, 1)
  await server.idle()
})

test('a body that is cut is retried', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.head(200, { 'content-length': '100' }).send('{"id":').reset(),
    replies,
  )
  assert.deepEqual(await server.client().messages.create(params), hello)
})

test('a host that refuses connections is one clear sentence, with its name and the code', async (t) => {
  const server = await faultServer(t, replies)
  const client = new Anthropic({ apiKey: 'key', baseURL: 'http://127.0.0.1:1', maxRetries: 0 })
  await assert.rejects(client.messages.create(params), {
    name: 'APIConnectionError',
    message: 'Connection error: cannot reach http://127.0.0.1:1 (ECONNREFUSED)',
    host: '127.0.0.1:1',
    code: 'ECONNREFUSED',
  })
  void server
})

test('a response that breaks off or is not HTTP is an error that says so, with the host', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
  for (const [bytes, reason] of [
    [`${head}content-length: 9\r\n\r\n{`, /\(ECONNRESET\)$/],
    [`${head}transfer-encoding: chunked\r\n\r\nxyz\r\n`, /\(the response has the chunk size "xyz"\)$/],
    [`${head}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`, /\(.*header check\)$/],
    ['SSH-2.0-OpenSSH\r\n', /\(the response begins with "SSH-2.0-OpenSSH" instead of an HTTP\/1.1 status\)$/],
  ] as const) {
    const server = await faultServer(t, ({ response }) => void response.socket!.end(bytes))
    await assert.rejects(server.client({ maxRetries: 0 }).messages.create(params), (error: Error) => {
      assert.ok(error instanceof Anthropic.APIConnectionError)
      assert.match(error.message, /^Connection error: cannot read http:\/\/127.0.0.1:\d+ \(/)
      assert.match(error.message, reason)
      return true
    })
  }
})

test('an HTML error keeps its status and text', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(502, { 'content-type': 'text/html' }).response.end('<html>Bad gateway</html>')
  })
  await assert.rejects(server.client().messages.create(params, { maxRetries: 0 }), {
    status: 502,
    message: '502 <html>Bad gateway</html>',
  })
})

test('an error whose body is not encoded as its head says keeps its status, and says so', async (t) => {
  const server = await faultServer(t, (answer) => {
    answer.head(400, { 'content-encoding': 'gzip' }).response.end('not gzip')
  })
  await assert.rejects(server.client().messages.create(params), {
    name: 'BadRequestError',
    message: /^400 The body of the error cannot be read: .*incorrect header check/,
  })
})

test('create() with a large max_tokens streams and returns the message', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart).reset(), says)
  const client = new Anthropic({ apiKey: 'key', baseURL: server.url })
  const message = await client.messages.create({ ...params, max_tokens: 64_000 })
  assert.deepEqual(message, hello)
  assert.equal((message as { _request_id?: string })._request_id, 'req_test')
  assert.equal(JSON.parse(server.requests[0]!.body).stream, true)
  assert.equal(server.requests.length, 2)
})

test('create() with a timeout does not stream, however large max_tokens is', async (t) => {
  const server = await faultServer(t, replies)
  await server.client().messages.create({ ...params, max_tokens: 64_000 }, { timeout: 1000 })
  assert.equal(JSON.parse(server.requests[0]!.body).stream, undefined)
})

test('an idle connection that the server closed is replaced', async (t) => {
  const server = await faultServer(t, replies, replies)
  const client = server.client()
  await client.messages.create(params)
  for (const socket of server.sockets) socket.destroy()
  assert.deepEqual(await client.messages.create(params), hello)
})

test('one connection serves many requests, also after a stream', async (t) => {
  const server = await faultServer(t, says, replies, says, replies)
  const client = server.client()
  await client.messages.stream(params).done()
  await client.messages.create(params)
  assert.equal((await read(await client.messages.create({ ...params, stream: true }))).error, undefined)
  await client.messages.create(params)
  assert.equal(server.sockets.size, 1)
})
