// A Messages API in a process of its own, which answers with bytes prepared in advance. `metadata.user_id` of the request
// selects the pace of a stream.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Message, encodeSse, replay } from 'colloquy/protocol'
import { reply, textEvents } from '../client/wire.ts'
import { eventsPerStream, type Pace } from './traffic.ts'

const whole = reply()
/** The same reply for a server that always streams from its upstream. */
const short = Buffer.from(Array.from(replay(JSON.parse(whole.toString()) as Message), encodeSse).join(''))
const all = textEvents()
/** The start of the message and of its block, a ping and the deltas. */
const opening = all.slice(0, 3)
const ending = all.slice(-3)
const deltas = all.slice(3, 3 + eventsPerStream)
const slowMs = 1_000
const evenMs = 8

const streams: Record<Pace | 'short', (response: ServerResponse) => void> = {
  short: (response) => response.end(short),
  /** Waits for each write, so that each event becomes a chunk and, unless the reader is behind, a read of its own. */
  full: (response) => {
    const events = [...opening, ...deltas, ...ending]
    let index = 0
    const next = (): void => {
      if (index < events.length) response.write(events[index++]!, next)
      else response.end()
    }
    next()
  },
  /** Waits between two events, so that a server has read and written one before the next arrives. */
  even: (response) => {
    const events = [...opening, ...deltas, ...ending]
    let index = 0
    const timer = setInterval(() => {
      response.write(events[index++]!)
      if (index < events.length) return
      clearInterval(timer)
      response.end()
    }, evenMs)
    response.once('close', () => clearInterval(timer))
  },
  slow: (response) => {
    let index = 0
    response.write(Buffer.concat([...opening, ...deltas.slice(0, 3)]))
    const timer = setInterval(() => response.write(deltas[index++ % deltas.length]!), slowMs)
    response.once('close', () => clearInterval(timer))
  },
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer(response, Buffer.concat(chunks).toString()))
}

function answer(response: ServerResponse, body: string): void {
  const headers = { 'request-id': 'req_01' }
  if (body.includes('"stream":true')) {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
    return streams[(/"user_id":"(full|even|slow)"/.exec(body)?.[1] ?? 'short') as Pace | 'short'](response)
  }
  response.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': whole.length }).end(whole)
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, handle)
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
