import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HostRules, checkHost } from '../access/hosts.ts'
import type { Server } from '../app.ts'
import { httpError, refusal } from './refusals.ts'

export interface ExchangeOptions {
  /** Aborts when the client leaves or the server stops. */
  signal: AbortSignal
  stallMs: number
  /** Undefined turns the check off. */
  hostRules: HostRules | undefined
}

/** Answers one request of Node's HTTP server. */
export async function answer(
  server: Pick<Server, 'fetch'> & Partial<Server>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  try {
    await send(await responseTo(server, incoming, options), incoming, outgoing, options)
  } catch {
    // The server answers errors itself. Those that it throws stand for a broken connection.
    outgoing.destroy()
  }
}

async function responseTo(
  server: Pick<Server, 'fetch'> & Partial<Server>,
  incoming: IncomingMessage,
  { signal, hostRules }: ExchangeOptions,
): Promise<Response> {
  let request: Request
  try {
    request = toRequest(incoming, signal)
    if (hostRules) checkHost(request.headers, hostRules)
  } catch (error) {
    const refused = server.refuse?.({ method: incoming.method ?? '', path: pathOf(incoming) }, error)
    return refused ?? refusal(error)
  }
  return server.fetch(request)
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/[?#][^]*/, '')
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Throws the API's error for a request that `Request` cannot represent. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', rawHeaders, httpVersion } = incoming
  if (!methods.includes(method))
    throw httpError(405, 'invalid_request_error', 'Method Not Allowed', { allow: 'GET, HEAD, POST' })
  if (incoming.headers.host === undefined && httpVersion === '1.1')
    throw httpError(400, 'invalid_request_error', 'The request has no Host header')
  const { expect } = incoming.headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    throw httpError(417, 'invalid_request_error', 'Expectation Failed')
  const target = URL.parse(url.startsWith('/') ? `http://localhost${url}` : url)
  if (!target) throw httpError(400, 'invalid_request_error', 'The request has no valid path')
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // A request may not have a name and password in its URL.
  target.username = target.password = ''
  return new Request(target, {
    method,
    headers,
    signal,
    ...(hasBody ? { body: bodyOf(incoming), duplex: 'half' } : {}),
  })
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
    },
    { highWaterMark: 0 },
  )
}

async function send(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { signal, stallMs }: ExchangeOptions,
): Promise<void> {
  for (const [name, value] of response.headers) outgoing.setHeader(name, value)
  outgoing.statusCode = response.status
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    // Written at once, so that Node sends the length.
    outgoing.end(new Uint8Array(await response.arrayBuffer()))
    return
  }
  if (!response.body || incoming.method === 'HEAD') {
    await response.body?.cancel()
    outgoing.end()
    return
  }
  outgoing.flushHeaders()
  const reader = response.body.getReader()
  const onAbort = (): void => void reader.cancel().catch(() => {})
  signal.addEventListener('abort', onAbort, { once: true })
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (!outgoing.write(next.value)) await drained(outgoing, stallMs)
  }
  signal.removeEventListener('abort', onAbort)
  outgoing.end()
}

/** Resolves when more can be written or the connection is closed. Closes it if the client reads nothing for `stallMs`. */
function drained(outgoing: ServerResponse, stallMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => outgoing.destroy(), stallMs)
  const done = (): void => {
    clearTimeout(timer)
    outgoing.off('drain', done)
    outgoing.off('close', done)
    resolve()
  }
  outgoing.on('drain', done)
  outgoing.on('close', done)
  return promise
}
