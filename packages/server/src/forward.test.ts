import assert from 'node:assert/strict'
import http, { type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'
import Anthropic, { type ClientOptions } from 'colloquy'
import { upstream } from 'colloquy/engines'
import { type ErrorBody, type MessageStreamEvent, encodeSse } from 'colloquy/protocol'
import * as fc from 'fast-check'
import { type Server, type ServerOptions, createServer } from './app.ts'
import type { AccessEntry } from './operate/request-log.ts'

/** A request that the upstream received. */
interface Seen {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** A server in front of an upstream. */
interface Proxy {
  server: Server
  seen: Seen[]
  log: AccessEntry[]
  port: number
}

interface Settings extends Partial<ServerOptions> {
  client?: ClientOptions
  recover?: { attempts: number }
}

/** Runs a server whose engine is an API that responds as given: to each request in turn, the last one to all others. */
async function inFrontOf(
  responses: Respond | readonly Respond[],
  use: (proxy: Proxy) => Promise<void>,
  { client: clientOptions, recover, ...options }: Settings = {},
): Promise<void> {
  const seen: Seen[] = []
  const log: AccessEntry[] = []
  const queue = [responses].flat()
  const api = http.createServer((request, response) => {
    let body = ''
    request.on('data', (data) => (body += String(data)))
    request.on('end', () => {
      seen.push({ path: request.url!, headers: request.headers, body })
      queue[Math.min(seen.length, queue.length) - 1]!(response)
    })
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  const { port } = api.address() as AddressInfo
  const client = new Anthropic({
    baseURL: `http://127.0.0.1:${port}`,
    apiKey: 'secret',
    maxRetries: 0,
    ...clientOptions,
  })
  const engine = upstream(client, { recover })
  const server = createServer({ engine, log: (entry) => log.push(entry), ...options })
  try {
    await use({ server, seen, log, port })
  } finally {
    api.closeAllConnections()
    api.close()
  }
}

type Respond = (response: ServerResponse) => void

const limits = { 'anthropic-ratelimit-requests-remaining': '7', 'anthropic-fast-input-tokens-limit': '1' }
const upstreamHeaders = { 'request-id': 'req_up', server: 'nginx', 'anthropic-organization-id': 'org', ...limits }

function json(body: string, status = 200, headers: Record<string, string> = {}): Respond {
  return (response) =>
    response.writeHead(status, { ...upstreamHeaders, 'content-type': 'application/json', ...headers }).end(body)
}

/** A stream that is written in these pieces, one after the other. */
function stream(...pieces: readonly (string | Uint8Array)[]): Respond {
  return (response) => {
    response.writeHead(200, { ...upstreamHeaders, 'content-type': 'text/event-stream' })
    const left = [...pieces]
    const next = (): void => {
      const piece = left.shift()
      if (piece === undefined) response.end()
      else response.write(piece, () => setImmediate(next))
    }
    next()
  }
}

/** A stream that breaks off after its text. */
function cut(text: string): Respond {
  return (response) => {
    response.writeHead(200, { ...upstreamHeaders, 'content-type': 'text/event-stream' })
    response.write(text, () => setTimeout(() => response.destroy(), 5))
  }
}

interface Post {
  path?: string
  headers?: Record<string, string>
}

async function post({ server }: Proxy, body: string, { path = '/v1/messages', headers }: Post = {}): Promise<Response> {
  return server.fetch(`http://test${path}`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01', 'x-api-key': 'of the client', ...headers },
    body,
  })
}

const long = '{"b":1.0,"2":1,"1":12345678901234567890}'
const body = '{"model":"claude-sonnet-4-6","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}'
const streamed = body.replace('"max', '"stream":true,"max')
const usage = { input_tokens: 11, cache_read_input_tokens: 5, cache_creation_input_tokens: 0, output_tokens: 1 }
const message = `{"type":"message","id":"msg_1","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"n","input":${long}}],"stop_reason":"tool_use","stop_sequence":null,"usage":${JSON.stringify({ ...usage, output_tokens: 9 })},"new_field":{"a":[1.0]}}`

const start = encodeSse({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  },
})
const textStart = sse({
  type: 'content_block_start',
  index: 0,
  content_block: { type: 'text', text: '', citations: null },
})
const end = `${sse({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } })}event: message_stop\ndata: {"type":"message_stop"}\n\n`
const textStop = sse({ type: 'content_block_stop', index: 0 })

function sse(event: MessageStreamEvent): string {
  return encodeSse(event)
}

function text(value: string): string {
  return sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: value } })
}

