import type { WireRequest } from '../../transport.ts'
import type { NodeSocket } from '../modules.ts'
import { nodeBuffer } from '../node-buffer.ts'

/** Writes the requests to one URL. */
export class RequestWriter {
  readonly #host: string
  readonly #path: string
  /** The last head, without the length of the body. Most requests to a URL differ in nothing else. */
  #head: Head | undefined

  constructor({ host, pathname, search }: URL) {
    this.#host = host
    this.#path = pathname + search
  }

  /** Writes a request: head and body in one write, unless the body consists of bytes. Throws if a header cannot be sent. */
  write(socket: NodeSocket, request: WireRequest): void {
    const { method, headers, body = '' } = request
    const { text, isAscii } = this.#headOf(method, headers)
    const length = lengthOf(body)
    const announced = request.body !== undefined || methodsWithBody.has(method)
    const head = announced ? `${text}content-length: ${length}\r\n\r\n` : `${text}\r\n`
    // The bytes of ASCII are the same in UTF-8 and in latin1, the encoding of heads, which Node writes in less time.
    const isLatin1 = length === body.length
    if (typeof body === 'string' && (isLatin1 || isAscii))
      return void socket.write(head + body, isLatin1 ? 'latin1' : 'utf8')
    socket.cork()
    socket.write(head, 'latin1')
    for (const piece of piecesOf(body)) socket.write(piece, 'utf8')
    socket.uncork()
  }

  #headOf(method: string, headers: Headers): Head {
    if (this.#head?.method !== method || !areSame(this.#head.headers, headers))
      this.#head = encodeHead(method, this.#path, this.#host, headers)
    return this.#head
  }
}

type Headers = WireRequest['headers']

interface Head {
  method: string
  headers: Headers
  /** The request line and the headers. */
  text: string
  isAscii: boolean
}

function areSame(some: Headers, others: Headers): boolean {
  let count = 0
  for (const name in others) {
    if (some[name] !== others[name]) return false
    count++
  }
  return count === Object.keys(some).length
}

/** Throws if a header could end its line. */
function encodeHead(method: string, path: string, host: string, headers: Headers): Head {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  for (const [name, value] of Object.entries(headers)) {
    if (!nameOfField.test(name) || !valueOfField.test(value)) throw wrongHeader(name)
    text += `${name}: ${value}\r\n`
  }
  // A copy, as a middleware may change the headers between two attempts.
  return { method, headers: { ...headers }, text, isAscii: isAscii.test(text) }
}

const isAscii = /^[\0-\x7f]*$/
const nameOfField = /^[\w!#$%&'*+.^`|~-]+$/
const valueOfField = /^[\t -~\x80-\xff]*$/
/** Methods that announce the length of a body even if there is none. */
const methodsWithBody = new Set(['POST', 'PUT', 'PATCH'])

function wrongHeader(name: string): Error {
  // A code of Node, which tells that a retry cannot help.
  return Object.assign(new TypeError(`the header ${name} has a character that cannot be sent`), {
    code: 'ERR_INVALID_CHAR',
  })
}

type Body = Exclude<WireRequest['body'], undefined>

function lengthOf(body: Body): number {
  if (typeof body === 'string') return nodeBuffer().byteLength(body)
  return piecesOf(body).reduce((sum, piece) => sum + piece.length, 0)
}

function piecesOf(body: Exclude<Body, string>): readonly Uint8Array[]
function piecesOf(body: Body): readonly (string | Uint8Array)[]
function piecesOf(body: Body): readonly (string | Uint8Array)[] {
  return Array.isArray(body) ? (body as readonly Uint8Array[]) : [body as string | Uint8Array]
}
