import type { Socket } from 'node:net'
import type { Contestant } from '../contestant.ts'
import { handLoop, hasThreeDeltas, headers } from './loop.ts'

/** A read buffer for all connections: its bytes are decoded before the next read. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/** Receives the body of one response. */
interface Receiver {
  receive(text: string): void
  end(): void
  fail(error: Error): void
}

/**
 * A hand-written loop over the sockets of `node:net` or `node:tls`. It checks the framing of a response, as otherwise it
 * could show a wrong one, but knows only the HTTP of one kind of server: no informational heads, trailers or bodies without
 * a length, and no limits.
 */
export function connect(_library: unknown, url: string): Contestant {
  const { protocol, hostname, port, host, pathname } = new URL(url)
  const idle: Connection[] = []

  function post(body: string, receiver: Receiver): Connection {
    const connection = idle.pop() ?? new Connection(protocol, hostname, Number(port))
    const lines = Object.entries({ host, 'content-length': Buffer.byteLength(body), ...headers })
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    connection.send(`POST ${pathname}/v1/messages HTTP/1.1\r\n${head}\r\n${body}`, {
      receive: (text) => receiver.receive(text),
      end() {
        idle.push(connection)
        receiver.end()
      },
      fail: (error) => receiver.fail(error),
    })
    return connection
  }

  return handLoop({
    stream: (body, receive) =>
      new Promise((resolve, reject) => void post(body, { receive, end: resolve, fail: reject })),
    whole: (body) =>
      new Promise((resolve, reject) => {
        let text = ''
        post(body, { receive: (piece) => void (text += piece), end: () => resolve(text), fail: reject })
      }),
    open: (body) =>
      new Promise((resolve, reject) => {
        let text = ''
        const receive = (piece: string): void => {
          text += piece
          if (hasThreeDeltas(text)) resolve(connection)
        }
        const connection = post(body, { receive, end() {}, fail: reject })
      }),
  })
}

/** The next part of a response: bytes of the body (`chunk`, `body`), or a line. */
type State = 'status' | 'head' | 'size' | 'chunk' | 'chunk end' | 'last' | 'body' | 'over'

class Connection {
  readonly #socket: Socket
  #receiver!: Receiver
  #decoder = new TextDecoder()
  #state: State = 'over'
  #line = ''
  #left = 0
  #isChunked = false

  constructor(protocol: string, host: string, port: number) {
    const onread = { buffer, callback: (length: number) => this.#read(length) }
    const options = { host, port, noDelay: true, onread }
    this.#socket =
      protocol === 'https:'
        ? process.getBuiltinModule('node:tls').connect(options)
        : process.getBuiltinModule('node:net').connect(options)
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('The connection was closed')))
  }

  send(text: string, receiver: Receiver): void {
    this.#receiver = receiver
    this.#state = 'status'
    this.#isChunked = false
    this.#decoder = new TextDecoder()
    this.#socket.write(text)
  }

  #read(length: number): boolean {
    try {
      this.#parse(length)
    } catch (error) {
      this.#fail(error as Error)
    }
    return true
  }

  #fail(error: Error): void {
    this.#socket.destroy()
    // After the end of a response, these are no-ops.
    this.#receiver.fail(error)
  }

  /** Moves the parts of the body in one read together, so that they are decoded at once. */
  #parse(length: number): void {
    let bodyLength = 0
    for (let at = 0; at < length;) {
      if (this.#state === 'chunk' || this.#state === 'body') {
        const end = Math.min(length, at + this.#left)
        buffer.copyWithin(bodyLength, at, end)
        bodyLength += end - at
        this.#left -= end - at
        at = end
        if (this.#left === 0) this.#state = this.#state === 'body' ? 'over' : 'chunk end'
      } else {
        const lineFeed = buffer.indexOf(10, at)
        const end = lineFeed < 0 || lineFeed >= length ? length : lineFeed + 1
        this.#line += buffer.toString('latin1', at, end)
        at = end
        if (this.#line.endsWith('\r\n')) this.#takeLine(this.#line.slice(0, -2))
      }
    }
    if (bodyLength > 0) {
      this.#receiver.receive(this.#decoder.decode(buffer.subarray(0, bodyLength), { stream: true }))
    }
    if (this.#state === 'over') this.#receiver.end()
  }

  #takeLine(line: string): void {
    this.#line = ''
    if (this.#state === 'status') {
      if (!line.startsWith('HTTP/1.1 200 ')) throw new Error(`The response begins with ${line}`)
      this.#state = 'head'
    } else if (this.#state === 'head') this.#takeField(line.toLowerCase())
    else if (this.#state === 'size') {
      if (!/^[\da-f]+$/i.test(line)) throw new Error(`The size of a chunk is ${line}`)
      this.#left = Number.parseInt(line, 16)
      this.#state = this.#left > 0 ? 'chunk' : 'last'
    } else {
      if (line !== '') throw new Error(`After a chunk follows ${line}`)
      this.#state = this.#state === 'chunk end' ? 'size' : 'over'
    }
  }

  #takeField(line: string): void {
    const [name, value] = line.split(': ')
    if (name === 'content-length') this.#left = Number(value)
    else if (name === 'transfer-encoding') this.#isChunked = true
    else if (line === '') this.#state = this.#isChunked ? 'size' : 'body'
  }
}