/** A stream with everything that encoding would change: spaces, comments, events and fields that are not known, numbers. */
const unusual = [
  start.replace('data: ', 'data:  '),
  ': a comment\n\n',
  'event: ping\ndata: {"type": "ping"}\n\n',
  `event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"web_fetch_tool_result","tool_use_id":"s","content":${long}}}\n\n`,
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0,"new":1.0}\n\n',
  'id: 7\nevent: thread_state\r\ndata: {"type":"thread_state","é":"👍"}\r\n\r\n',
  end,
].join('')

suite('a request is sent on', () => {
  test('with its bytes, path and query, and the headers of the API', async () => {
    const given = body.replace('"max', `"thread":{"type":"create"}, "unknown" : ${long},\n"max`)
    await inFrontOf(json(message), async (proxy) => {
      const headers = { 'anthropic-beta': 'one, two-2027', 'x-claude-code-session-id': 's1', 'x-other': 'x' }
      await post(proxy, given, { path: '/v1/messages?beta=true', headers })
      const [{ path, headers: sent, body: received }] = proxy.seen as [Seen]
      assert.equal(received, given)
      assert.equal(path, '/v1/messages?beta=true')
      assert.equal(sent['anthropic-version'], '2023-06-01')
      assert.equal(sent['anthropic-beta'], 'one, two-2027')
      assert.equal(sent['x-claude-code-session-id'], 's1')
      assert.equal(sent['x-other'], undefined)
    })
  })

  test('with the credentials of the server, never those of the client', async () => {
    await inFrontOf(json(message), async (proxy) => {
      await post(proxy, body, { headers: { authorization: 'Bearer of the client' } })
      const { headers } = proxy.seen[0]!
      assert.equal(headers['x-api-key'], 'secret')
      assert.ok(!JSON.stringify(headers).includes('of the client'))
    })
  })

  test('without checks, except of what the server reads', async () => {
    const refused: [body: string, message: string][] = [
      ['{"model":', 'The request body is not valid JSON: it ends too early'],
      ['[]', 'Input should be a valid dictionary'],
      ['{}', 'model: Field required'],
      ['{"model":7}', 'model: Input should be a valid string'],
      ['{"model":"m","stream":"yes"}', 'stream: Input should be a valid boolean'],
      ['{"model":"m","messages":7}', 'messages: Input should be a valid list'],
      ['{"model":"m","metadata":{"user_id":7}}', 'metadata.user_id: Input should be a valid string'],
      ['{"model":"m","mod\\u0065l":"n"}', 'The request body is not valid JSON: it has the key "model" twice'],
    ]
    await inFrontOf(json(message), async (proxy) => {
      for (const [given, expected] of refused) {
        const response = await post(proxy, given)
        assert.equal(response.status, 400)
        assert.equal(((await response.json()) as ErrorBody).error.message, expected)
      }
      assert.equal(proxy.seen.length, 0)
      assert.equal((await post(proxy, '{"model":"any-model","messages":[{"new":7}]}')).status, 200)
    })
  })

  test('after all checks with `lenient: false`, and only for `models` if they are given', async () => {
    await inFrontOf(
      json(message),
      async (proxy) => {
        assert.equal((await post(proxy, body.replace('50', '-1'))).status, 400)
        assert.equal((await post(proxy, body)).status, 200)
        assert.equal(proxy.seen[0]!.body, body)
      },
      { lenient: false },
    )
    await inFrontOf(json(message), async (proxy) => assert.equal((await post(proxy, body)).status, 404), { models: [] })
  })

  test('to count its tokens', async () => {
    await inFrontOf(json('{"input_tokens": 3, "new": 1.0}'), async (proxy) => {
      const response = await post(proxy, '{"model":"m"}', { path: '/v1/messages/count_tokens?beta=true' })
      assert.equal(await response.text(), '{"input_tokens": 3, "new": 1.0}')
      assert.equal(response.headers.get('request-id'), 'req_up')
      assert.equal(proxy.seen[0]!.path, '/v1/messages/count_tokens?beta=true')
    })
  })
})

