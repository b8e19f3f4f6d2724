import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Engine, offline, route, script } from 'colloquy/engines'
import {
  type ErrorBody,
  type ListPage,
  type Message,
  type MessageCreateParams,
  type MessageStreamEvent,
  type ModelInfo,
  costOf,
  decimalUsd,
  decodeSse,
  models,
} from 'colloquy/protocol'
import { type Server, type ServerOptions, createServer } from './app.ts'
import { openServerStore } from './state/server-store.ts'
import type { AccessEntry } from './operate/request-log.ts'

const emptyMessage: Message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
}
const base = { model: 'claude-opus-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Count to 5' }] }

interface Call {
  method?: string
  headers?: Record<string, string>
  body?: unknown
  signal?: AbortSignal
}

async function call(
  server: Server,
  path: string,
  { method = 'GET', headers, body, signal }: Call = {},
): Promise<Response> {
  return server.fetch(
    new Request(`http://test${path}`, {
      method: body === undefined ? method : 'POST',
      headers: { 'anthropic-version': '2026-10-21', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }),
  )
}

function serve(options: Partial<ServerOptions> = {}): Server {
  return createServer({ engine: offline(), ...options })
}

async function errorOf(response: Response): Promise<ErrorBody> {
  return (await response.json()) as ErrorBody
}

interface Received {
  events: Array<MessageStreamEvent | ErrorBody>
  names: string[]
}

async function readStream(response: Response): Promise<Received> {
  const received: Received = { events: [], names: [] }
  for await (const { event, data } of decodeSse(response.body!)) {
    received.names.push(event!)
    received.events.push(JSON.parse(data) as MessageStreamEvent)
  }
  return received
}

test('createServer() throws for an option that is not known, and without an engine', () => {
  const create = (options: unknown) => () => createServer(options as ServerOptions)
  assert.throws(create({ engine: offline(), pingMS: 3 }), /option pingMS of createServer\(\): did you mean pingMs\?/)
  assert.throws(create({}), /engine must be an engine, such as offline\(\): found undefined/)
  assert.throws(create(undefined), /options must be an object: found undefined/)
})

suite('POST /v1/messages', () => {
  test('answers with the fields of a message in the order of the API', async () => {
    const text = await (await call(serve(), '/v1/messages', { body: base })).text()
    assert.match(text, /^\{"id":"msg_\w+","type":"message","role":"assistant","model":"[\w.-]+","content":\[/)
  })

  test('answers with a message that has every field', async () => {
    const response = await call(serve(), '/v1/messages', { body: base })
    const message = (await response.json()) as Message
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    assert.deepEqual(message.content, [{ type: 'text', text: '1, 2, 3, 4, 5.', citations: null }])
    const { id, usage, ...rest } = message
    assert.match(id, /^msg_01\w{22}$/)
    assert.deepEqual(rest, {
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-4-6',
      content: message.content,
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
    })
    for (const field of [
      'input_tokens',
      'output_tokens',
      'cache_creation_input_tokens',
      'cache_read_input_tokens',
      'cache_creation',
      'output_tokens_details',
      'server_tool_use',
      'service_tier',
      'inference_geo',
      'speed',
    ])
      assert.ok(field in usage, field)
  })

  test('fills the fields that an engine leaves out with null, streaming or not', async () => {
    async function* bare(): AsyncGenerator<MessageStreamEvent> {
      yield {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          usage: { input_tokens: 3, output_tokens: 1 },
        } as unknown as Message,
      }
      yield {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 1 },
      }
      yield { type: 'message_stop' }
    }
    const server = serve({ engine: bare })
    const whole = (await (await call(server, '/v1/messages', { body: base })).json()) as Message
    const { events } = await readStream(await call(server, '/v1/messages', { body: { ...base, stream: true } }))
    const start = events[0] as { message: Message }
    for (const message of [whole, start.message]) {
      assert.equal(message.container, null)
      assert.equal(message.diagnostics, null)
      assert.equal(message.usage.speed, null)
      assert.equal(message.usage.cache_read_input_tokens, 0)
    }
  })

  test('streams named events in order, with the real prompt count in the first', async () => {
    const response = await call(serve(), '/v1/messages?beta=true', { body: { ...base, stream: true } })
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    const { names, events } = await readStream(response)
    assert.deepEqual(names, [
      'message_start',
      'content_block_start',
      ...Array<string>(5).fill('content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    assert.deepEqual(
      events.map(({ type }) => type),
      names,
    )
    assert.ok((events[0] as { message: Message }).message.usage.input_tokens > 3)
  })

  test('sends the first event before the engine continues', async () => {
    const engine = script([{ reply: 'Hello.', after: 1, stall: true }])
    const response = await call(serve({ engine }), '/v1/messages', { body: { ...base, stream: true } })
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    assert.match(new TextDecoder().decode(value), /^event: message_start\n/)
    await reader.cancel()
  })

  test('passes betas, version and stream to the engine', async () => {
    const engine = script(['Hello.'])
    await call(serve({ engine }), '/v1/messages', {
      body: base,
      headers: { 'anthropic-beta': 'one, two', 'anthropic-version': '2023-06-01' },
    })
    const [asked] = engine.requests
    assert.deepEqual(asked!.params, base)
    assert.deepEqual(asked!.context.betas, ['one', 'two'])
    assert.equal(asked!.context.version, '2023-06-01')
  })

  test('sends pings while the engine is silent, also before its first event', async () => {
    // In each of the waits a ping is due first, also when the machine is busy and all of them are late.
    const wait = async (): Promise<void> => {
      for (let turn = 0; turn < 4; turn++) await sleep(15)
    }
    const clock = { now: Date.now, wait }
    const engine = script([{ reply: 'Hello.', delayMs: 60, eventDelayMs: 60 }], { clock })
    const { names } = await readStream(
      await call(serve({ engine, pingMs: 10 }), '/v1/messages', { body: { ...base, stream: true } }),
    )
    assert.equal(names[0], 'ping')
    assert.ok(names.filter((name) => name === 'ping').length >= 3)
    assert.deepEqual(
      names.filter((name) => name !== 'ping'),
      [
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ],
    )
  })
})

suite('errors of the engine', () => {
  test('an error before the first event is a response with its status, streaming or not', async () => {
    for (const stream of [false, true]) {
      const engine = script([
        { error: { type: 'rate_limit_error', message: 'Slow down', headers: { 'retry-after': '7' } } },
      ])
      const response = await call(serve({ engine }), '/v1/messages', { body: { ...base, stream } })
      const { error, request_id } = await errorOf(response)
      assert.equal(response.status, 429)
      assert.deepEqual(error, { type: 'rate_limit_error', message: 'Slow down' })
      assert.equal(response.headers.get('retry-after'), '7')
      assert.equal(response.headers.get('x-should-retry'), 'true')
      assert.equal(request_id, response.headers.get('request-id'))
    }
  })

  test('an error after the first event is an error event, and the last', async () => {
    const engine = script([{ reply: 'Hello there.', after: 3, error: { type: 'overloaded_error' } }])
    const response = await call(serve({ engine }), '/v1/messages', { body: { ...base, stream: true } })
    const { names, events } = await readStream(response)
    assert.deepEqual(names, ['message_start', 'content_block_start', 'content_block_delta', 'error'])
    assert.deepEqual(events.at(-1), {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
      request_id: response.headers.get('request-id'),
    })
  })

  test('an engine that ends too early is an error, not a complete reply', async () => {
    const whole: MessageStreamEvent[] = []
    for await (const event of offline()(base as never)) whole.push(event as MessageStreamEvent)
    async function* cut(): AsyncGenerator<MessageStreamEvent> {
      yield* whole.slice(0, -1)
    }
    async function* nothing(): AsyncGenerator<MessageStreamEvent> {}
    const { names } = await readStream(
      await call(serve({ engine: cut }), '/v1/messages', { body: { ...base, stream: true } }),
    )
    assert.equal(names.at(-1), 'error')
    for (const engine of [cut, nothing]) {
      const response = await call(serve({ engine }), '/v1/messages', { body: base })
      assert.equal(response.status, 500)
      assert.equal((await errorOf(response)).error.type, 'api_error')
    }
  })

  test('an engine that throws the reason of its signal was aborted and did not fail', async () => {
    const entries: AccessEntry[] = []
    const controller = new AbortController()
    const engine: Engine = (_params, { signal } = {}) => {
      controller.abort()
      throw signal!.reason
    }
    const server = serve({ engine, log: (entry) => entries.push(entry) })
    const response = await call(server, '/v1/messages', { body: base, signal: controller.signal })
    assert.equal(response.status, 499)
    assert.equal(entries[0]!.aborted, true)
  })

  test('a slot is released however a reply ends', async () => {
    let calls = 0
    const engine: Engine = (params) => {
      if (calls++ % 2 === 0) throw new Error('before any event')
      return script([{ error: { type: 'api_error' } }])(params)
    }
    const server = serve({ engine, maxReplies: 1 })
    for (const stream of [true, true, false, false, true])
      assert.equal((await call(server, '/v1/messages', { body: { ...base, stream } })).status, 500)
  })

  test('a bug in an engine is in the log but not in the response', async () => {
    const entries: AccessEntry[] = []
    const engine: Engine = () => {
      throw new TypeError('secret detail')
    }
    const response = await call(serve({ engine, log: (entry) => entries.push(entry) }), '/v1/messages', { body: base })
    assert.equal(response.status, 500)
    assert.deepEqual((await errorOf(response)).error, { type: 'api_error', message: 'Internal server error' })
    assert.match(String(entries[0]!.error), /secret detail/)
  })

  test('a reply that is nested too deep for JSON says so', async () => {
    const input = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as object
    const block = { type: 'tool_use' as const, id: 'toolu_1', name: 'weather', input }
    async function* engine(): ReturnType<Engine> {
      yield { type: 'message_start', message: { ...emptyMessage, content: [] } }
      yield { type: 'content_block_start', index: 0, content_block: block }
      yield { type: 'content_block_stop', index: 0 }
      yield { type: 'message_stop' }
    }
    const message = 'Cannot send the reply: it is nested too deep for JSON'
    const whole = await call(serve({ engine }), '/v1/messages', { body: base })
    assert.deepEqual([whole.status, (await errorOf(whole)).error], [500, { type: 'api_error', message }])
    assert.equal(whole.headers.get('x-should-retry'), 'false')
    const streamed = await call(serve({ engine }), '/v1/messages', { body: { ...base, stream: true } })
    assert.match(await streamed.text(), new RegExp(`event: error\\n.*${message}`))
  })

  test('an engine that recurses without end is a bug, not a reply that is nested too deep', async () => {
    const recurse = (): number => recurse() + 1
    const engine: Engine = () => {
      throw new Error(String(recurse()))
    }
    for (const stream of [true, false]) {
      const response = await call(serve({ engine }), '/v1/messages', { body: { ...base, stream } })
      assert.deepEqual((await errorOf(response)).error, { type: 'api_error', message: 'Internal server error' })
    }
  })

  test('the engine stops when the reader cancels the body', async () => {
    const engine = script([{ reply: 'Hello.', after: 1, stall: true }])
    const entries: AccessEntry[] = []
    const response = await call(serve({ engine, log: (entry) => entries.push(entry) }), '/v1/messages', {
      body: { ...base, stream: true },
    })
    const reader = response.body!.getReader()
    await reader.read()
    const { signal } = engine.requests[0]!.context
    assert.equal(signal!.aborted, false)
    await reader.cancel()
    assert.equal(signal!.aborted, true)
    assert.equal(entries[0]!.aborted, true)
  })

  test('the engine stops when the request aborts before the first event', async () => {
    const engine = script([{ stall: true, after: 0 }])
    const controller = new AbortController()
    const answer = call(serve({ engine }), '/v1/messages', {
      body: { ...base, stream: true },
      signal: controller.signal,
    })
    while (engine.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    controller.abort()
    assert.equal((await answer).status, 499)
    assert.equal(engine.requests[0]!.context.signal!.aborted, true)
  })

  test('a request beyond maxReplies is overloaded_error, and the next is answered once one ended', async () => {
    const engine = script([
      { reply: 'Hello.', after: 1, stall: true },
      { error: { type: 'overloaded_error' } },
      'Hello.',
      'Hello.',
    ])
    const server = serve({ engine, maxReplies: 1 })
    const first = await call(server, '/v1/messages', { body: { ...base, stream: true } })
    const second = await call(server, '/v1/messages', { body: base })
    assert.equal(second.status, 529)
    assert.equal(engine.requests.length, 1)
    await first.body!.cancel()
    assert.equal((await call(server, '/v1/messages', { body: base })).status, 529)
    assert.equal((await call(server, '/v1/messages', { body: base })).status, 200)
    assert.equal((await call(server, '/v1/messages', { body: { ...base, stream: true } })).status, 200)
  })
})

suite('authentication', () => {
  const server = serve({ keys: ['key-one', 'key-two'] })

  test('accepts the key from either header', async () => {
    for (const headers of [
      { 'x-api-key': 'key-one' },
      { authorization: 'Bearer key-two' },
      { authorization: 'bearer key-two' },
    ])
      assert.equal((await call(server, '/v1/messages', { body: base, headers })).status, 200)
  })

  test('refuses a wrong or missing key with the error for its header; x-api-key comes first', async () => {
    const cases: Array<[Record<string, string>, string]> = [
      [{ 'x-api-key': 'nope' }, 'invalid x-api-key'],
      [{ authorization: 'Bearer nope' }, 'Invalid bearer token'],
      [{ 'x-api-key': 'nope', authorization: 'Bearer key-one' }, 'invalid x-api-key'],
      [{}, 'x-api-key header is required'],
    ]
    for (const [headers, message] of cases) {
      for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
        const response = await call(server, path, { body: base, headers })
        assert.equal(response.status, 401)
        assert.deepEqual((await errorOf(response)).error, { type: 'authentication_error', message })
        assert.equal(response.headers.get('x-should-retry'), 'false')
      }
      assert.equal((await call(server, '/v1/models', { headers })).status, 401)
    }
  })

  test('keys may be a function', async () => {
    const looked = serve({ keys: async (key) => key.startsWith('ok-') })
    assert.equal((await call(looked, '/v1/models', { headers: { 'x-api-key': 'ok-1' } })).status, 200)
    assert.equal((await call(looked, '/v1/models', { headers: { 'x-api-key': 'no' } })).status, 401)
  })

  test('accepts any key without `keys`', async () => {
    assert.equal((await call(serve(), '/v1/messages', { body: base })).status, 200)
  })

  test('requires a known anthropic-version', async () => {
    const without = await serve().fetch(
      new Request('http://test/v1/messages', { method: 'POST', body: JSON.stringify(base) }),
    )
    assert.equal(without.status, 400)
    assert.equal((await errorOf(without)).error.message, 'anthropic-version: header is required')
    const wrong = await call(serve(), '/v1/models', { headers: { 'anthropic-version': '2099-01-01' } })
    assert.equal((await errorOf(wrong)).error.message, 'anthropic-version: "2099-01-01" is not a valid version')
  })
})

suite('web pages', () => {
  const origin = 'http://localhost:5173'
  const server = serve({ origins: [origin], keys: ['key'] })

  async function preflight(from: string): Promise<Response> {
    const request = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'anthropic-version,content-type,x-api-key',
    }
    return call(server, '/v1/messages', { method: 'OPTIONS', headers: { origin: from, ...request } })
  }

  test('answers the preflight request of an allowed page without a key', async () => {
    const { status, headers } = await preflight(origin)
    assert.equal(status, 204)
    assert.equal(headers.get('access-control-allow-origin'), origin)
    assert.match(headers.get('access-control-allow-methods')!, /POST/)
    assert.equal(headers.get('access-control-allow-headers'), 'anthropic-version,content-type,x-api-key')
  })

  test('lets an allowed page read replies, streams and errors with their headers', async () => {
    const headers = { origin, 'x-api-key': 'key' }
    const answers = [
      await call(server, '/v1/messages', { headers, body: base }),
      await call(server, '/v1/messages', { headers, body: { ...base, stream: true } }),
      await call(server, '/v1/messages', { headers: { ...headers, 'x-api-key': 'wrong' }, body: base }),
      await call(server, '/v1/nothing', { headers }),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 401, 404],
    )
    for (const answer of answers) {
      assert.equal(answer.headers.get('access-control-allow-origin'), origin)
      assert.equal(answer.headers.get('access-control-expose-headers'), '*')
      assert.match(answer.headers.get('vary')!, /Origin/)
      await answer.text()
    }
  })

  test('does not allow other pages', async () => {
    const { headers } = await preflight('https://elsewhere.test')
    assert.equal(headers.get('access-control-allow-origin'), null)
  })

  test('origins may be a function', async () => {
    const looked = serve({ origins: (from) => from.endsWith('.example.com') })
    const from = async (name: string): Promise<string | null> =>
      (await call(looked, '/healthz', { headers: { origin: name } })).headers.get('access-control-allow-origin')
    assert.equal(await from('https://app.example.com'), 'https://app.example.com')
    assert.equal(await from('https://example.org'), null)
  })

  test('allows no page without `origins`', async () => {
    const { headers } = await call(serve(), '/healthz', { headers: { origin } })
    assert.equal(headers.get('access-control-allow-origin'), null)
  })
})

test('fetch() ignores a second argument of the runtime', async () => {
  class Runtime {
    readonly method = 'DELETE'
  }
  const request = new Request('http://test/v1/models/claude-opus-4-6', {
    headers: { 'anthropic-version': '2026-10-21' },
  })
  const response = await serve().fetch(request, new Runtime())
  assert.equal(((await response.json()) as ModelInfo).id, 'claude-opus-4-6')
})

test('fetch() applies the RequestInit of its caller', async () => {
  const request = new Request('http://test/v1/models')
  const response = await serve().fetch(request, { headers: { 'anthropic-version': '2026-10-21' } })
  assert.equal(response.status, 200)
})

suite('paths', () => {
  test('unknown paths and methods get the error envelope of the API', async () => {
    const unknown = await call(serve(), '/v1/unknown')
    assert.equal(unknown.status, 404)
    assert.equal((await errorOf(unknown)).error.type, 'not_found_error')
    const store = await openServerStore(':memory:')
    const server = serve({ store })
    for (const [path, method, allow] of [
      ['/v1/messages', 'GET', 'POST'],
      ['/v1/models', 'POST', 'GET, HEAD'],
      ['/v1/models/x', 'DELETE', 'GET, HEAD'],
      ['/v1/messages/batches', 'PUT', 'POST, GET, HEAD'],
      ['/v1/messages/batches/x/cancel', 'GET', 'POST'],
      ['/v1/files/x', 'POST', 'GET, HEAD, DELETE'],
    ] as const) {
      const response = await call(server, path, { method })
      assert.equal(response.status, 405)
      assert.equal(response.headers.get('allow'), allow)
      assert.deepEqual((await errorOf(response)).error, {
        type: 'invalid_request_error',
        message: 'Method Not Allowed',
      })
    }
    await server.close()
    await store.close()
  })

  test('an error says how to mend a wrong base URL', async () => {
    for (const [path, hint] of [
      ['/v1/v1/messages', /the base URL already ends in \/v1/],
      ['//v1/messages', /the base URL ends in a slash/],
      ['/messages', /the base URL must end in \/v1/],
      ['/v1/chat/completions', /this server has the Claude Messages API/],
      ['/v1/else', /^Not found$/],
    ] as const) {
      const response = await call(serve(), path, { body: base })
      assert.equal(response.status, 404)
      assert.match((await errorOf(response)).error.message, hint)
    }
  })

  test('health checks and client greetings need neither key nor version', async () => {
    const server = serve({ keys: ['k'] })
    for (const [path, method] of [
      ['/', 'HEAD'],
      ['/api/hello', 'HEAD'],
      ['/healthz', 'GET'],
    ] as const) {
      const response = await server.fetch(new Request(`http://test${path}`, { method }))
      assert.equal(response.status, 200)
      assert.match(response.headers.get('request-id') ?? '', /^req_01/)
    }
  })

  test('each response has its own request id, which is also in an error body', async () => {
    const server = serve()
    const seen = new Set<string>()
    for (const [path, body] of [
      ['/v1/messages', base],
      ['/v1/messages', {}],
      ['/nope', undefined],
      ['/v1/models/nope', undefined],
      ['/v1/messages', undefined],
    ] as const) {
      const response = await call(server, path, body === undefined ? {} : { body })
      const id = response.headers.get('request-id')!
      assert.match(id, /^req_01\w{22}$/)
      seen.add(id)
      if (response.status >= 400) assert.equal((await errorOf(response)).request_id, id)
    }
    assert.equal(seen.size, 5)
  })

  test('a body over maxBodyBytes is a 413, with or without content-length', async () => {
    const server = serve({ maxBodyBytes: 1_000 })
    const body = JSON.stringify({ ...base, system: 'x'.repeat(1_000) })
    const told = await call(server, '/v1/messages', { body, headers: { 'content-length': String(body.length) } })
    assert.equal(told.status, 413)
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(400))),
    })
    const request = new Request('http://test/v1/messages', {
      method: 'POST',
      headers: { 'anthropic-version': '2026-10-21' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    const untold = await server.fetch(request)
    assert.equal(untold.status, 413)
    assert.deepEqual((await errorOf(untold)).error, {
      type: 'request_too_large',
      message: 'Request exceeds the maximum size',
    })
  })

  test('an unknown content-encoding is refused with its error code', async () => {
    const response = await call(serve(), '/v1/messages', { body: base, headers: { 'content-encoding': 'br' } })
    assert.equal(response.status, 400)
    assert.equal((await errorOf(response)).error.details?.error_code, 'request_body_encoding_unsupported')
  })
})

