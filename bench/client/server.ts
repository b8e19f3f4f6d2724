// The server runs in a process of its own. It answers with bytes prepared in advance; the path selects them.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Certificate } from './certificate.ts'
import { inLargeChunks, reply, textEvents, toolEvents, type ToolInputBytes } from './wire.ts'

const events = textEvents()
const framedEvents = events.map(framed)
const framedChunks = inLargeChunks(events).map(framed)
const bundledEvents = inLargeChunks(framedEvents)
const whole = reply()
const toolInputs = new Map<string, Buffer[]>()

/** The responses by the first part of the path, before `/v1/messages`. */
const answers: Record<string, (response: ServerResponse, argument: string) => void> = {
  paced: (response) => stream(response, framedEvents),
  bundled: (response) => stream(response, bundledEvents),
  chunked: (response) => stream(response, framedChunks),
  tool: (response, bytes) => stream(response, toolInput(bytes)),
  // The start of the message and of its block, a ping and three deltas; then silence.
  idle: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(Buffer.concat(events.slice(0, 6)))
  },
  whole: (response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length }).end(whole),
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const [, name = '', argument = ''] = request.url!.split('/')
  request.resume().on('end', () => answers[name]!(response, argument))
}

/** Waits for each write, so that each becomes a TLS record and a chunk of its own. */
function stream(response: ServerResponse, parts: readonly Buffer[]): void {
  const { socket } = response
  // The next request may arrive before the last response has released the connection.
  if (!socket) return void setImmediate(stream, response, parts)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_01' }).flushHeaders()
  let index = 0
  const next = (): void => {
    // Write to the socket: `response.write` takes twice as long, and the clients should wait for the server as little
    // as possible.
    if (index < parts.length) socket.write(parts[index++]!, next)
    else response.end()
  }
  next()
}

/** Encodes a chunk of the chunked transfer coding. */
function framed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

function toolInput(bytes: string): Buffer[] {
  let parts = toolInputs.get(bytes)
  if (!parts) toolInputs.set(bytes, (parts = inLargeChunks(toolEvents(Number(bytes) as ToolInputBytes)).map(framed)))
  return parts
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function start({ key, cert }: Certificate): Promise<void> {
  const plain = http.createServer({ keepAliveTimeout: 60_000 }, handle)
  const secure = https.createServer({ key, cert, keepAliveTimeout: 60_000 }, handle)
  process.send!({
    http: `http://127.0.0.1:${await listen(plain)}`,
    https: `https://127.0.0.1:${await listen(secure)}`,
  })
}

process.once('message', (certificate: Certificate) => void start(certificate))
process.once('disconnect', () => process.exit())
