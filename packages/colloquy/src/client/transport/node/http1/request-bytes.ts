import { builtin } from '../../runtime.ts'
import type { WireRequest } from '../../transport.ts'
import type { NodeBufferModule, NodeSocket } from '../modules.ts'

/** Writes a request: head and body in one write, unless the body consists of bytes. */
export function writeRequest(socket: NodeSocket, host: string, path: string, request: WireRequest): void {
  const head = encodeHead(host, path, request)
  const { body = '' } = request
  // UTF-8 and the encoding of heads, latin1, agree on ASCII.
  if (typeof body === 'string' && isAscii.test(head)) return void socket.write(head + body, 'utf8')
  socket.cork()
  socket.write(head, 'latin1')
  for (const piece of piecesOf(body)) socket.write(piece, 'utf8')
  socket.uncork()
}

/** The request line and the headers. Throws if a header could end its line. */
function encodeHead(host: string, path: string, { method, headers, body }: WireRequest): string {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  for (const name in headers) {
    const value = headers[name]!
    if (!nameOfField.test(name) || !valueOfField.test(value)) throw wrongHeader(name)
    head += `${name}: ${value}\r\n`
  }
  if (body !== undefined || methodsWithBody.has(method)) head += `content-length: ${lengthOf(body ?? '')}\r\n`
  return `${head}\r\n`
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

// Looked up once, because a lookup takes as long as to write the head.
let buffers: NodeBufferModule | undefined

function lengthOf(body: Body): number {
  const { Buffer } = (buffers ??= builtin('node:buffer') as NodeBufferModule)
  return piecesOf(body).reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
}

function piecesOf(body: Body): readonly (string | Uint8Array)[] {
  return Array.isArray(body) ? (body as readonly Uint8Array[]) : [body as string | Uint8Array]
}