suite('GET /v1/models', () => {
  const list = async (query = '', server = serve()): Promise<ListPage<ModelInfo>> =>
    (await (await call(server, `/v1/models${query}`)).json()) as ListPage<ModelInfo>

  test('pages list every model, newest first, in both directions', async () => {
    const { data: all } = await list('?limit=1000')
    assert.deepEqual(all.map(({ id }) => id).toSorted(), models.map(({ id }) => id).toSorted())
    assert.deepEqual(
      all,
      all.toSorted((a, b) => b.created_at.localeCompare(a.created_at)),
    )
    const forward: string[] = []
    for (let page = await list('?limit=3'); ; page = await list(`?limit=3&after_id=${page.last_id}`)) {
      assert.equal(page.first_id, page.data[0]!.id)
      forward.push(...page.data.map(({ id }) => id))
      if (!page.has_more) break
    }
    assert.deepEqual(
      forward,
      all.map(({ id }) => id),
    )
    const back = await list(`?limit=2&before_id=${all[3]!.id}`)
    assert.deepEqual(
      back.data.map(({ id }) => id),
      [all[1]!.id, all[2]!.id],
    )
    assert.equal(back.has_more, true)
    assert.equal((await list(`?before_id=${all[2]!.id}`)).has_more, false)
  })

  test('filters by lifecycle', async () => {
    const { data } = await list('?limit=1000&lifecycle[]=deprecated')
    assert.ok(data.length > 0 && data.every(({ lifecycle }) => lifecycle === 'deprecated'))
  })

  test('refuses invalid page parameters', async () => {
    for (const [query, message] of [
      ['?limit=0', 'limit: Input should be greater than or equal to 1'],
      ['?limit=1001', 'limit: Input should be less than or equal to 1000'],
      ['?limit=ten', 'limit: Input should be a valid integer, unable to parse string as an integer'],
      ['?after_id=nope', "after_id: no model with id 'nope'"],
      ['?lifecycle[]=new', "lifecycle.0: Input should be 'active', 'deprecated' or 'retired'"],
    ]) {
      const response = await call(serve(), `/v1/models${query}`)
      assert.equal(response.status, 400)
      assert.equal((await errorOf(response)).error.message, message)
    }
  })

  test('finds one model by id or alias', async () => {
    const info = (await (await call(serve(), '/v1/models/claude-sonnet-4-5')).json()) as ModelInfo
    assert.equal(info.id, 'claude-sonnet-4-5-20250929')
    assert.equal(info.type, 'model')
    const unknown = await call(serve(), '/v1/models/claude-foo')
    assert.equal(unknown.status, 404)
    assert.deepEqual((await errorOf(unknown)).error, { type: 'not_found_error', message: 'model: claude-foo' })
  })

  test('a server offers the `models` of its options', async () => {
    const server = serve({ models: models.filter(({ line }) => line === 'haiku') })
    assert.ok((await list('', server)).data.every(({ line }) => line === 'haiku'))
    assert.equal((await call(server, '/v1/messages', { body: base })).status, 404)
  })
})

