import { connectionError } from '../failures/connection-error.ts'
import type { NodeAgent, NodeHttp, NodeRequest, NodeSocket } from './modules.ts'
import { isRefusal } from './http1/refusal.ts'
import { httpResponse } from './http-response.ts'
import { limitConnecting } from './limit-connecting.ts'
import { addressOf, connectTunnels, httpFor, proxyAuthorization, refusal, type ProxyFor } from './proxy.ts'
import type { PendingRequest, Transport, TransportResponse, WireRequest } from '../transport.ts'

export interface HttpTransportOptions {
  ca: string | readonly string[] | undefined
  /** The proxy for a URL, if there is one. */
  proxyFor: ProxyFor | undefined
  /** Whether all such transports share their connections. */
  isShared: boolean
}

// Long before the 4 to 5 minutes after which NATs and load balancers forget a silent connection.
const keepAliveMsecs = 30_000

/** Sends through `node:http` and `node:https`: a third of the cost of `fetch` on the same runtime. */
export function httpTransport({ ca, proxyFor, isShared }: HttpTransportOptions): Transport {
  const connections: Connections = { ca, proxyFor, agents: isShared ? sharedAgents : new Map<string, NodeAgent>() }
  return (request) => new HttpPendingRequest(request, connections)
}

/** The options of a transport, and its agents by protocol and proxy. */
interface Connections extends Omit<HttpTransportOptions, 'isShared'> {
  agents: Map<string, NodeAgent>
}

const sharedAgents = new Map<string, NodeAgent>()

class HttpPendingRequest implements PendingRequest {
  readonly response: Promise<TransportResponse>
  readonly #url: string
  readonly #connections: Connections
  /** Undefined once the request is settled, so that its body can be freed. */
  #request: WireRequest | undefined
  #outgoing: NodeRequest | undefined
  #resolve!: (response: TransportResponse) => void
  #reject!: (error: Error) => void

  constructor(request: WireRequest, connections: Connections) {
    this.#url = request.url
    this.#request = request
    this.#connections = connections
    this.response = new Promise<TransportResponse>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#send(request, false)
  }

  cancel(error: Error): void {
    this.#request = undefined
    this.#reject(error)
    this.#outgoing?.destroy()
  }

  #send(request: WireRequest, isResent: boolean): void {
    let route: Route
    let outgoing: NodeRequest
    try {
      route = routeOf(request.url, this.#connections)
      outgoing = this.#outgoing = open(request, route)
    } catch (error) {
      return this.#fail(error)
    }
    let socket: NodeSocket | undefined
    let bytesBefore = 0
    const fail = (error: Error): void => {
      // The server closed an idle connection while the request was on its way. It has closed the others like it too.
      const isStale = !isResent && outgoing.reusedSocket && socket?.bytesRead === bytesBefore
      if (!isStale || !this.#request) return this.#fail(error, route)
      closeIdle(route)
      this.#send(this.#request, true)
    }
    outgoing.on('response', (incoming) => {
      if (!this.#request) return incoming.destroy()
      if (incoming.statusCode === 407 && route.isForwarded) {
        incoming.destroy()
        return this.#fail(refusal(route.proxy!, 'the request', 407), route)
      }
      this.#request = undefined
      this.#resolve(httpResponse(incoming, this.#url))
    })
    outgoing.on('upgrade', ({ statusCode }, upgraded) => {
      upgraded.destroy()
      this.#fail(new Error(`found status ${statusCode}, Switching Protocols`), route)
    })
    outgoing.on('error', fail)
    outgoing.on('socket', (assigned) => {
      socket = assigned
      bytesBefore = assigned.bytesRead
      limitConnecting(assigned)
    })
    end(outgoing, request.body)
  }

  #fail(error: unknown, route?: Route): void {
    if (!this.#request) return
    this.#request = undefined
    const through = route?.proxy ? ` through the proxy ${route.proxy.host}` : ''
    this.#reject(connectionError(this.#url, error, isRefusal(error) ? 'read' : 'reach', through))
  }
}

/** The way of a request: to its host, or to a proxy. */
interface Route {
  http: NodeHttp
  agent: NodeAgent
  host: string
  port: string | number
  path: string
  headers: Record<string, string>
  proxy: URL | undefined
  /** Whether the proxy reads the request, and sends it on. */
  isForwarded: boolean
}

function routeOf(href: string, connections: Connections): Route {
  const url = new URL(href)
  const isSecure = url.protocol === 'https:'
  const proxy = connections.proxyFor?.(url)
  // A proxy for plain HTTP is sent the whole URL; one for HTTPS opens a tunnel, which the agent connects through.
  if (!proxy || isSecure) {
    const http = httpFor(url)
    return {
      ...addressOf(url),
      http,
      agent: agentFor(http, url, proxy, connections),
      path: url.pathname + url.search,
      headers: {},
      proxy,
      isForwarded: false,
    }
  }
  const http = httpFor(proxy)
  const headers = { host: url.host, ...proxyAuthorization(proxy) }
  const agent = agentFor(http, url, proxy, connections)
  return { ...addressOf(proxy), http, agent, path: url.href, headers, proxy, isForwarded: true }
}

function agentFor(http: NodeHttp, { protocol }: URL, proxy: URL | undefined, { agents, ca }: Connections): NodeAgent {
  const key = `${protocol} ${proxy?.href ?? ''}`
  let agent = agents.get(key)
  if (!agent) {
    agent = new http.Agent({ keepAlive: true, keepAliveMsecs, ...(ca !== undefined && { ca }) })
    if (proxy && protocol === 'https:') connectTunnels(agent, proxy, ca)
    agents.set(key, agent)
  }
  return agent
}

function open({ method, headers, body }: WireRequest, route: Route): NodeRequest {
  const { http, agent, host, port, path } = route
  // The caller's own may describe another body. Without them, Node finds the length of a body that is sent in one piece.
  const { 'content-length': _length, 'transfer-encoding': _coding, ...others } = headers
  const length = Array.isArray(body) && { 'content-length': lengthOf(body as readonly Uint8Array[]) }
  return http.request({ host, port, path, method, agent, headers: { ...others, ...length, ...route.headers } })
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function end(outgoing: NodeRequest, body: WireRequest['body']): void {
  if (!Array.isArray(body)) return outgoing.end(body as string | Uint8Array | undefined)
  for (const piece of body as readonly Uint8Array[]) outgoing.write(piece)
  outgoing.end()
}

/** Closes the idle connections to a host. */
function closeIdle({ agent, host, port }: Route): void {
  for (const [name, sockets] of Object.entries(agent.freeSockets)) {
    if (name.startsWith(`${host}:${port}:`)) for (const socket of sockets.slice()) socket.destroy()
  }
}
