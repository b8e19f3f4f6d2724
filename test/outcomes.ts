// The behaviours of servers, and the outcome of a request for each.
import net, { type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import zlib from 'node:zlib'
import type { ClientOptions } from 'colloquy'
import { hello, helloEvents } from '../packages/colloquy/src/client/request/fault-server.test.ts'

export type Respond = (socket: Socket, request: number) => void

export interface RawServer {
  url: string
  /** Requests that arrived complete. */
  count: () => number
  connections: () => number
}

/** A server that responds with bytes of its own to each complete request. */
export async function rawServer(t: Pick<TestContext, 'after'>, respond: Respond): Promise<RawServer> {
  let requests = 0
  let connections = 0
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      const end = received.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
      if (end < 0 || received.length < end + 4 + length) return
      received = ''
      respond(socket, ++requests)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, count: () => requests, connections: () => connections }
}

export function head(status: number | string, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}${/ /.test(String(status)) ? '' : ' -'}\r\n${lines.join('')}\r\n`
}

export const json: Record<string, string> = { 'content-type': 'application/json' }
export const message: string = JSON.stringify(hello)
const events = helloEvents.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

/** A response with a body of a known length. */
export function sends(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string | number> = json,
): Respond {
  return (socket) => {
    socket.write(head(status, { 'content-length': Buffer.byteLength(body), ...headers }))
    socket.write(body)
  }
}

/** A chunked response. Ends without its last chunk if `isCut`. */
function chunked(headers: Record<string, string>, chunks: (string | Uint8Array)[], isCut = false): Respond {
  return (socket) => {
    socket.write(head(200, { ...headers, 'transfer-encoding': 'chunked' }))
    for (const chunk of chunks) {
      socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n`)
      socket.write(chunk)
      socket.write('\r\n')
    }
    if (isCut) socket.end()
    else socket.write('0\r\n\r\n')
  }
}

export function apiError(type: string): string {
  return JSON.stringify({ type: 'error', error: { type, message: 'No' } })
}

/** Cuts the last bytes off. */
function cut(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, -12)
}

const gzipped = zlib.gzipSync(message)
export const encoded = (encoding: string): Record<string, string> => ({ ...json, 'content-encoding': encoding })
export const raw =
  (text: string): Respond =>
  (socket) =>
    void socket.write(text)
export const closes: Respond = (socket) => void socket.end()
export const resets: Respond = (socket) => void socket.resetAndDestroy()

/** The outcome, and how many requests the server saw with `maxRetries: 1`. */
export type Outcome = [outcome: string | RegExp, requests: number]

export interface Row {
  name: string
  respond: Respond
  outcome: Outcome
  /** If `fetch` of Node cannot have the same outcome: its own, and the reason. */
  fetch?: { outcome: Outcome; because: string }
  options?: ClientOptions
}

const gatewayErrors = [
  '{"error":"not today"}',
  '{"error":{"message":"not today"}}',
  '{"error":{"code":"later","message":{"text":"not today"}}}',
  '{"id":"req_1","error":{"message":"not today"}}',
  '{"message":"not today"}',
  '{"detail":"not today"}',
  '{"detail":[{"msg":"not today"}]}',
  '{"errors":["not today"]}',
  '{"title":"not today","status":503}',
]

