import type { IncomingMessage, Server as HttpServer, ServerOptions as HttpOptions, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { apiError } from 'colloquy/protocol'
import { type AllowedHosts, type HostRules, isLoopback } from '../access/hosts.ts'
import type { Server } from '../app.ts'
import { type ListenOptions, checkListenOptions } from '../options.ts'
import { NodeExchange } from './node-exchange.ts'
import { refuseConnect, refuseMalformed } from './refusals.ts'

export { isLoopback } from '../access/hosts.ts'
export type { ListenOptions } from '../options.ts'

/** A server that listens on a port. */
export interface Listening {
  url: string
  port: number
  /**
   * Stops accepting requests, waits up to `graceMs` (default 10,000) for the replies in flight, and then aborts them: their
   * clients get an `overloaded_error`, which they retry. Resolves when the last connection is closed.
   */
  close(options?: { graceMs?: number }): Promise<void>
}

/** A server of `createServer()`, or another that answers requests. */
export type ListenServer = Pick<Server, 'fetch'> & Partial<Server>

/** A connection that was accepted just before `close()` may have sent a request that was not read yet. */
const idleGraceMs = 100
/** The turns of the event loop in which a closing server still accepts connections, if each turn brings some. */
const mostTurns = 200
/** The time for the last bytes of requests that were aborted. */
const lastWordsMs = 100

/**
 * Serves over HTTP/1.1 with Node. Rejects if it cannot listen on the port.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { listen } from '@colloquy/server/node'
 * import { offline } from 'colloquy/engines'
 *
 * const { url, close } = await listen(createServer({ engine: offline() }), { port: 0 })
 * console.log((await fetch(`${url}/healthz`)).status) // 200
 * await close() // waits for replies in flight
 * ```
 */
export async function listen(server: ListenServer, options: ListenOptions = {}): Promise<Listening> {
  checkListenOptions(options)
  const { port = 0, host = '127.0.0.1', stallMs = 300_000 } = options
  let isClosing = false
  const exchangeOptions = {
    stallMs,
    hostRules: hostRulesOf(server, host, options.allowedHosts),
    // While it drains, too: a client or balancer that keeps its connections would stay with this server until the end.
    isLast: () => isClosing || server.isDraining === true,
  }
  const open = new Set<NodeExchange>()
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const exchange = new NodeExchange(incoming, outgoing, exchangeOptions)
    open.add(exchange)
    // Every response emits `close` once. Before the response has finished, it means that the client left.
    outgoing.on('close', () => {
      open.delete(exchange)
      if (!outgoing.writableFinished) exchange.abort()
      // The connection becomes idle only after this event, and would otherwise be kept for the next request.
      if (isClosing) setImmediate(() => http.closeIdleConnections())
    })
    void exchange.answer(server)
  }
  // An import would read every export of the module, one of which loads all of `fetch` (12 MB).
  const { createServer } = process.getBuiltinModule('node:http')
  const http = createServer(httpOptions(options), onRequest)
  http.maxConnections = options.maxConnections ?? 10_000
  // Without these listeners Node answers by itself, without the envelope.
  http.on('clientError', refuseMalformed)
  http.on('checkExpectation', onRequest)
  http.on('connect', (_request, socket) => refuseConnect(socket as Socket))
  await listening(http, port, host)
  const address = http.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    async close({ graceMs = 10_000 } = {}) {
      isClosing = true
      server.drain?.()
      const closed = stopAccepting(http)
      const worked = server.close?.({ graceMs })
      // After what has arrived was read: a busy process may be late.
      const closeIdle = (): unknown => setImmediate(() => http.closeIdleConnections())
      const idle = setTimeout(closeIdle, Math.min(graceMs, idleGraceMs))
      let last: NodeJS.Timeout | undefined
      const timer = setTimeout(() => {
        const error = apiError('overloaded_error', 'This server is stopping. Send the request again')
        for (const exchange of open) exchange.abort(error)
        last = setTimeout(() => http.closeAllConnections(), lastWordsMs)
      }, graceMs)
      await closed
      for (const each of [idle, timer, last]) clearTimeout(each)
      await worked
    },
  }
}

function httpOptions(options: ListenOptions): HttpOptions {
  const {
    maxHeaderBytes = 65_536,
    headersTimeoutMs = 60_000,
    requestTimeoutMs = 360_000,
    keepAliveMs = 130_000,
  } = options
  const shorter = Math.min(headersTimeoutMs, requestTimeoutMs)
  return {
    maxHeaderSize: maxHeaderBytes,
    keepAlive: true,
    noDelay: true,
    // Missing headers are refused later, with the envelope.
    requireHostHeader: false,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.max(10, Math.min(5_000, Math.ceil(shorter / 4))),
  }
}

function hostRulesOf(
  server: ListenServer,
  host: string,
  allowedHosts: AllowedHosts | undefined,
): HostRules | undefined {
  if (allowedHosts === false) return undefined
  const names = allowedHosts?.map((name) => name.toLowerCase()) ?? (isLoopback(host) ? [] : undefined)
  return { names, isOriginAllowed: (origin) => server.isOriginAllowed?.(origin) ?? false }
}

function listening(http: HttpServer, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  http.once('error', (error) =>
    reject(new Error(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error })),
  )
  http.listen(port, host, resolve)
  return promise
}

/** Accepts the connections that wait, which the system would reset. A turn of the event loop accepts one or a few. */
async function acceptWaiting(http: HttpServer): Promise<void> {
  let quietTurns = 0
  const onConnection = (): void => void (quietTurns = 0)
  http.on('connection', onConnection)
  for (let turn = 0; quietTurns < 2 && turn < mostTurns; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    quietTurns++
  }
  http.off('connection', onConnection)
}

/** Closes the port, but not the connections, which `http.close()` would close if they are idle. */
async function stopAccepting(http: HttpServer): Promise<void> {
  await acceptWaiting(http)
  const { promise, resolve } = Promise.withResolvers<void>()
  const closeIdleConnections = http.closeIdleConnections.bind(http)
  http.closeIdleConnections = () => {}
  http.close(() => resolve())
  http.closeIdleConnections = closeIdleConnections
  return promise
}
