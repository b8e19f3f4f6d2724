import { builtin } from '../../runtime.ts'
import type { NodeBuffer, NodeNet, NodeSocket, NodeTls } from '../modules.ts'
import { nodeBuffer } from '../node-buffer.ts'
import { addressOf } from '../proxy.ts'
import { Connection, type Keeper } from './connection.ts'

/** The most idle connections to one origin. As Node's `maxFreeSockets`. */
const maxIdle = 256

/** All sockets read into one buffer: the bytes of a read are used or copied before the next read begins. */
let readBuffer: NodeBuffer | undefined

/** The connections to one scheme, host and port. */
export class Origin implements Keeper {
  readonly #url: URL
  readonly #ca: string | readonly string[] | undefined
  /** The oldest first. */
  readonly #idle: Connection[] = []
  /** The newest TLS session, which the next connection resumes. */
  #session: Uint8Array | undefined

  constructor(url: URL, ca: string | readonly string[] | undefined) {
    this.#url = url
    this.#ca = ca
  }

  /** A connection for a request: the idle one that was used last, or a new one. */
  take(): Connection {
    const now = Date.now()
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (now < connection.usableUntil) return connection
      connection.destroy()
    }
    return new Connection((read) => this.#open(read), this)
  }

  keep(connection: Connection): void {
    this.#idle.push(connection)
    const [oldest] = this.#idle
    if (this.#idle.length > maxIdle || oldest!.usableUntil < Date.now()) oldest!.destroy()
  }

  drop(connection: Connection): void {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
  }

  closeIdle(): void {
    for (const connection of this.#idle.slice()) connection.destroy()
  }

  #open(read: (bytes: NodeBuffer, length: number) => boolean): NodeSocket {
    const buffer = (readBuffer ??= nodeBuffer().allocUnsafeSlow(64 * 1024))
    const options = {
      ...addressOf(this.#url),
      onread: { buffer, callback: (length: number) => read(buffer, length) },
      // Node would take one on `Object.prototype` for a socket file, and send the request there.
      path: undefined,
    }
    const net = builtin('node:net') as NodeNet
    return this.#url.protocol === 'https:' ? this.#openTls(options, net) : net.connect(options)
  }

  #openTls(options: ReturnType<typeof addressOf>, net: NodeNet): NodeSocket {
    const tls = builtin('node:tls') as NodeTls
    const socket = tls.connect({
      ...options,
      // An address is not a name that a server could choose a certificate by.
      servername: net.isIP(options.host) ? '' : options.host,
      ALPNProtocols: ['http/1.1'],
      ...(this.#ca !== undefined && { ca: this.#ca }),
      ...(this.#session && { session: this.#session }),
    })
    socket.on('session', (session) => (this.#session = session))
    socket.on('error', () => (this.#session = undefined))
    return socket
  }
}
