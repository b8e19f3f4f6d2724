/** Requests to a server, over sockets: a client library would take more time than the server. */
import { type Socket, connect } from 'node:net'

export type Pace = 'full' | 'even' | 'slow'

/** The number of text deltas in one stream. */
export const eventsPerStream = 500

const endOfHead = Buffer.from('\r\n\r\n')
const endOfChunks = Buffer.from('0\r\n\r\n')

/** The bytes of a request of 2 KB: for a whole reply, or for a stream at a pace. */
export function requestBytes(port: number, pace?: Pace): Buffer {
  const body = JSON.stringify({
    model: 'claude-sonnet-4-6',
    max_tokens: 1024,
    ...(pace && { stream: true, metadata: { user_id: pace } }),
    messages: [{ role: 'user', content: 'x'.repeat(1_800) }],
  })
  const head = [
    'POST /v1/messages HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    'content-type: application/json',
    'anthropic-version: 2023-06-01',
    'x-api-key: any',
    `content-length: ${body.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** A kept connection that sends one request at a time. */
export class Connection {
  readonly #socket: Socket
  readonly #request: Buffer
  #chunks: Buffer[] = []
  #onBytes: (() => void) | undefined
  #fail: ((error: Error) => void) | undefined

  constructor(port: number, pace?: Pace) {
    this.#request = requestBytes(port, pace)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#onBytes?.()
    })
    this.#socket.on('error', (error) => this.#fail?.(error))
    this.#socket.on('close', () => this.#fail?.(new Error('The server closed the connection')))
  }

  /** The whole response. */
  exchange(): Promise<Buffer> {
    return this.#send(() => (this.#isAtEnd() ? Buffer.concat(this.#chunks) : undefined))
  }

  /** Resolves when the first event of a stream has arrived. */
  first(): Promise<Buffer> {
    return this.#send(() => {
      const bytes = Buffer.concat(this.#chunks)
      return bytes.includes('message_start') ? bytes : undefined
    })
  }

  close(): void {
    this.#fail = undefined
    this.#socket.destroy()
  }

  #send(read: () => Buffer | undefined): Promise<Buffer> {
    this.#chunks = []
    return new Promise((resolve, reject) => {
      this.#fail = reject
      this.#onBytes = () => {
        const bytes = read()
        if (!bytes) return
        this.#onBytes = this.#fail = undefined
        this.#chunks = []
        resolve(bytes)
      }
      this.#socket.write(this.#request)
    })
  }

  #isAtEnd(): boolean {
    const last = this.#chunks.at(-1)!
    if (last.subarray(-endOfChunks.length).equals(endOfChunks)) return true
    const first = this.#chunks[0]!
    const head = first.indexOf(endOfHead)
    if (head < 0) return false
    const length = /content-length: (\d+)/i.exec(first.toString('latin1', 0, head))?.[1]
    const received = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    return length !== undefined && received >= head + endOfHead.length + Number(length)
  }
}

/** Sends `times` requests over `connections` connections and throws if a response is not what the upstream sent. */
export async function load(port: number, { times, connections, pace }: Load): Promise<void> {
  const pool = Array.from({ length: connections }, () => new Connection(port, pace))
  let left = times
  try {
    await Promise.all(
      pool.map(async (connection) => {
        while (left-- > 0) check(await connection.exchange(), pace)
      }),
    )
  } finally {
    for (const connection of pool) connection.close()
  }
}

interface Load {
  times: number
  connections: number
  pace?: Pace
}

function check(response: Buffer, pace: Pace | undefined): void {
  const text = response.toString('latin1')
  const count = pace ? text.split('"text_delta"').length - 1 : text.split('x'.repeat(600)).length - 1
  if (text.startsWith('HTTP/1.1 200') && count === (pace ? eventsPerStream : 1)) return
  throw new Error(`A server sent another response: ${text.slice(0, 500)} … (${count})`)
}