export const rows: Row[] = [
  // Statuses
  { name: 'a message', respond: sends(200, message), outcome: ['message', 1] },
  { name: 'a message with status 201', respond: sends(201, message), outcome: ['message', 1] },
  {
    name: 'status 100, then a message',
    respond: raw(`${head('100 Continue')}${head(200, { ...json, 'content-length': message.length })}${message}`),
    outcome: ['message', 1],
    fetch: {
      outcome: [/^APIConnectionError.*bad response/, 2],
      because: 'it refuses a status 100 that it did not ask for',
    },
  },
  {
    name: 'status 103, then a message',
    respond: raw(
      `${head('103 Early Hints', { link: '</a>' })}${head(200, { ...json, 'content-length': message.length })}${message}`,
    ),
    outcome: ['message', 1],
  },
  {
    name: 'status 101',
    respond: raw(head('101 Switching Protocols', { upgrade: 'h2c', connection: 'Upgrade' })),
    outcome: [/^APIConnectionError/, 2],
  },
  {
    name: 'status 204',
    respond: raw(head(204)),
    outcome: [/^APIResponseError: 204 Cannot read the response as a JSON object/, 2],
  },
  { name: 'status 205', respond: raw(head(205, { 'content-length': 0 })), outcome: [/^APIResponseError: 205 /, 2] },
  { name: 'status 304', respond: raw(head(304)), outcome: [/^APIError: 304/, 1] },
  {
    name: 'an empty body',
    respond: sends(200, ''),
    outcome: [/^APIResponseError: 200 Cannot read the response as a JSON object: found an empty body/, 2],
  },
  ...[400, 401, 402, 403, 404, 413, 418, 422].map((status) => ({
    name: `status ${status}`,
    respond: sends(status, apiError('x')),
    outcome: [new RegExp(`Error: ${status} `), 1] as Outcome,
  })),
  ...[408, 409, 429, 500, 502, 503, 504, 529].map((status) => ({
    name: `status ${status}`,
    respond: sends(status, apiError('x')),
    outcome: [new RegExp(`Error: ${status} `), 2] as Outcome,
  })),
  {
    name: 'status 500 without a body',
    respond: sends(500, ''),
    outcome: [/^InternalServerError: 500 status code \(no body\)/, 2],
  },
  {
    name: 'status 502 with HTML',
    respond: sends(502, '<html>', { 'content-type': 'text/html' }),
    outcome: [/^InternalServerError: 502 <html>/, 2],
  },
  {
    name: 'status 400 with a body that is cut',
    respond: (socket) => void socket.end(`${head(400, { ...json, 'content-length': 500 })}{"type":"err`),
    outcome: [/^BadRequestError: 400 \{"type":"err/, 1],
  },
  {
    name: 'status 400 with a body that is reset',
    respond: (socket) => {
      socket.write(`${head(400, { ...json, 'content-length': 500 })}{"type":"err`)
      setTimeout(resets, 20, socket)
    },
    outcome: [/^BadRequestError: 400 \{"type":"err/, 1],
  },
  {
    name: 'status 400 with a body that stalls',
    respond: raw(`${head(400, { ...json, 'content-length': 500 })}{"type":"err`),
    options: { timeout: 200 },
    outcome: [/^BadRequestError: 400 \{"type":"err/, 1],
  },
  // Redirects
  ...[301, 302, 303, 307, 308].map((status) => ({
    name: `status ${status} to another host`,
    respond: sends(status, '', { location: 'http://localhost:1/' }),
    outcome: [new RegExp(`^APIError: ${status} Cannot follow a redirect to http://localhost:1/`), 1] as Outcome,
  })),
  {
    name: 'status 302 to the same host',
    respond: sends(302, '', { location: '/v1/other' }),
    outcome: [/^APIError: 302 Cannot follow a redirect to \/v1\/other/, 1],
  },
  { name: 'status 302 without a location', respond: sends(302, ''), outcome: [/^APIError: 302/, 1] },
  {
    name: 'status 302 with a page',
    respond: sends(302, '<h1>Found</h1>', { 'content-type': 'text/html', location: '/x' }),
    outcome: [/^APIError: 302 Cannot follow a redirect to \/x/, 1],
  },
  // Encodings
  { name: 'gzip', respond: sends(200, gzipped, encoded('gzip')), outcome: ['message', 1] },
  { name: 'x-gzip', respond: sends(200, gzipped, encoded('x-gzip')), outcome: ['message', 1] },
  { name: 'GZip in another case', respond: sends(200, gzipped, encoded('GZip')), outcome: ['message', 1] },
  {
    name: 'gzip in chunks of one byte',
    respond: chunked(
      encoded('gzip'),
      Array.from(gzipped, (byte) => Uint8Array.of(byte)),
    ),
    outcome: ['message', 1],
  },
  { name: 'deflate', respond: sends(200, zlib.deflateSync(message), encoded('deflate')), outcome: ['message', 1] },
  {
    name: 'deflate without its header',
    respond: sends(200, zlib.deflateRawSync(message), encoded('deflate')),
    outcome: ['message', 1],
  },
  { name: 'br', respond: sends(200, zlib.brotliCompressSync(message), encoded('br')), outcome: ['message', 1] },
  {
    name: 'gzip, then br',
    respond: sends(200, zlib.brotliCompressSync(gzipped), encoded('gzip, br')),
    outcome: ['message', 1],
  },
  { name: 'identity', respond: sends(200, message, encoded('identity')), outcome: ['message', 1] },
  { name: 'an encoding that is not known', respond: sends(200, message, encoded('colour')), outcome: ['message', 1] },
  {
    name: 'gzip that is cut',
    respond: sends(200, cut(gzipped), encoded('gzip')),
    outcome: [/^APIConnectionError.*unexpected end of file/, 2],
    fetch: {
      outcome: [/^APIResponseError: 200 Cannot read the response as JSON/, 2],
      because: 'it does not notice that a compressed body is cut',
    },
  },
  {
    name: 'br that is cut',
    respond: sends(200, cut(zlib.brotliCompressSync(message)), encoded('br')),
    outcome: [/^APIConnectionError/, 2],
    fetch: {
      outcome: [/^APIResponseError: 200 Cannot read the response as JSON/, 2],
      because: 'it does not notice that a compressed body is cut',
    },
  },
  {
    name: 'bytes that are not gzip',
    respond: sends(200, message, encoded('gzip')),
    outcome: [/^APIConnectionError/, 2],
  },
  {
    name: 'gzip of nothing',
    respond: sends(200, '', encoded('gzip')),
    outcome: [/^APIResponseError: 200 .*an empty body/, 2],
  },
  {
    name: 'status 502, gzip of nothing',
    respond: sends(502, '', encoded('gzip')),
    outcome: [/^InternalServerError: 502 status code \(no body\)/, 2],
  },
  {
    name: 'status 400, gzip that is cut',
    respond: sends(400, cut(zlib.gzipSync(apiError('x'))), encoded('gzip')),
    outcome: [/^BadRequestError: 400/, 1],
  },
  { name: 'status 204, gzip', respond: raw(head(204, encoded('gzip'))), outcome: [/^APIResponseError: 204/, 2] },
  // Cut connections
  {
    name: 'a body shorter than its length',
    respond: (socket) => void socket.end(`${head(200, { ...json, 'content-length': 500 })}${message}`),
    outcome: [/^APIConnectionError/, 2],
  },
  {
    name: 'a chunked body without its end',
    respond: chunked(json, [message], true),
    outcome: [/^APIConnectionError/, 2],
  },
  {
    name: 'a body that ends with the connection',
    respond: (socket) => void socket.end(`${head(200, { ...json, connection: 'close' })}${message}`),
    outcome: ['message', 1],
  },
  {
    name: 'a reset in the body',
    respond: (socket) => {
      socket.write(`${head(200, { ...json, 'content-length': 500 })}{`)
      setTimeout(resets, 20, socket)
    },
    outcome: [/^APIConnectionError/, 2],
  },
  { name: 'a reset before the response', respond: resets, outcome: [/^APIConnectionError/, 2] },
  { name: 'an end before the response', respond: closes, outcome: [/^APIConnectionError/, 2] },
  {
    name: 'an end in the headers',
    respond: (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-'),
    outcome: [/^APIConnectionError/, 2],
  },
  {
    name: 'bytes that are not HTTP',
    respond: (socket) => void socket.end('220 smtp.example.com\r\n'),
    outcome: [/^APIConnectionError/, 2],
  },
  // Time
  {
    name: 'a body byte by byte',
    respond: (socket) => {
      socket.write(head(200, { ...json, 'content-length': message.length }))
      void (async () => {
        for (const byte of message) {
          socket.write(byte)
          await new Promise(setImmediate)
        }
      })()
    },
    outcome: ['message', 1],
  },
  {
    name: 'silence before the response',
    respond: () => {},
    options: { timeout: 100 },
    outcome: [/^APIConnectionTimeoutError/, 2],
  },
  {
    name: 'silence in the body',
    respond: raw(`${head(200, { ...json, 'content-length': 500 })}{`),
    options: { timeout: 100 },
    outcome: [/^APIConnectionTimeoutError/, 2],
  },
  // Other bodies
  ...['null', '[]', '5', '"text"', 'true'].map((body) => ({
    name: `the body ${body}`,
    respond: sends(200, body),
    outcome: [/^APIResponseError: 200 Cannot read the response as a JSON object/, 2] as Outcome,
  })),
  // Errors of gateways with a success status
  ...gatewayErrors.map((body) => ({
    name: `the body ${body}`,
    respond: sends(200, body),
    outcome: [/^APIResponseError: 200 .*not today/, 2] as Outcome,
  })),
  {
    name: 'a body that is not JSON',
    respond: sends(200, '<html>'),
    outcome: [/^APIResponseError: 200 Cannot read the response as JSON: found 6 characters/, 2],
  },
]

const sse = { 'content-type': 'text/event-stream' }
const encodedSse = (encoding: string): Record<string, string> => ({ ...sse, 'content-encoding': encoding })
const firstEvents = helloEvents.slice(0, 3).map((event) => `data: ${JSON.stringify(event)}\n\n`)

export const streams: Row[] = [
  { name: 'events', respond: chunked(sse, [events]), outcome: ['message', 1] },
  { name: 'events byte by byte', respond: chunked(sse, Array.from(events)), outcome: ['message', 1] },
  { name: 'events without a content-type', respond: chunked({}, [events]), outcome: ['message', 1] },
  { name: 'gzip', respond: chunked(encodedSse('gzip'), [zlib.gzipSync(events)]), outcome: ['message', 1] },
  { name: 'deflate', respond: chunked(encodedSse('deflate'), [zlib.deflateSync(events)]), outcome: ['message', 1] },
  { name: 'br', respond: chunked(encodedSse('br'), [zlib.brotliCompressSync(events)]), outcome: ['message', 1] },
  {
    name: 'gzip that is cut',
    respond: chunked(encodedSse('gzip'), [cut(zlib.gzipSync(firstEvents.join('')))]),
    outcome: [/^APIStreamError: Stream broke off after (?:1 event|[02-9] events):/, 1],
  },
  {
    name: 'bytes that are not gzip',
    respond: chunked(encodedSse('gzip'), [events]),
    outcome: [/^APIStreamError: Stream broke off after 0 events/, 2],
  },
  {
    name: 'an end after message_start',
    respond: chunked(sse, firstEvents.slice(0, 1)),
    outcome: [/^APIStreamError: Stream broke off after 1 event:/, 1],
  },
  {
    name: 'an end after the first event',
    respond: chunked(sse, firstEvents),
    outcome: [/^APIStreamError: Stream broke off after 2 events/, 1],
  },
  {
    name: 'a cut after the first event',
    respond: chunked(sse, firstEvents, true),
    outcome: [/^APIStreamError: Stream broke off after 2 events/, 1],
  },
  {
    name: 'a cut before the first event',
    respond: chunked(sse, [': hello\n\n'], true),
    outcome: [/^APIStreamError: Stream broke off after 0 events/, 2],
  },
  {
    name: 'no events',
    respond: chunked(sse, []),
    outcome: [/^APIStreamError: Stream broke off after 0 events: it ended without message_stop/, 2],
  },
  { name: 'status 204', respond: raw(head(204)), outcome: [/^APIStreamError: Stream broke off after 0 events/, 2] },
  {
    name: 'silence before the first event',
    respond: raw(`${head(200, { ...sse, 'content-length': 500 })}: hello\n\n`),
    options: { idleTimeout: 100 },
    outcome: [/^APIStreamError: .*nothing arrived for 100 ms/, 2],
  },
  {
    name: "a gateway's error as JSON that lasts",
    respond: sends(200, apiError('invalid_request_error')),
    outcome: [/^BadRequestError: 400 .*invalid_request_error/, 1],
  },
  {
    name: "a gateway's error as JSON that passes",
    respond: sends(200, apiError('overloaded_error')),
    outcome: [/^OverloadedError: 529 .*overloaded_error/, 2],
  },
  {
    name: 'an error as JSON text',
    respond: sends(200, '{"error":"budget exceeded"}'),
    outcome: [/^APIResponseError: 200 \{"error":"budget exceeded"\}/, 2],
  },
  ...gatewayErrors.map((body) => ({
    name: `the body ${body}`,
    respond: sends(200, body),
    outcome: [/^APIResponseError: 200 .*not today/, 2] as Outcome,
  })),
  {
    name: 'a message as JSON',
    respond: sends(200, message),
    outcome: ['message', 1],
  },
  {
    name: 'an error without a type',
    respond: chunked(sse, ['data: {"error":{"message":"budget exceeded","type":"budget_exceeded"}}\n\n']),
    outcome: [/^APIError: .*budget exceeded/, 1],
  },
  {
    name: 'an error without a type, with a code that passes',
    respond: chunked(sse, ['data: {"error":{"message":"later","code":"429"}}\n\n']),
    outcome: [/^APIError: .*later/, 2],
  },
  {
    name: 'HTML',
    respond: sends(200, '<html>', { 'content-type': 'text/html' }),
    outcome: [/^APIStreamError: .*text\/html/, 2],
  },
]
