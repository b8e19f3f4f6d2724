import assert from 'node:assert/strict'
import http from 'node:http'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type EngineContext, offline } from 'colloquy/engines'
import { apiError, type MessageCreateParams, type MessageStreamEvent, type PingEvent } from 'colloquy/protocol'
import { type Server, createServer } from '../app.ts'
import type { AccessEntry } from './request-log.ts'
import { listen } from './node.ts'

interface Sent {
  method?: string
  path?: string
  /** Replace the headers of every request; undefined removes one. */
  headers?: Record<string, string | string[] | undefined>
  body?: string | Uint8Array<ArrayBuffer>
}

interface Received {
  status: number
  headers: Record<string, string>
  body: string
}

const base = { model: 'claude-opus-4-6', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] }
const body = JSON.stringify(base)
const saying = (content: string, more: object = {}): string =>
  JSON.stringify({ ...base, ...more, messages: [{ role: 'user', content }] })
const ownHeaders = { 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-one', 'content-type': 'application/json' }
const count = '/v1/messages/count_tokens'

const requests: Record<string, Sent> = {
  'a reply as JSON': { body },
  'a reply as a stream': { body: saying('hi', { stream: true }) },
  'a path with a query': { body, path: '/v1/messages?beta=true' },
  'a path that is encoded': { body, path: '/v1/mess%61ges' },
  'a path that does not exist': { body, path: '/v1/messages/x' },
  'a wrong method': { method: 'GET' },
  HEAD: { method: 'HEAD' },
  'OPTIONS from a page': { method: 'OPTIONS', headers: { origin: 'http://localhost:1' } },
  'a page that may read the response': { body, headers: { origin: 'http://localhost:1' } },
  counting: { body, path: count },
  'counting what is not valid': { body: '{"model":"claude-opus-4-6"}', path: count },
  'no body': {},
  'a body that is not JSON': { body: '{"model":' },
  'a body that is not UTF-8': { body: Uint8Array.of(0x22, 0xff, 0x22) },
  'a body that is not valid': { body: body.replace('20', '-1') },
  'a body of gzip': { body: gzipSync(body), headers: { 'content-encoding': 'gzip' } },
  'a body that is not gzip': { body, headers: { 'content-encoding': 'gzip' } },
  'an unknown encoding': { body, headers: { 'content-encoding': 'br' } },
  'an unknown charset': { body, headers: { 'content-type': 'application/json; charset=latin1' } },
  'a body that is too long': { body: saying('x'.repeat(20_000)) },
  'an unknown model': { body: body.replace('opus-4-6', 'none') },
  'no version': { body, headers: { 'anthropic-version': undefined } },
  'an unknown version': { body, headers: { 'anthropic-version': '2020-01-01' } },
  'no key': { body, headers: { 'x-api-key': undefined } },
  'a wrong key': { body, headers: { 'x-api-key': undefined, authorization: 'Bearer x' } },
  'a bearer token': { body, headers: { 'x-api-key': undefined, authorization: 'Bearer sk-one' } },
  'betas in two headers': { body: saying('betas'), headers: { 'anthropic-beta': ['one', 'two, three'] } },
  'an error before the reply': { body: saying('fail') },
  'an error before the stream': { body: saying('fail', { stream: true }) },
  'an error within the reply': { body: saying('break') },
  'an error within the stream': { body: saying('break', { stream: true }) },
  'an engine with a bug': { body: saying('bug', { stream: true }) },
}

const local = offline()
async function* engine(
  params: MessageCreateParams,
  context?: EngineContext,
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  const { content } = params.messages[0]!
  if (content === 'fail') throw apiError('overloaded_error', 'Busy', { error_code: 'x' })
  if (content === 'bug') throw new TypeError('a secret')
  if (content === 'betas') assert.deepEqual(context?.betas, ['one', 'two', 'three'])
  for await (const event of local(params, context)) {
    yield event
    if (content === 'break') throw apiError('api_error', 'Broke')
  }
}

/** Sends the request to a server that listens on a port. */
async function overNode(server: Server, { method, path, headers, body: bytes }: Required<Sent>): Promise<Received> {
  const { port, close } = await listen(server)
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const defined = Object.entries(headers).filter(([, value]) => value !== undefined)
      const request = http.request({
        port,
        method,
        path,
        headers: Object.fromEntries(defined) as http.OutgoingHttpHeaders,
      })
      request.on('response', resolve).on('error', reject).end(bytes)
    })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const given = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
    return {
      status: response.statusCode!,
      headers: Object.fromEntries(given) as never,
      body: String(Buffer.concat(chunks)),
    }
  } finally {
    await close({ graceMs: 0 })
  }
}

async function overFetch(server: Server, { method, path, headers, body: bytes }: Required<Sent>): Promise<Received> {
  const given = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined) given.append(name, each)
  const hasBody = method === 'POST'
  const response = await server.fetch(`http://localhost${path}`, {
    method,
    headers: given,
    ...(hasBody && { body: bytes }),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

const ofTheConnection = ['connection', 'keep-alive', 'date', 'transfer-encoding', 'content-length']

/** The parts of a response that do not differ between two requests. */
function comparable({ status, headers, body: text }: Received): Received {
  const kept = Object.entries(headers).filter(([name]) => !ofTheConnection.includes(name))
  const withoutIds = (value: string): string => value.replaceAll(/\b(req|msg|toolu)_\w+/g, '$1')
  return {
    status,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, withoutIds(value)])),
    body: withoutIds(text),
  }
}

function loggable({ ms: _, ttftMs, requestId: __, error, ...entry }: AccessEntry): object {
  return { ...entry, ttft: ttftMs !== null, error: String(error) }
}

suite('fetch() and a port answer alike', () => {
  for (const [name, sent] of Object.entries(requests)) {
    test(name, async () => {
      const log: AccessEntry[] = []
      const server = createServer({
        engine,
        keys: ['sk-one'],
        origins: ['http://localhost:1'],
        maxBodyBytes: 10_000,
        log: (entry) => log.push(entry),
      })
      const request = {
        method: 'POST',
        path: '/v1/messages',
        body: '',
        ...sent,
        headers: { ...ownHeaders, ...sent.headers },
      }
      const fetched = await overFetch(server, request)
      const received = await overNode(server, request)
      assert.deepEqual(comparable(received), comparable(fetched))
      assert.match(received.headers['request-id']!, /^req_/)
      const [first, second] = log as [AccessEntry, AccessEntry]
      assert.deepEqual(loggable(second), loggable(first))
    })
  }
})
