// A process of its own: it answers what the path asks for with bytes that it made beforehand.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Certificate } from './certificate.ts'
import { inLargeChunks, reply, textEvents, toolEvents, type ToolInputBytes } from './wire.ts'

const events = textEvents()
const chunks = inLargeChunks(events)
const whole = reply()
const toolInputs = new Map<string, Buffer[]>()

/** By the first part of the path, which stands before `/v1/messages`. */
const answers: Record<string, (response: ServerResponse, argument: string) => void> = {
  paced: (response) => stream(response, events),
  chunked: (response) => stream(response, chunks),
  tool: (response, bytes) => stream(response, toolInput(bytes)),
  // The start of the message and of its block, a ping and three deltas; then nothing.
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

/** Waits for each write to be done, so that each is a TLS record, and a chunk for whoever reads it. */
function stream(response: ServerResponse, parts: readonly Buffer[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_01' })
  let index = 0
  const next = (): void => {
    if (index < parts.length) response.write(parts[index++], next)
    else response.end()
  }
  next()
}

function toolInput(bytes: string): Buffer[] {
  let parts = toolInputs.get(bytes)
  if (!parts) toolInputs.set(bytes, (parts = inLargeChunks(toolEvents(Number(bytes) as ToolInputBytes))))
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