suite('a response is passed on', () => {
  test('with its bytes, as JSON', async () => {
    await inFrontOf(json(message), async (proxy) => assert.equal(await (await post(proxy, body)).text(), message))
  })

  test('with its bytes, as a stream, however it is cut into chunks', async () => {
    const bytes = new TextEncoder().encode(unusual)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).map((to, index) => bytes.subarray(at[index], to))
        await inFrontOf(stream(...pieces), async (proxy) => {
          assert.equal(await (await post(proxy, streamed)).text(), unusual)
        })
      }),
      { numRuns: 25 },
    )
  })

  test('event by event, as they arrive', async () => {
    const { promise: isRead, resolve } = Promise.withResolvers<void>()
    const respond: Respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`${start}${textStart.slice(0, 20)}`)
      void isRead.then(() => response.end(`${textStart.slice(20)}${text('a')}${textStop}${end}`))
    }
    await inFrontOf(respond, async (proxy) => {
      const reader = (await post(proxy, streamed)).body!.getReader()
      assert.equal(new TextDecoder().decode((await reader.read()).value), start)
      resolve()
      assert.ok(new TextDecoder().decode((await reader.read()).value).startsWith(textStart))
    })
  })

  test('with the request id of the upstream and its rate limits, but no other header', async () => {
    for (const [given, respond] of [
      [body, json(message)],
      [streamed, stream(unusual)],
    ] as const)
      await inFrontOf(respond, async (proxy) => {
        const response = await post(proxy, given)
        await response.text()
        const { headers } = response
        assert.equal(headers.get('anthropic-ratelimit-requests-remaining'), '7')
        assert.equal(headers.get('anthropic-fast-input-tokens-limit'), '1')
        assert.equal(headers.get('request-id'), 'req_up')
        assert.equal(headers.get('server') ?? headers.get('anthropic-organization-id'), null)
        const [entry] = proxy.log as [AccessEntry]
        assert.equal(entry.upstreamRequestId, 'req_up')
        assert.match(entry.requestId, /^req_01/)
      })
  })

  test('without rate limits if `upstreamRateLimits` is false', async () => {
    for (const respond of [json(message), json('{}', 429)])
      await inFrontOf(
        respond,
        async (proxy) => {
          const { headers } = await post(proxy, body)
          assert.equal(headers.get('anthropic-ratelimit-requests-remaining'), null)
          assert.equal(headers.get('anthropic-fast-input-tokens-limit'), null)
        },
        { upstreamRateLimits: false },
      )
  })

  test('with its status, body and `retry-after`, as an error', async () => {
    const error = `{"type":"error","error":{"type":"rate_limit_error","message":"Slow down","details":{"x":1}},"request_id":"req_up","more":[1]}`
    for (const given of [body, streamed])
      await inFrontOf(json(error, 429, { 'retry-after': '3', 'x-should-retry': 'false' }), async (proxy) => {
        const response = await post(proxy, given)
        assert.equal(response.status, 429)
        assert.deepEqual(await response.json(), JSON.parse(error))
        const { headers } = response
        assert.equal(headers.get('retry-after'), '3')
        assert.equal(headers.get('x-should-retry'), 'false')
        assert.equal(headers.get('request-id'), 'req_up')
        assert.equal(headers.get('anthropic-ratelimit-requests-remaining'), '7')
      })
  })

  test('but not a 401, which is about the key of the server and not of the client', async () => {
    const refused = { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }
    for (const [path, given] of [
      ['/v1/messages', body],
      ['/v1/messages', streamed],
      ['/v1/messages/count_tokens', body],
    ] as const) {
      await inFrontOf(json(JSON.stringify(refused), 401), async (proxy) => {
        const response = await post(proxy, given, { path })
        assert.equal(response.status, 502)
        assert.equal(response.headers.get('x-should-retry'), 'false')
        assert.equal(response.headers.get('request-id'), 'req_up')
        const told = (await response.json()) as ErrorBody
        assert.deepEqual(told.error, {
          type: 'api_error',
          message: 'The upstream does not accept the key of this server',
        })
        assert.equal((proxy.log[0]!.error as { status?: number }).status, 401)
      })
    }
  })

  for (const [what, respond] of Object.entries({
    'a page with a success status': json('<html>internal</html>', 200, { 'content-type': 'text/html' }),
    'an empty body': json('', 200),
    'a body that is not an object': json('"internal"', 200),
    'a stream that was not requested': json('event: ping\ndata: {}\n\n', 200, { 'content-type': 'text/event-stream' }),
    'a redirect': json('', 302, { location: 'http://internal.example/' }),
  })) {
    test(`${what} as a 502 that hides it`, async () => {
      await inFrontOf(respond, async (proxy) => {
        const response = await post(proxy, body)
        const told = (await response.json()) as ErrorBody
        assert.deepEqual(
          [response.status, told.error],
          [502, { type: 'api_error', message: '502 The upstream did not answer as the API does' }],
        )
      })
    })
  }

  test('but never the address or the pages of the upstream', async () => {
    const page = '<html><h1>502 Bad Gateway</h1>nginx at internal.example</html>'
    let port = 0
    await inFrontOf(json(page, 502, { 'content-type': 'text/html' }), async (proxy) => {
      port = proxy.port
      const response = await post(proxy, body)
      const told = await response.text()
      assert.equal(response.status, 502)
      assert.match(told, /The upstream did not answer as the API does/)
      for (const secret of ['nginx', '<h1>', 'internal']) assert.ok(!told.includes(secret), secret)
    })
    // Nothing listens on the port any more.
    const client = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'secret', maxRetries: 0 })
    const server = createServer({ engine: upstream(client) })
    const unreachable = await post({ server, seen: [], log: [], port }, body)
    const told = await unreachable.text()
    assert.equal(unreachable.status, 502)
    for (const secret of ['127.0.0.1', String(port), 'ECONNREFUSED']) assert.ok(!told.includes(secret), secret)
  })
})