suite('lenient', () => {
  test('passes unknown fields, blocks and models to the engine unchanged', async () => {
    const engine = script(['Hello.'])
    const body = {
      ...base,
      model: 'qwen-next',
      brand_new: { a: 1 },
      temperature: 0.3,
      context_management: { edits: [] },
      tools: [
        { type: 'laser_20990101', name: 'laser' },
        { name: 'f', input_schema: { type: 'object' }, magic: true },
      ],
      messages: [{ role: 'user', content: [{ type: 'hologram', data: 'x' }] }],
    }
    const request = new Request('http://test/v1/messages', { method: 'POST', body: JSON.stringify(body) })
    const response = await serve({ engine, lenient: true }).fetch(request)
    assert.equal(response.status, 200)
    assert.deepEqual(engine.requests[0]!.params, body)
  })

  test('still checks known fields', async () => {
    const response = await call(serve({ lenient: true }), '/v1/messages', { body: { ...base, max_tokens: undefined } })
    assert.equal((await errorOf(response)).error.message, 'max_tokens: Field required')
  })
})

suite('the access log', () => {
  test('has one entry for each request, after its response, without its text', async () => {
    const entries: AccessEntry[] = []
    const server = serve({ log: (entry) => entries.push(entry), keys: ['hush'] })
    const headers = { 'x-api-key': 'hush' }
    const streaming = await call(server, '/v1/messages?beta=true', { body: { ...base, stream: true }, headers })
    assert.equal(entries.length, 0)
    await streaming.text()
    await call(server, '/v1/messages', { body: base, headers })
    await call(server, '/v1/messages', { body: {}, headers })
    assert.equal(entries.length, 3)
    const [streamed, whole, refused] = entries
    for (const entry of [streamed!, whole!]) {
      const { requestId, ms, ttftMs, inputTokens, outputTokens, usage, usd, requestBytes, responseBytes, ...rest } =
        entry
      assert.equal(usd, decimalUsd(costOf(usage!, 'claude-opus-4-6')!.picoUsd))
      assert.match(requestId, /^req_/)
      assert.deepEqual([usage?.input_tokens, usage?.output_tokens], [inputTokens, outputTokens])
      assert.ok(requestBytes > 50 && responseBytes > 200)
      assert.ok(ttftMs! >= 0 && ttftMs! <= ms && inputTokens! > 0 && outputTokens! > 0)
      assert.deepEqual(rest, {
        method: 'POST',
        path: '/v1/messages',
        key: null,
        workspace: null,
        upstreamRequestId: null,
        status: 200,
        model: 'claude-opus-4-6',
        servedModel: 'claude-opus-4-6',
        attempts: [],
        stream: entry === streamed,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        stopReason: 'end_turn',
        isFree: false,
        aborted: false,
        error: undefined,
      })
    }
    assert.equal(refused!.status, 400)
    assert.ok(!JSON.stringify(entries).includes('hush') && !JSON.stringify(entries).includes('Count to'))
  })
})

