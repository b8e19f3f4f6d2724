// The parts of Node that the transport calls, declared here because the client compiles without Node's types.

export interface NodeHttp {
  request(options: NodeRequestOptions): NodeRequest
  Agent: new (options: NodeAgentOptions) => NodeAgent
}

export interface NodeAgentOptions {
  /** Keeps connections open for the next request, and sets SO_KEEPALIVE on them. */
  keepAlive: boolean
  /** The silence after which SO_KEEPALIVE probes a connection. */
  keepAliveMsecs: number
  ca?: string | readonly string[] | undefined
}

export interface NodeAgent {
  /** Idle connections, by names that begin with `host:port:`. */
  readonly freeSockets: Record<string, NodeSocket[]>
  createConnection(
    options: NodeConnectOptions,
    callback: (error: Error | null, socket?: NodeSocket) => void,
  ): NodeSocket | undefined
}

export interface NodeConnectOptions {
  host: string
  port: number
  servername?: string
  [option: string]: unknown
}

export interface NodeRequestOptions {
  protocol?: string
  host: string
  port: string | number
  path: string
  method: string
  headers: Record<string, string | number>
  agent: NodeAgent | false
  ca?: string | readonly string[] | undefined
}

export interface NodeRequest {
  /** Whether the connection served another request before. */
  readonly reusedSocket: boolean
  on(event: 'response', listener: (incoming: NodeIncoming) => void): this
  on(event: 'connect' | 'upgrade', listener: (incoming: NodeIncoming, socket: NodeSocket) => void): this
  on(event: 'socket', listener: (socket: NodeSocket) => void): this
  on(event: 'error', listener: (error: Error) => void): this
  setTimeout(ms: number, listener: () => void): this
  write(chunk: Uint8Array): void
  end(body?: string | Uint8Array): void
  destroy(error?: Error): void
}

export interface NodeIncoming extends NodeReadable {
  readonly statusCode: number
  /** Names and values alternately, as received. */
  readonly rawHeaders: readonly string[]
}

export interface NodeReadable {
  on(event: 'data', listener: (chunk: Uint8Array) => void): this
  on(event: 'end' | 'close', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  once(event: 'data', listener: (chunk: Uint8Array) => void): this
  once(event: 'end', listener: () => void): this
  off(event: 'end', listener: () => void): this
  pipe(target: NodeDecoder): NodeDecoder
  pause(): void
  resume(): void
  destroy(): void
}

export interface NodeSocket {
  readonly bytesRead: number
  readonly connecting: boolean
  /** Whether it is a socket of TLS. */
  readonly encrypted?: boolean
  /** Whether it is in the handshake of TLS, or before it. */
  readonly secureConnecting?: boolean
  /** The bytes that were written and not yet sent. */
  readonly writableLength: number
  on(event: 'close' | 'end', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  on(event: 'session', listener: (session: Uint8Array) => void): this
  once(event: 'connect' | 'secureConnect' | 'close', listener: () => void): this
  off(event: 'close', listener: () => void): this
  setKeepAlive(enable: boolean, initialDelay: number): void
  setNoDelay(enable: boolean): void
  cork(): void
  uncork(): void
  write(data: string | Uint8Array, encoding: 'latin1' | 'utf8'): boolean
  resume(): void
  ref(): void
  unref(): void
  destroy(error?: Error): void
}

export interface NodeAsyncHooks {
  AsyncResource: new (type: string) => NodeAsyncResource
}

export interface NodeAsyncResource {
  runInAsyncScope<Result>(work: () => Result): Result
}

export interface NodeNet {
  connect(options: NodeConnectOptions): NodeSocket
  /** 4 or 6 for an address, 0 for a name. */
  isIP(host: string): number
  BlockList: new () => NodeBlockList
}

interface NodeBlockList {
  addSubnet(network: string, prefix: number, family: 'ipv4' | 'ipv6'): void
  check(address: string, family: 'ipv4' | 'ipv6'): boolean
}

export interface NodeTls {
  connect(options: NodeConnectOptions & { socket?: NodeSocket }): NodeSocket
}

export interface NodeBuffer extends Uint8Array {
  toString(encoding?: 'latin1', start?: number, end?: number): string
}

export interface NodeBufferModule {
  Buffer: {
    allocUnsafeSlow(size: number): NodeBuffer
    from(bytes: Uint8Array): NodeBuffer
    byteLength(data: string | Uint8Array): number
  }
}

export interface NodeStream {
  Readable: new (options: {
    read: () => void
    destroy: (error: Error | null, callback: (error: Error | null) => void) => void
  }) => NodePushable
}

export interface NodePushable extends NodeReadable {
  push(chunk: Uint8Array | null): boolean
  destroy(error?: Error): void
}

export interface NodeDecoder extends NodeReadable {
  write(chunk: Uint8Array): void
}

export interface NodeZlib {
  createUnzip(): NodeDecoder
  createInflateRaw(): NodeDecoder
  createBrotliDecompress(): NodeDecoder
  /** Since Node 22.15. */
  createZstdDecompress?(): NodeDecoder
}
