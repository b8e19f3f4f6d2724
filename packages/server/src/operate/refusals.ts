import type { Socket } from 'node:net'
import { newId } from 'colloquy/engines'
import { apiError, type ErrorType, errorResponse } from 'colloquy/protocol'
import { errorAnswer } from '../messages/error-answer.ts'

/** The response for an error, from a server that does not make it itself. */
export function refusal(error: unknown): Response {
  const { status, headers, body } = errorAnswer(error, newId('req_01'))
  return new Response(JSON.stringify(body), { status, headers })
}

interface Refusal {
  status: string
  message: string
  type?: ErrorType
  headers?: string
}

/** The refusals by Node's error codes for bytes that never become a request. */
const byCode: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'Request headers exceed the maximum size',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    message: 'The request took too long',
    type: 'timeout_error',
    headers: 'x-should-retry: true\r\n',
  },
}

const malformed: Refusal = { status: '400 Bad Request', message: 'The request is not valid HTTP' }

/** Answers on the socket itself, with the API's error envelope, and closes it. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  writeRefusal(socket, byCode[error.code ?? ''] ?? malformed)
}

/** Answers a CONNECT request, for which Node makes no response object. */
export function refuseConnect(socket: Socket): void {
  writeRefusal(socket, {
    status: '405 Method Not Allowed',
    message: 'Method Not Allowed',
    headers: 'allow: GET, POST\r\n',
  })
}

function writeRefusal(
  socket: Socket,
  { status, message, type = 'invalid_request_error', headers = '' }: Refusal,
): void {
  const requestId = newId('req_01')
  const body = JSON.stringify(errorResponse(apiError(type, message), requestId).body)
  socket.end(
    `HTTP/1.1 ${status}\r\n${headers}content-type: application/json\r\nrequest-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