suite('the log of a response that is passed on', () => {
  test('has its usage, stop reason and model', async () => {
    for (const [given, respond] of [
      [body, json(message)],
      [streamed, stream(unusual)],
    ] as const)
      await inFrontOf(respond, async (proxy) => {
        const { length } = new TextEncoder().encode(await (await post(proxy, given)).text())
        const [{ inputTokens, cacheReadTokens, outputTokens, servedModel, stopReason, responseBytes, ttftMs }] =
          proxy.log as [AccessEntry]
        assert.deepEqual([inputTokens, cacheReadTokens, outputTokens, servedModel], [11, 5, 9, 'm'])
        assert.equal(stopReason, given === body ? 'tool_use' : 'end_turn')
        assert.equal(responseBytes, length)
        assert.ok(ttftMs !== null)
      })
  })

  test('estimates the output of a stream that is cut, and the time of its first event', async () => {
    const written = `${start}${textStart}${text('word '.repeat(40)).repeat(3)}`
    const later: Respond = (response) => setTimeout(() => cut(written)(response), 50)
    await inFrontOf(later, async (proxy) => {
      const long = streamed.replace('50', '500')
      const told = new TextEncoder().encode(await (await post(proxy, long)).text())
      const [{ outputTokens, ttftMs, ms, responseBytes, stopReason, status }] = proxy.log as [AccessEntry]
      // 600 characters, of which four make a token.
      assert.deepEqual([outputTokens, stopReason, status], [150, null, 200])
      assert.ok(ttftMs! >= 50 && ttftMs! <= ms)
      assert.equal(responseBytes, told.length)
    })
  })

  test('estimates no more output than max_tokens', async () => {
    await inFrontOf(cut(`${start}${textStart}${text('7 '.repeat(400))}`), async (proxy) => {
      await (await post(proxy, streamed)).text()
      assert.equal(proxy.log[0]!.outputTokens, 50)
    })
  })

  test('estimates the output of a stream whose client leaves', async () => {
    const respond: Respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`${start}${textStart}${text('word '.repeat(40))}`)
    }
    await inFrontOf(respond, async (proxy) => {
      const reader = (await post(proxy, streamed)).body!.getReader()
      for (let received = ''; !received.includes('word');)
        received += new TextDecoder().decode((await reader.read()).value)
      await reader.cancel()
      const [{ outputTokens, aborted, inputTokens }] = proxy.log as [AccessEntry]
      assert.deepEqual([outputTokens, aborted, inputTokens], [50, true, 11])
    })
  })

  test('has the error of a stream that failed', async () => {
    const failing = `${start}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`
    await inFrontOf(stream(failing), async (proxy) => {
      const told = await (await post(proxy, streamed)).text()
      assert.deepEqual(
        told.split('event: ').map((event) => event.split('\n')[0]),
        ['', 'message_start', 'error'],
      )
      assert.match(told, /"overloaded_error","message":"Overloaded"/)
      assert.equal((proxy.log[0]!.error as { type?: string }).type, 'overloaded_error')
    })
  })
})

