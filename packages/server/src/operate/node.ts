import {
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
  createServer as createHttp,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { errorResponse, apiError } from 'colloquy/protocol'
import { newId } from 'colloquy/engines'
import type { Server } from '../app.ts'

/** Options of `listen()`. */
export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  host?: string
  /** The most bytes of a request's headers; more are answered with 431. Default 65,536. */
  maxHeaderBytes?: number
  /** The most connections; further ones are closed at once. Default 10,000. */
  maxConnections?: number
  /** Milliseconds after which a client that reads nothing of its response is disconnected. Default 300,000. */
  stallMs?: number
}

/** A server that listens on a port. */
export interface Listening {
  url: string
  port: number
  /**
   * Stops accepting requests, waits up to `graceMs` (default 10,000) for the replies in flight, and then aborts them.
   * Resolves when the last connection is closed.
   */
  close(options?: { graceMs?: number }): Promise<void>
}

/** Serves over HTTP/1.1 with Node. Rejects if it cannot listen on the port. */
export async function listen(server: Server, options: ListenOptions = {}): Promise<Listening> {
  const { port = 0, host = '127.0.0.1', maxHeaderBytes = 65_536, maxConnections = 10_000, stallMs = 300_000 } = options
  const open = new Set<AbortController>()
  let isClosing = false
  const http = createHttp({ maxHeaderSize: maxHeaderBytes, keepAlive: true, noDelay: true }, (incoming, outgoing) => {
    const controller = new AbortController()
    open.add(controller)
    // Every response emits `close`. Before the response has finished, it means that the client left.
    outgoing.once('close', () => {
      open.delete(controller)
      if (!outgoing.writableFinished) controller.abort()
      // The connection becomes idle only after this event, and would otherwise be kept for the next request.
      if (isClosing) setImmediate(() => http.closeIdleConnections())
    })
    if (isClosing) outgoing.setHeader('connection', 'close')
    void answer(server, incoming, outgoing, { signal: controller.signal, stallMs })
  })
  http.maxConnections = maxConnections
  http.on('clientError', refuseMalformed)
  await listening(http, port, host)
  const address = http.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    async close({ graceMs = 10_000 } = {}) {
      isClosing = true
      const { promise, resolve } = Promise.withResolvers<void>()
      http.close(() => resolve())
      http.closeIdleConnections()
      const timer = setTimeout(() => {
        for (const controller of open) controller.abort()
        http.closeAllConnections()
      }, graceMs)
      await promise
      clearTimeout(timer)
    },
  }
}

function listening(http: HttpServer, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  http.once('error', (error) =>
    reject(new Error(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error })),
  )
  http.listen(port, host, resolve)
  return promise
}

interface Limits {
  /** Aborts when the client leaves or the server stops. */
  signal: AbortSignal
  stallMs: number
}

async function answer(
  server: Server,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  limits: Limits,
): Promise<void> {
  try {
    const request = toRequest(incoming, limits.signal)
    const response = request ? await server.fetch(request) : refusal('The request has no valid path')
    await send(response, incoming, outgoing, limits)
  } catch {
    // The server answers errors itself. Those that it throws stand for a broken connection.
    outgoing.destroy()
  }
}

/** Undefined if the path is not valid. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/', rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const target = URL.parse(url.startsWith('/') ? `http://localhost${url}` : url)
  if (!target) return undefined
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
  { signal, stallMs }: Limits,
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

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const isHeader = error.code === 'HPE_HEADER_OVERFLOW'
  const status = isHeader ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const message = isHeader ? 'Request headers exceed the maximum size' : 'The request is not valid HTTP'
  const { body, requestId } = refused(message)
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nrequest-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function refusal(message: string): Response {
  const { body, requestId } = refused(message)
  return new Response(body, { status: 400, headers: { 'content-type': 'application/json', 'request-id': requestId } })
}

/** The API's error envelope for input that never becomes a request. */
function refused(message: string): { body: string; requestId: string } {
  const requestId = newId('req_01')
  return { requestId, body: JSON.stringify(errorResponse(apiError('invalid_request_error', message), requestId).body) }
}
