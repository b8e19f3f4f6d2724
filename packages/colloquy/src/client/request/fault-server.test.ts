// A server for the tests that misbehaves as told.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { Anthropic } from '../client.ts'
import type { ClientOptions } from '../options.ts'

export interface SeenRequest {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}

/** Responds to one request, or does not. */
export type Step = (answer: Answer) => void | Promise<void>

/** A response that is sent piece by piece. */
export class Answer {
  readonly request: SeenRequest
  readonly response: ServerResponse

  constructor(request: SeenRequest, response: ServerResponse) {
    this.request = request
    this.response = response
  }

  /** Sends headers, at once. */
  head(status: number, headers: Record<string, string> = {}): this {
    this.response.writeHead(status, { 'request-id': 'req_test', ...headers })
    this.response.flushHeaders()
    return this
  }

  /** Sends the headers of an event stream. */
  stream(headers: Record<string, string> = {}): this {
    return this.head(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers })
  }

  /** Sends one event, or text as it is. */
  send(...pieces: (string | Event)[]): this {
    for (const piece of pieces) {
      this.response.write(typeof piece === 'string' ? piece : inOnePiece(piece))
    }
    return this
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.head(status, { 'content-type': 'application/json', ...headers }).response.end(JSON.stringify(body))
  }

  end(): void {
    this.response.end()
  }

  /** Cuts the connection without the end that HTTP asks for. */
  cut(): void {
    // The bytes that were written must arrive first.
    setTimeout(() => this.response.socket?.end(), 20)
  }

  /** Cuts the connection with a reset. */
  reset(): void {
    setTimeout(() => this.response.socket?.resetAndDestroy(), 20)
  }
}

export interface FaultServer {
  url: string
  requests: SeenRequest[]
  sockets: Set<Socket>
  /** A client of this server that waits no longer than the tests must. */
  client: (options?: ClientOptions) => Anthropic
  /** Settles once no connection is open. */
  idle: () => Promise<void>
}

/** Starts a server whose steps respond to one request each; the last step responds to all further requests. */
export async function faultServer(t: TestContext, ...steps: Step[]): Promise<FaultServer> {
  const requests: SeenRequest[] = []
  const sockets = new Set<Socket>()
  const server = http.createServer((incoming, response) => void serve(incoming, response))
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    const body = await readText(incoming)
    const request = { method: incoming.method!, path: incoming.url!, headers: incoming.headers, body }
    requests.push(request)
    await steps[Math.min(requests.length, steps.length) - 1]!(new Answer(request, response))
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    requests,
    sockets,
    client: (options) => new Anthropic({ apiKey: 'key', baseURL: url, timeout: 10_000, ...options }),
    idle: async () => {
      while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}

/** The text of events, as one chunk. */
export function inOnePiece(...events: Event[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

type Event = { type: string; [field: string]: unknown }

const usage = { input_tokens: 12, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }

export const hello: Anthropic.Message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-6',
  content: [{ type: 'text', text: 'Hello!', citations: null }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { ...usage, output_tokens: 3 },
}

export const start: Event = { type: 'message_start', message: { ...hello, content: [], stop_reason: null, usage } }
export const textStart: Event = {
  type: 'content_block_start',
  index: 0,
  content_block: { type: 'text', text: '', citations: null },
}
export const textStop: Event = { type: 'content_block_stop', index: 0 }
export const endTurn: Event = {
  type: 'message_delta',
  delta: { stop_reason: 'end_turn', stop_sequence: null },
  usage: { output_tokens: 3 },
}
export const stop: Event = { type: 'message_stop' }
export const ping: Event = { type: 'ping' }
export const overloaded: Event = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }

export function text(piece: string): Event {
  return { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } }
}

/** The stream that says hello. */
export const helloEvents: Event[] = [start, textStart, ping, text('Hel'), text('lo!'), textStop, endTurn, stop]

export const params: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
}
