import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HostRules, checkHost } from '../access/hosts.ts'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { Server } from '../app.ts'
import type { BodySource } from '../messages/request/body-source.ts'
import type { Answer, AnswerStream } from '../messages/exchange.ts'
import { httpError, refusal } from './refusals.ts'

export interface ExchangeOptions {
  /** Aborted when the client leaves or the server stops. */
  controller: AbortController
  stallMs: number
  /** Undefined turns the check off. */
  hostRules: HostRules | undefined
}

type AnyServer = Pick<Server, 'fetch'> & Partial<Server>

/** Answers one request of Node's HTTP server. */
export async function answer(
  server: AnyServer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  try {
    const target = checked(server, incoming, options)
    if (typeof target !== 'string') return await sendResponse(target, incoming, outgoing, options)
    const direct = server.answer?.(directRequest(incoming, options))
    if (direct) sendAnswer(await direct, outgoing, options)
    else await sendResponse(await server.fetch(toRequest(incoming, target, options)), incoming, outgoing, options)
  } catch {
    // The server answers errors itself. Those that it throws stand for a broken connection.
    breakOff(outgoing)
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The URL of the request, or the refusal of one that `Request` cannot represent or that may come from a foreign page. */
function checked(server: AnyServer, incoming: IncomingMessage, { hostRules }: ExchangeOptions): string | Response {
  try {
    const { method = 'GET', httpVersion } = incoming
    const { host, expect } = incoming.headers
    if (!methods.includes(method))
      throw httpError(405, 'invalid_request_error', 'Method Not Allowed', { allow: 'GET, HEAD, POST' })
    if (host === undefined && httpVersion === '1.1')
      throw httpError(400, 'invalid_request_error', 'The request has no Host header')
    if (expect !== undefined && expect.toLowerCase() !== '100-continue')
      throw httpError(417, 'invalid_request_error', 'Expectation Failed')
    const target = targetOf(incoming)
    if (target === undefined) throw httpError(400, 'invalid_request_error', 'The request has no valid path')
    if (hostRules) checkHost(headersOf(incoming), hostRules)
    return target
  } catch (error) {
    const refused = server.refuse?.({ method: incoming.method ?? '', path: pathOf(incoming.url) }, error)
    return refused ?? refusal(error)
  }
}

/** The request target as a URL. Undefined if it is not one. */
function targetOf({ url = '/' }: IncomingMessage): string | undefined {
  // Most targets need no parser.
  if (/^\/[\w/]*$/.test(url)) return `http://localhost${url}`
  const target = URL.parse(url.startsWith('/') ? `http://localhost${url}` : url)
  if (!target) return undefined
  // A request may not have a name and password in its URL.
  target.username = target.password = ''
  return target.href
}

function pathOf(url = ''): string {
  return url.replace(/[?#][^]*/, '')
}

function headersOf({ headers }: IncomingMessage): RequestHeaders {
  return {
    get(name) {
      const value = headers[name]
      return typeof value === 'string' ? value : (value?.join(', ') ?? null)
    },
  }
}

function directRequest(incoming: IncomingMessage, { controller }: ExchangeOptions): Parameters<Server['answer']>[0] {
  const { method = 'GET', url = '/' } = incoming
  const path = pathOf(url)
  return {
    method,
    path,
    query: url.slice(path.length),
    headers: headersOf(incoming),
    body: nodeBody(incoming),
    controller,
  }
}

function nodeBody(incoming: IncomingMessage): BodySource {
  // The message lives as long as its response, and would keep the body with the listeners.
  const stop = (): void => {
    for (const name of ['data', 'end', 'error']) incoming.removeAllListeners(name)
  }
  return {
    pipe: (sink) => {
      incoming.on('data', (chunk: Uint8Array) => sink.write(chunk))
      incoming.on('end', () => {
        stop()
        sink.end()
      })
      incoming.on('error', (error) => sink.fail(error))
    },
    stop: () => {
      stop()
      incoming.pause()
    },
    stream: () => bodyOf(incoming),
  }
}

function toRequest(incoming: IncomingMessage, target: string, { controller }: ExchangeOptions): Request {
  const { method = 'GET', rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(target, {
    method,
    headers,
    signal: controller.signal,
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

function sendAnswer({ status, headers, body }: Answer, outgoing: ServerResponse, options: ExchangeOptions): void {
  if (typeof body === 'object' && !(body instanceof Uint8Array)) {
    outgoing.writeHead(status, headers)
    // Not awaited: a stream may last for minutes, and everything that waits for it takes memory.
    sendStream(body, outgoing, options).catch(() => breakOff(outgoing))
    return
  }
  const length = body === undefined ? 0 : Buffer.byteLength(body)
  outgoing.writeHead(status, { ...headers, 'content-length': length }).end(body)
}

/** Breaks the connection, after what was written. */
function breakOff(outgoing: ServerResponse): void {
  setImmediate(() => outgoing.destroy())
}

async function sendStream(
  stream: AnswerStream,
  outgoing: ServerResponse,
  { controller: { signal }, stallMs }: ExchangeOptions,
): Promise<void> {
  const onAbort = (): void => stream.leave()
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  for (let piece = await stream.read(); piece; piece = await stream.read())
    if (!outgoing.write(piece)) await drained(outgoing, stallMs)
  signal.removeEventListener('abort', onAbort)
  outgoing.end()
}

async function sendResponse(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const { status, body } = response
  const headers = Object.fromEntries(response.headers)
  const isStream =
    headers['content-type']?.startsWith('text/event-stream') || headers['transfer-encoding'] === 'chunked'
  if (!isStream)
    return sendAnswer({ status, headers, body: new Uint8Array(await response.arrayBuffer()) }, outgoing, options)
  if (!body || incoming.method === 'HEAD') {
    await body?.cancel()
    return sendAnswer({ status, headers, body: undefined }, outgoing, options)
  }
  const reader = body.getReader()
  const stream: AnswerStream = {
    read: async () => (await reader.read()).value,
    leave: () => void reader.cancel().catch(() => {}),
  }
  return sendAnswer({ status, headers, body: stream }, outgoing, options)
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
