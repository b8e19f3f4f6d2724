import { connectionError } from './connection-error.ts'
import { encodeKept } from './kept-messages.ts'
import type {
  NodeAgent,
  NodeHttp,
  NodeIncoming,
  NodeReadable,
  NodeRequest,
  NodeSocket,
  NodeStreams,
  NodeZlib,
} from './node.ts'
import { basicAuthorization, connectTunnels, hostOf, proxyFor } from './proxy.ts'
import { once, type Receiver } from './receiver.ts'
import { builtin } from './runtime.ts'
import { streamOf, type Reply, type Sending, type Transport, type WireRequest } from './transport.ts'

export interface NodeTransportOptions {
  /** Certificates to trust besides none: PEM, replacing the built-in authorities. `NODE_EXTRA_CA_CERTS` adds to those instead. */
  ca?: string | readonly string[] | undefined
  /** A proxy for every request, or `false` for none. Default: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
  proxy?: string | false | undefined
}

/** How long a connection may take to be made; a host that drops packets would otherwise hold a request for the whole timeout. */
const connectTimeoutMs = 10_000

/** Unread bytes of a reply from which on the socket is paused. */
const highWaterBytes = 256 * 1024

// Long before the 4 to 5 minutes after which NATs and load balancers forget a silent connection.
const keepAliveMsecs = 30_000

/** Sends through `node:http` and `node:https`: a third of the cost of `fetch` on the same runtime. */
export function nodeTransport({ ca, proxy }: NodeTransportOptions): Transport {
  const agents = ca === undefined && proxy === undefined ? sharedAgents : new Map<string, NodeAgent>()

  function send(request: WireRequest): Sending {
    // The listeners see the address alone, so that the body is free once it was sent.
    const { url } = request
    let outgoing: NodeRequest
    try {
      outgoing = open(request, agents, { ca, proxy })
    } catch (error) {
      return { reply: Promise.reject(connectionError(url, error)), cancel() {} }
    }
    let cancelled = false
    let reject!: (error: Error) => void
    const reply = new Promise<Reply>((resolve, rejectReply) => {
      reject = rejectReply
      outgoing.on('response', (incoming) => {
        if (cancelled) incoming.destroy()
        else resolve(new NodeReply(incoming, url))
      })
      outgoing.on('error', (error) => reject(connectionError(url, error)))
    })
    outgoing.on('socket', limitConnecting)
    end(outgoing, request.body)
    return {
      reply,
      cancel(error) {
        cancelled = true
        reject(error)
        outgoing.destroy()
      },
    }
  }

  return Object.assign(send, { encode: encodeKept })
}

const sharedAgents = new Map<string, NodeAgent>()

function open(request: WireRequest, agents: Map<string, NodeAgent>, { ca, proxy }: NodeTransportOptions): NodeRequest {
  const url = new URL(request.url)
  const through = proxyFor(url, proxy)
  const secure = url.protocol === 'https:'
  const http = builtin(secure ? 'node:https' : 'node:http') as NodeHttp
  const key = `${url.protocol} ${through?.href ?? ''}`
  let agent = agents.get(key)
  if (!agent) {
    agent = new http.Agent({ keepAlive: true, keepAliveMsecs, ...(ca !== undefined && { ca }) })
    if (through && secure) connectTunnels(agent, through)
    agents.set(key, agent)
  }
  const headers: Record<string, string | number> = { ...request.headers }
  const pieces = piecesOf(request.body)
  if (pieces) headers['content-length'] = pieces.reduce((sum, piece) => sum + piece.length, 0)
  // A proxy for plain HTTP is asked for the whole URL; one for HTTPS is only tunnelled through.
  if (through && !secure) {
    headers['host'] = url.host
    if (through.username) headers['proxy-authorization'] = basicAuthorization(through)
    return http.request({
      host: hostOf(through),
      port: through.port || 80,
      path: url.href,
      method: request.method,
      headers,
      agent,
    })
  }
  return http.request({
    host: hostOf(url),
    port: url.port || (secure ? 443 : 80),
    path: url.pathname + url.search,
    method: request.method,
    headers,
    agent,
  })
}

function piecesOf(body: WireRequest['body']): readonly Uint8Array[] | undefined {
  return Array.isArray(body) ? (body as readonly Uint8Array[]) : undefined
}

function end(outgoing: NodeRequest, body: WireRequest['body']): void {
  const pieces = piecesOf(body)
  if (!pieces) return outgoing.end(body as string | Uint8Array | undefined)
  for (const piece of pieces) outgoing.write(piece)
  outgoing.end()
}

function limitConnecting(socket: NodeSocket): void {
  if (!socket.connecting) return
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error(`no connection after ${connectTimeoutMs} ms`), { code: 'ETIMEDOUT' }))
  }, connectTimeoutMs)
  const settle = (): void => clearTimeout(timer)
  socket.once('connect', settle).once('close', settle)
}

