import type { Reply } from './recording-server.ts'

export const requestId = 'req_011CSHoEeqs5C35K2UUqR7Fy'

/** The smallest valid request. */
export const hello: { model: string; max_tokens: number; messages: { role: 'user'; content: string }[] } = {
  model: 'claude-sonnet-4-6',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Hello' }],
}

const usage = {
  input_tokens: 9,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 4,
  service_tier: 'standard',
  inference_geo: 'global',
}

/** Makes the body of a reply in the API's form. */
export function message(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-6',
    content: [{ type: 'text', text: 'Hello there', citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage,
    ...fields,
  }
}

export function json(value: unknown, { status = 200, headers = {} }: Partial<Reply> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'request-id': requestId, ...headers },
    body: [JSON.stringify(value)],
  }
}

/** Makes an error response in the API's form. */
export function failure(
  status: number,
  type: string,
  text: string,
  { details, headers }: { details?: object; headers?: Record<string, string> } = {},
): Reply {
  const error = details ? { type, message: text, details } : { type, message: text }
  return json({ type: 'error', error, request_id: requestId }, headers ? { status, headers } : { status })
}

export type Event = { type: string } & Record<string, unknown>

export function frame(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Makes a stream with one event per packet. Text, bytes and waits are passed through. */
export function sse(pieces: readonly (Event | string | Uint8Array | number)[], reply: Partial<Reply> = {}): Reply {
  return {
    ...reply,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': requestId, ...reply.headers },
    body: pieces.map((piece) => (typeof piece === 'object' && !(piece instanceof Uint8Array) ? frame(piece) : piece)),
  }
}

export function start(fields: Record<string, unknown> = {}): Event {
  const shell = message({ content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 }, ...fields })
  return { type: 'message_start', message: shell }
}

export function open(index: number, block: Record<string, unknown>): Event {
  return { type: 'content_block_start', index, content_block: block }
}

export function delta(index: number, fields: Record<string, unknown>): Event {
  return { type: 'content_block_delta', index, delta: fields }
}

export function close(index: number): Event {
  return { type: 'content_block_stop', index }
}

export function finish(
  reason: string | null = 'end_turn',
  { delta = {}, usage = {} }: { delta?: object; usage?: object } = {},
): Event {
  return {
    type: 'message_delta',
    delta: { stop_reason: reason, stop_sequence: null, stop_details: null, ...delta },
    usage: { output_tokens: 4, ...usage },
  }
}

export const stop: Event = { type: 'message_stop' }
export const ping: Event = { type: 'ping' }

/** The events of a text block, one for each piece. */
export function text(index: number, ...pieces: string[]): Event[] {
  return [
    open(index, { type: 'text', text: '' }),
    ...pieces.map((piece) => delta(index, { type: 'text_delta', text: piece })),
    close(index),
  ]
}

/** The events of a tool call, one for each piece of its input. */
export function toolUse(index: number, name: string, ...pieces: string[]): Event[] {
  return [
    open(index, { type: 'tool_use', id: `toolu_${index}`, name, input: {} }),
    ...['', ...pieces].map((piece) => delta(index, { type: 'input_json_delta', partial_json: piece })),
    close(index),
  ]
}

/** A complete stream with these blocks. */
export function streamOf(...blocks: Event[][]): Event[] {
  return [start(), ...blocks.flat(), finish(), stop]
}

export const helloStream: Event[] = streamOf(text(0, 'Hello', ' there'))
