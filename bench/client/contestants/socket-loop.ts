import type { Socket } from 'node:net'
import type { Contestant } from '../contestant.ts'
import { handLoop, hasThreeDeltas, headers } from './loop.ts'

/** A read buffer for all connections: its bytes are decoded before the next read. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/** Receives the body of one response. */
interface Receiver {
  receive(text: string): void
  end(): void
}

/** A hand-written loop over the sockets of `node:net` or `node:tls`: no errors, and only the HTTP of the bench's server. */
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
    })
    return connection
  }

  return handLoop({
    stream: (body, receive) => new Promise((resolve) => void post(body, { receive, end: resolve })),
    whole: (body) =>
      new Promise((resolve) => {
        let text = ''
        post(body, { receive: (piece) => void (text += piece), end: () => resolve(text) })
      }),
    open: (body) =>
      new Promise((resolve) => {
        let text = ''
        const receive = (piece: string): void => {
          text += piece
          if (hasThreeDeltas(text)) resolve(connection)
        }
        const connection = post(body, { receive, end() {} })
      }),
  })
}

/** The next part of a response: bytes of the body (`chunk`, `body`), or a line. */
type State = 'head' | 'size' | 'chunk' | 'chunk end' | 'last' | 'body' | 'over'

class Connection {
  readonly #socket: Socket
  #receiver!: Receiver
  #decoder = new TextDecoder()
  #state: State = 'head'
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
  }

  send(text: string, receiver: Receiver): void {
    this.#receiver = receiver
    this.#state = 'head'
    this.#isChunked = false
    this.#decoder = new TextDecoder()
    this.#socket.write(text)
  }

  /** Moves the parts of the body in one read together, so that they are decoded at once. */
  #read(length: number): boolean {
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
        if (this.#line.endsWith('\n')) this.#takeLine(this.#line.trim())
      }
    }
    if (bodyLength > 0) {
      this.#receiver.receive(this.#decoder.decode(buffer.subarray(0, bodyLength), { stream: true }))
    }
    if (this.#state === 'over') this.#receiver.end()
    return true
  }

  #takeLine(line: string): void {
    this.#line = ''
    const [name, value] = line.toLowerCase().split(': ')
    if (this.#state === 'head' && name === 'content-length') this.#left = Number(value)
    else if (this.#state === 'head' && name === 'transfer-encoding') this.#isChunked = true
    else if (this.#state === 'head' && line === '') this.#state = this.#isChunked ? 'size' : 'body'
    else if (this.#state === 'chunk end') this.#state = 'size'
    else if (this.#state === 'last') this.#state = 'over'
    else if (this.#state === 'size') {
      this.#left = Number.parseInt(line, 16)
      this.#state = this.#left > 0 ? 'chunk' : 'last'
    }
  }
}
