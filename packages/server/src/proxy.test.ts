import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import Anthropic from 'colloquy'
import { upstream } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { createServer } from './app.ts'

interface Upstream {
  status?: number
  headers?: Record<string, string>
  body: string
}

interface Proxied {
  response: Response
  text: string
  /** The body that the upstream received. */
  received: string
  port: number
}

/** Sends a request through a server whose engine is an API that answers as given. */
async function through(answer: Upstream, body: string, path = '/v1/messages'): Promise<Proxied> {
  let received = ''
  const api = http.createServer((request, response) => {
    request.on('data', (data) => (received += String(data)))
    request.on('end', () => response.writeHead(answer.status ?? 200, answer.headers).end(answer.body))
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  const { port } = api.address() as AddressInfo
  try {
    const response = await proxyTo(port)(`http://test${path}`, request(body))
    return { response, text: await response.text(), received, port }
  } finally {
    api.closeAllConnections()
    api.close()
  }
}

function proxyTo(port: number): ReturnType<typeof createServer>['fetch'] {
  const client = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'secret', maxRetries: 0 })
  return createServer({ engine: upstream(client) }).fetch
}

function request(body: string): RequestInit {
  return { method: 'POST', headers: { 'anthropic-version': '2023-06-01' }, body }
}

const long = '{"b":1.0,"2":1,"1":12345678901234567890}'
const bodyWith = (more: string): string => `{"model":"claude-sonnet-4-6","max_tokens":50,"messages":[${more}]}`
const hello = bodyWith('{"role":"user","content":"hi"}')
const call = `{"type":"tool_use","id":"t","name":"n","input":${long}}`

function stream(...blocks: string[]): Upstream {
  const usage = '{"input_tokens":1,"output_tokens":1}'
  const events = [
    `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":${usage}}}`,
    ...blocks,
    `{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":${usage}}`,
    '{"type":"message_stop"}',
  ]
  const text = events.map((data) => `event: ${/"type":"(\w+)"/.exec(data)![1]}\ndata: ${data}\n\n`).join('')
  const limits = { 'anthropic-ratelimit-requests-remaining': '7', 'anthropic-fast-input-tokens-limit': '1' }
  return {
    headers: { 'content-type': 'text/event-stream', 'request-id': 'req_up', server: 'nginx', ...limits },
    body: text,
  }
}

const toolCall = [
  '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t2","name":"n","input":{}}}',
  `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":${JSON.stringify(long)}}}`,
  '{"type":"content_block_stop","index":0}',
]
const serverResult = [
  `{"type":"content_block_start","index":0,"content_block":{"type":"web_fetch_tool_result","tool_use_id":"s","content":${long}}}`,
  '{"type":"content_block_stop","index":0}',
]

test('a proxy sends the numbers and keys of a request as it received them', async () => {
  const history = `{"role":"user","content":"hi"},{"role":"assistant","content":[${call}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"k"}]}`
  const tools = `[{"name":"n","input_schema":{"type":"object","properties":{"2":{"maximum":12345678901234567890},"1":{}}}}]`
  const { received } = await through(stream(), bodyWith(history).replace('"max', `"tools":${tools},"max`))
  assert.ok(received.includes(`"input":${long}`), received)
  assert.ok(received.includes(`"tools":${tools}`), received)
})

test('a proxy sends the numbers and keys of a reply as it received them', async () => {
  const whole = await through(stream(...toolCall), hello)
  assert.ok(whole.text.includes(`"input":${long}`), whole.text)
  const result = await through(stream(...serverResult), hello)
  assert.ok(result.text.includes(`"content":${long}`), result.text)
  const streamed = await through(stream(...serverResult), hello.replace('"max', '"stream":true,"max'))
  assert.ok(streamed.text.includes(`"content":${long}`), streamed.text)
})

test('a proxy passes the rate limits of its upstream, and the request id by another name', async () => {
  for (const body of [hello, hello.replace('"max', '"stream":true,"max')]) {
    const { headers } = (await through(stream(...toolCall), body)).response
    assert.equal(headers.get('anthropic-ratelimit-requests-remaining'), '7')
    assert.equal(headers.get('anthropic-fast-input-tokens-limit'), '1')
    assert.equal(headers.get('upstream-request-id'), 'req_up')
    assert.notEqual(headers.get('request-id'), 'req_up')
    assert.equal(headers.get('server'), null)
  }
  const json = { 'content-type': 'application/json', 'request-id': 'req_up', 'anthropic-ratelimit-tokens-limit': '5' }
  const counted = await through({ headers: json, body: '{"input_tokens":3}' }, hello, '/v1/messages/count_tokens')
  assert.deepEqual(
    [counted.text, counted.response.headers.get('upstream-request-id')],
    ['{"input_tokens":3}', 'req_up'],
  )
})

test('a proxy passes errors of the API with their rate limits', async () => {
  const error = { type: 'rate_limit_error', message: 'Slow down' }
  const headers = { 'request-id': 'req_up', 'retry-after': '3', 'anthropic-ratelimit-requests-remaining': '0' }
  const answer = { status: 429, headers, body: JSON.stringify({ type: 'error', error }) }
  const { response, text } = await through(answer, hello)
  assert.equal(response.status, 429)
  assert.deepEqual((JSON.parse(text) as ErrorBody).error, error)
  assert.equal(response.headers.get('retry-after'), '3')
  assert.equal(response.headers.get('anthropic-ratelimit-requests-remaining'), '0')
  assert.equal(response.headers.get('upstream-request-id'), 'req_up')
})

test('a proxy tells nothing of the address and the pages of its upstream', async () => {
  const page = '<html><h1>502 Bad Gateway</h1>nginx at internal.example</html>'
  const gateway = await through({ status: 502, headers: { 'content-type': 'text/html' }, body: page }, hello)
  assert.equal(gateway.response.status, 502)
  assert.match(gateway.text, /The upstream did not answer as the API does/)
  const { port } = gateway
  // Nothing listens on the port any more.
  const unreachable = await proxyTo(port)('http://test/v1/messages', request(hello))
  const text = await unreachable.text()
  assert.equal(unreachable.status, 502)
  for (const secret of ['nginx', '<h1>', 'internal', '127.0.0.1', String(port), 'ECONNREFUSED'])
    assert.ok(!gateway.text.includes(secret) && !text.includes(secret), secret)
})
