import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from 'colloquy'
import { offline } from 'colloquy/engines'
import { type TestReply, type TestServer, testServer } from '@colloquy/server/testing'

const request = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

function clientOf({ url }: TestServer, maxRetries = 0): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'sk-test', maxRetries })
}

async function post(url: string, body?: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', ...(body !== undefined && { body: JSON.stringify(body) }) })
}

/** The status, the content type and the body of a streamed reply, up to where the connection breaks. */
async function streamed(
  server: TestServer,
): Promise<{ status: number; type: string | null; body: string; broken: boolean }> {
  const headers = { 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
  const body = JSON.stringify({ ...request, stream: true })
  const response = await fetch(`${server.url}/v1/messages`, { method: 'POST', headers, body })
  const decoder = new TextDecoder()
  const outcome = { status: response.status, type: response.headers.get('content-type'), body: '', broken: false }
  try {
    for await (const chunk of response.body!) outcome.body += decoder.decode(chunk)
  } catch {
    outcome.broken = true
  }
  return outcome
}

test('testServer() plays its script and records the requests with their headers', async (t) => {
  const server = await testServer(
    { script: ['One', { error: { type: 'rate_limit_error', headers: { 'retry-after': '0' } } }, 'Two'] },
    t,
  )
  const client = clientOf(server, 1)
  for (const text of ['One', 'Two']) {
    const { content } = await client.messages.create(request)
    assert.partialDeepStrictEqual(content, [{ type: 'text', text }])
  }
  assert.equal(server.remaining, 0)
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${path}`),
    Array(3).fill('POST /v1/messages'),
  )
  assert.deepEqual(server.requests[0]!.params, request)
  assert.equal(server.requests[0]!.headers['x-api-key'], 'sk-test')
  assert.equal(server.requests[2]!.headers['x-stainless-retry-count'], '1')
})

test('testServer() records a request that it refuses', async (t) => {
  const server = await testServer({ script: ['unused'] }, t)
  await assert.rejects(clientOf(server).messages.create({ ...request, max_tokens: -1 }), { status: 400 })
  assert.equal(server.requests[0]!.params!.max_tokens, -1)
  assert.equal(server.remaining, 1)
})

test('testServer() answers a request without a step with an error that is not retried', async (t) => {
  const server = await testServer({}, t)
  await assert.rejects(clientOf(server, 2).messages.create(request), /no step of the script is left/)
  assert.equal(server.requests.length, 1)
  const other = await testServer({ engine: offline() }, t)
  assert.equal((await clientOf(other).messages.create(request)).type, 'message')
})

test('a step chooses its requests by fields of the params', async (t) => {
  const server = await testServer({ script: [{ when: { messages: [{ content: 'Bye' }] }, reply: 'B' }, 'A'] }, t)
  const ask = async (content: string): Promise<unknown> =>
    (await clientOf(server).messages.create({ ...request, messages: [{ role: 'user', content }] })).content[0]
  assert.partialDeepStrictEqual([await ask('Hi'), await ask('Bye')], [{ text: 'A' }, { text: 'B' }])
})

const faults: [name: string, step: TestReply, expected: object][] = [
  [
    'an error in the stream',
    { reply: 'Hi', after: 2, error: { type: 'overloaded_error' } },
    { status: 200, broken: false },
  ],
  [
    'a cut after bytes',
    { reply: 'Hi', cutAfterBytes: 20 },
    { status: 200, body: 'event: message_start', broken: true },
  ],
  [
    'a wrong content type',
    { reply: 'Hi', response: { headers: { 'content-type': 'text/html' } } },
    { type: 'text/html', broken: false },
  ],
  ['the page of a gateway', { response: { status: 502, body: '<html>' } }, { status: 502, body: '<html>' }],
]

for (const [name, step, expected] of faults) {
  test(`a step produces ${name}`, async (t) => {
    assert.partialDeepStrictEqual(await streamed(await testServer({ script: [step] }, t)), expected)
  })
}

test('a step produces malformed events after good ones', async (t) => {
  const server = await testServer({ script: [{ reply: 'Hi', after: 1, bytes: 'data: {"type\n\n' }] }, t)
  const { body, broken } = await streamed(server)
  assert.match(body, /^event: message_start\n.*\n\ndata: \{"type\n\n$/s)
  assert.equal(broken, false)
})

test('a step cuts a response that is not streamed', async (t) => {
  const server = await testServer({ script: [{ reply: 'Hi', cutAfterBytes: 5 }] }, t)
  const headers = { 'anthropic-version': '2023-06-01' }
  const response = await fetch(`${server.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(request) })
  await assert.rejects(response.text(), TypeError)
})

test('a step stalls until the client gives up, and tokens can be slow', async (t) => {
  const server = await testServer(
    {
      script: [
        { reply: 'Hi', after: 1, stall: true },
        { reply: 'Hi', eventDelayMs: 20 },
      ],
    },
    t,
  )
  const stalled = clientOf(server).messages.stream(request)
  stalled.on('streamEvent', () => stalled.abort())
  await assert.rejects(stalled.finalMessage(), { name: 'APIUserAbortError' })
  const start = performance.now()
  assert.equal(await clientOf(server).messages.stream(request).finalText(), 'Hi')
  assert.ok(performance.now() - start >= 80)
})

test('testServer() answers in process, and closes twice and at the end of a block', async () => {
  let url: string
  {
    await using server = await testServer({ script: ['Hi'] })
    const client = new Anthropic({ fetch: server.fetch, baseURL: 'http://colloquy.test', apiKey: 'any' })
    assert.equal(await client.messages.stream(request).finalText(), 'Hi')
    url = server.url
    await server.close()
  }
  await assert.rejects(fetch(url), TypeError)
})

test('programs control the script over HTTP', async (t) => {
  const server = await testServer({}, t)
  const control = `${server.url}/testing`
  assert.deepEqual(await (await post(`${control}/script`, ['Hi', { error: { type: 'overloaded_error' } }])).json(), {
    remaining: 2,
  })
  await clientOf(server).messages.create(request)
  const seen = (await (await fetch(`${control}/requests`)).json()) as { requests: object[]; remaining: number }
  assert.partialDeepStrictEqual(seen, { remaining: 1, requests: [{ path: '/v1/messages', params: request }] })
  await post(`${control}/reset`)
  assert.deepEqual([server.remaining, server.requests.length], [0, 0])
})

test('the control routes name the mistake in a script and keep the steps', async (t) => {
  const server = await testServer({ script: ['kept'] }, t)
  const messageOf = async (body: unknown): Promise<string> => {
    const response = await post(`${server.url}/testing/script`, body)
    assert.equal(response.status, 400)
    return ((await response.json()) as { error: { message: string } }).error.message
  }
  assert.match(await messageOf({}), /must be a JSON list of steps/)
  assert.match(await messageOf([{ eror: {} }]), /eror.*did you mean error/)
  assert.match(await messageOf([{ reply: 1 }]), /step 1/)
  assert.match(await messageOf([null]), /step 1/)
  assert.equal(server.remaining, 1)
  assert.equal((await fetch(`${server.url}/testing/none`)).status, 404)
  const foreign = await fetch(`${server.url}/testing/requests`, { headers: { origin: 'https://evil.example' } })
  assert.equal(foreign.status, 403)
})