suite('a stream that breaks off', () => {
  const begun = `${start}${textStart}${text('The quick brown ')}`

  test('ends with an error event, after the events that had arrived whole', async () => {
    await inFrontOf(cut(`${begun}event: content_block_delta\ndata: {"ty`), async (proxy) => {
      const told = await (await post(proxy, streamed)).text()
      assert.ok(told.startsWith(`${begun}event: error\n`), told)
    })
  })

  test('is continued with `recover`: the client sees one message', async () => {
    const rest = `${start}${textStart}${text('fox')}${textStop}${end}`
    await inFrontOf(
      [cut(`${begun}event: content_block_delta\ndata: {"ty`), stream(rest)],
      async (proxy) => {
        const client = new Anthropic({ fetch: proxy.server.fetch, baseURL: 'http://test', apiKey: 'k', maxRetries: 0 })
        const params = {
          model: 'claude-sonnet-4-5',
          max_tokens: 50,
          messages: [{ role: 'user', content: 'hi' } as const],
        }
        const reply = await client.messages.stream(params).finalMessage()
        assert.deepEqual(reply.content, [{ type: 'text', text: 'The quick brown fox', citations: null }])
        assert.equal(proxy.seen.length, 2)
        assert.equal(proxy.seen[0]!.headers['anthropic-version'], proxy.seen[1]!.headers['anthropic-version'])
        assert.equal((JSON.parse(proxy.seen[1]!.body) as { messages: unknown[] }).messages.length, 2)
        // The usage of both responses.
        assert.equal(proxy.log[0]!.inputTokens, 22)
      },
      { recover: { attempts: 1 }, client: { maxRetryDelay: 1 } },
    )
  })

  test('is not continued inside of a tool call, which was passed on in part', async () => {
    const call = sse({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 't', name: 'n', input: {} },
    })
    await inFrontOf(
      cut(`${start}${call}`),
      async (proxy) => {
        const told = await (await post(proxy, streamed)).text()
        assert.ok(told.startsWith(`${start}${call}event: error\n`), told)
        assert.equal(proxy.seen.length, 1)
      },
      { recover: { attempts: 1 } },
    )
  })

  test('is not kept to be continued when it has more than 64 MB', async () => {
    const text = sse({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '', citations: null },
    })
    const long = 'x'.repeat(1024 * 1024)
    const delta = sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: long } })
    await inFrontOf(
      cut(`${start}${text}${delta.repeat(66)}`),
      async (proxy) => {
        const told = await (await post(proxy, streamed)).text()
        assert.match(told.slice(-1_000), /event: error\n/)
        assert.equal(proxy.seen.length, 1)
      },
      { recover: { attempts: 1 } },
    )
  })

  test('is closed when the client leaves', async () => {
    const { promise: isClosed, resolve } = Promise.withResolvers<void>()
    const respond: Respond = (response) => {
      response.once('close', resolve)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(start)
    }
    await inFrontOf(respond, async (proxy) => {
      const reader = (await post(proxy, streamed)).body!.getReader()
      await reader.read()
      await reader.cancel()
      await isClosed
      assert.equal(proxy.log[0]!.aborted, true)
    })
  })
})

test('a client that this library does not know is asked for events', async () => {
  const seen: unknown[] = []
  const create = async (params: unknown): Promise<AsyncIterable<MessageStreamEvent>> => {
    seen.push(params)
    return (async function* () {
      for (const data of `${start}${textStart}${text('Hi')}${textStop}${end}`.matchAll(/^data: (.*)$/gm))
        yield JSON.parse(data[1]!) as MessageStreamEvent
    })()
  }
  const engine = upstream({ messages: { create, countTokens: async () => ({ input_tokens: 1 }) } })
  const proxy = { server: createServer({ engine }), seen: [], log: [], port: 0 }
  assert.match(await (await post(proxy, body)).text(), /"text":"Hi"/)
  assert.equal((seen[0] as { stream: unknown }).stream, true)
})