for (const [name, stepMs] of Object.entries({ back: -86_400_000, forward: 86_400_000 }))
  test(`the access log has the true times when the clock is set ${name}`, async () => {
    const times: number[] = []
    let now = Date.now()
    const server = serve({ log: ({ ms, ttftMs }) => times.push(ms, ttftMs!), now: () => (now += stepMs) })
    for (const stream of [true, false]) await (await call(server, '/v1/messages', { body: { ...base, stream } })).text()
    assert.equal(times.length, 4)
    for (const ms of times) assert.ok(ms >= 0 && ms < 3_600_000, `${ms} ms`)
  })

test('ttftMs is the time to the first token, which some engines take long for after message_start', async (t) => {
  const times: (number | null)[] = []
  let now = 0
  async function* engine(params: MessageCreateParams): ReturnType<Engine> {
    for await (const event of offline()(params)) {
      if (event.type === 'content_block_start') now += 700
      if (event.type === 'message_delta') now += 200
      yield event
    }
  }
  t.mock.method(performance, 'now', () => now)
  const server = serve({ engine, log: ({ ttftMs, ms }) => times.push(ttftMs, ms) })
  for (const stream of [true, false]) await (await call(server, '/v1/messages', { body: { ...base, stream } })).text()
  assert.deepEqual(times, [700, 900, 700, 900])
})

test('GET /v1/models lists the models of an engine that knows them', async () => {
  const engine = route({
    engines: { offline: offline() },
    routes: { 'claude-sonnet-4-5': 'offline', mine: { to: { engine: 'offline', model: 'claude-haiku-4-5' } } },
  })
  const server = createServer({ engine, lenient: true })
  const get = async (path: string): Promise<{ status: number; body: { id?: string; data?: { id: string }[] } }> => {
    const headers = { 'anthropic-version': '2023-06-01' }
    const response = await server.fetch(new Request(`http://server.test${path}`, { headers }))
    return { status: response.status, body: (await response.json()) as { id?: string; data?: { id: string }[] } }
  }
  const { body } = await get('/v1/models')
  assert.deepEqual(body.data!.map(({ id }) => id).toSorted(), ['claude-sonnet-4-5', 'mine'])
  assert.equal((await get('/v1/models/mine')).body.id, 'mine')
  assert.equal((await get('/v1/models/claude-opus-5-5')).status, 404)
})