/** The reply that an `IncomingMessage` is. Reads nothing from the socket before it is asked to. */
class NodeReply implements Reply {
  readonly url: string
  readonly #incoming: NodeIncoming
  #body: NodeReadable | undefined
  #chunks: Uint8Array[] = []
  #unreadBytes = 0
  #paused = false
  #ended = false
  #failure: Error | undefined
  #receiver: Receiver<Uint8Array> | undefined

  constructor(incoming: NodeIncoming, url: string) {
    this.#incoming = incoming
    this.url = url
    // Also while nobody reads: an 'error' without a listener ends the process.
    incoming.on('error', (error) => this.#fail(error))
  }

  get status(): number {
    return this.#incoming.statusCode
  }

  header(name: string): string | null {
    const value = this.#incoming.headers[name]
    return (Array.isArray(value) ? value.join(', ') : value) ?? null
  }

  headers(): Headers {
    const headers = new Headers()
    const { rawHeaders } = this.#incoming
    for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
    return headers
  }

  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => this.feed(once(resolve, reject)))
  }

  feed(receiver: Receiver<Uint8Array>): void {
    this.#body ??= this.#start()
    if (this.#chunks.length > 0) {
      // Whoever reads what the receiver made of one has a turn before the next, as if the two had come apart.
      if (receiver.receive(this.#takeChunk())) queueMicrotask(() => this.feed(receiver))
    } else if (this.#failure) receiver.fail(this.#failure)
    else if (this.#ended) receiver.receive(undefined)
    else this.#receiver = receiver
  }

  cancel(error: Error): void {
    if (this.#ended) return
    this.#chunks = []
    this.#fail(error)
    this.#body?.destroy()
    this.#incoming.destroy()
  }

  response(): Response {
    const { status } = this
    const withoutBody = this.#body !== undefined || status === 204 || status === 304
    const response = new Response(withoutBody ? null : streamOf(this), { status, headers: this.headers() })
    return Object.defineProperty(response, 'url', { value: this.url })
  }

  #start(): NodeReadable {
    const body = decoded(this.#incoming, this.header('content-encoding'), (error) => this.#fail(error))
    body.on('data', (chunk) => this.#receive(chunk))
    body.on('end', () => this.#end())
    return body
  }

  #receive(chunk: Uint8Array): void {
    const receiver = this.#takeReceiver()
    if (receiver) {
      if (receiver.receive(chunk)) this.feed(receiver)
      return
    }
    if (this.#failure) return
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
    if (this.#unreadBytes > highWaterBytes) {
      this.#paused = true
      this.#body?.pause()
    }
  }

  #takeChunk(): Uint8Array {
    const chunk = this.#chunks.shift()!
    this.#unreadBytes -= chunk.length
    if (this.#paused && this.#unreadBytes === 0) {
      this.#paused = false
      this.#body!.resume()
    }
    return chunk
  }

  #end(): void {
    this.#ended = true
    this.#takeReceiver()?.receive(undefined)
  }

  #fail(error: Error): void {
    this.#failure ??= connectionError(this.url, error)
    this.#takeReceiver()?.fail(this.#failure)
  }

  /** Whoever receives may ask for more, or cancel, before it returns. */
  #takeReceiver(): Receiver<Uint8Array> | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    return receiver
  }
}

/** The body without its compression. None is asked for, but a proxy may compress all the same. */
function decoded(incoming: NodeIncoming, encoding: string | null, failed: (error: Error) => void): NodeReadable {
  if (!encoding || encoding === 'identity') return incoming
  const zlib = builtin('node:zlib') as NodeZlib
  const decoder = encoding === 'br' ? zlib.createBrotliDecompress() : zlib.createUnzip()
  return (builtin('node:stream') as NodeStreams).pipeline(incoming, decoder, (error) => {
    if (error) failed(error)
  })
}
