import type { IncomingMessage, ServerResponse } from 'node:http'
import { apiError } from 'colloquy/protocol'
import { type HostRules, checkHost } from '../access/hosts.ts'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { Server } from '../app.ts'
import type { BodySource } from '../messages/request/body-source.ts'
import type { Answer, AnswerStream, PieceSink } from '../messages/exchange.ts'
import { httpError } from '../messages/http-error.ts'
import { refusal } from './refusals.ts'

export interface ExchangeOptions {
  /** Milliseconds after which a client that reads nothing is disconnected. */
  stallMs: number
  /** Undefined turns the check off. */
  hostRules: HostRules | undefined
  /** Whether a response that begins now is the last one on its connection. */
  isLast(): boolean
}

type AnyServer = Pick<Server, 'fetch'> & Partial<Server>

/** A request of Node's HTTP server and its response. */
export class NodeExchange implements PieceSink {
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  readonly #options: ExchangeOptions
  readonly #controller = new AbortController()
  #stream: AnswerStream | undefined

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: ExchangeOptions) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#options = options
  }

  /** Answers the request. Resolves when the response is sent or, if it is a stream, when it has begun. */
  async answer(server: AnyServer): Promise<void> {
    const [incoming, controller] = [this.#incoming, this.#controller]
    try {
      const target = checked(server, incoming, this.#options)
      if (typeof target !== 'string') return await this.#sendResponse(target)
      const direct = server.answer?.(directRequest(incoming, controller))
      if (direct) this.#send(await direct)
      else await this.#sendResponse(await server.fetch(toRequest(incoming, target, controller)))
    } catch {
      // The server answers errors itself. Those that it throws stand for a broken connection.
      this.fail()
    }
  }

  /** Aborts the request because the client left, or with an error that the client is told. */
  abort(error?: Error): void {
    this.#stream?.leave(error)
    this.#controller.abort(error)
  }

  #send({ status, headers, body }: Answer): void {
    if (this.#options.isLast()) this.#outgoing.setHeader('connection', 'close')
    if (typeof body !== 'object' || body instanceof Uint8Array) {
      const sent = this.#mayHaveBody(status) ? { ...headers, 'content-length': lengthOf(body) } : headers
      this.#outgoing.writeHead(status, sent).end(body)
      return
    }
    this.#outgoing.writeHead(status, headers)
    if (this.#controller.signal.aborted) return body.leave()
    this.#stream = body
    body.pipe(this)
  }

  /** Whether the response has a length. The answer to HEAD would announce that of the body it leaves out. */
  #mayHaveBody(status: number): boolean {
    return this.#incoming.method !== 'HEAD' && status !== 204 && status !== 304
  }

  async #sendResponse(response: Response): Promise<void> {
    const { status, body } = response
    const headers = Object.fromEntries(response.headers)
    const isStream =
      headers['content-type']?.startsWith('text/event-stream') || headers['transfer-encoding'] === 'chunked'
    if (!isStream) return this.#send({ status, headers, body: new Uint8Array(await response.arrayBuffer()) })
    if (body && this.#incoming.method !== 'HEAD') return this.#send({ status, headers, body: answerStream(body) })
    await body?.cancel()
    this.#send({ status, headers, body: undefined })
  }

  write(piece: Uint8Array): Promise<void> | undefined {
    return this.#outgoing.write(piece) ? undefined : drained(this.#outgoing, this.#options.stallMs)
  }

  end(): void {
    this.#outgoing.end()
  }

  fail(): void {
    // After what was written.
    setImmediate(() => this.#outgoing.destroy())
  }
}

function lengthOf(body: string | Uint8Array | undefined): number {
  return body === undefined ? 0 : Buffer.byteLength(body)
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The URL of the request, or the refusal of one that `Request` cannot represent or that may come from a foreign page. */
function checked(server: AnyServer, incoming: IncomingMessage, { hostRules }: ExchangeOptions): string | Response {
  try {
    const { method = 'GET', httpVersion } = incoming
    const { expect } = incoming.headers
    const host = hostOf(incoming)
    if (!methods.includes(method)) throw requestError(405, 'Method Not Allowed', { allow: 'GET, HEAD, POST' })
    if (host === undefined && httpVersion === '1.1') throw requestError(400, 'The request has no Host header')
    if (expect !== undefined && expect.toLowerCase() !== '100-continue') throw requestError(417, 'Expectation Failed')
    const target = targetOf(incoming)
    if (target === undefined) throw requestError(400, 'The request has no valid path')
    if (hostRules) checkHost(headersOf(incoming), hostRules)
    return target
  } catch (error) {
    const refused = server.refuse?.({ method: incoming.method ?? '', path: pathOf(incoming.url) }, error)
    return refused ?? refusal(error)
  }
}

function requestError(status: number, message: string, headers?: Record<string, string>): Error {
  return httpError(status, apiError('invalid_request_error', message), headers)
}

/**
 * The Host header. Node would take the first of several, and a proxy before this server may have checked another.
 * https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
function hostOf({ rawHeaders, headers: { host } }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  const isValid = host === undefined || /^[\w.~%!$&'()*+,;=:[\]-]*$/.test(host)
  if (hosts.length > 1 || !isValid) throw requestError(400, 'The request has no valid Host header')
  return host
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

function directRequest(incoming: IncomingMessage, controller: AbortController): Parameters<Server['answer']>[0] {
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

function toRequest(incoming: IncomingMessage, target: string, controller: AbortController): Request {
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

function answerStream(body: ReadableStream<Uint8Array>): AnswerStream {
  const reader = body.getReader()
  async function run(sink: PieceSink): Promise<void> {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) await sink.write(next.value)
      sink.end()
    } catch (error) {
      sink.fail(error)
    }
  }
  return { pipe: (sink) => void run(sink), leave: () => void reader.cancel().catch(() => {}) }
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
