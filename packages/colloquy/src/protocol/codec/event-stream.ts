import { AnthropicError } from '../types/error.ts'
import { errorFrom, isErrorBody } from '../types/error-response.ts'
import type {
  ContentBlockDelta,
  ContentBlockDeltaEvent,
  ErrorEvent,
  MessageStreamEvent,
  PingEvent,
  ServerEvent,
} from '../types/event.ts'
import { deltaTexts, objectOf } from './event-values.ts'
import { parseJson } from './parse-json.ts'
import { pinCompiledCode } from './pin-compiled-code.ts'
import { type ServerSentEvent, type SseOptions, SseParser, encodeSse } from './sse.ts'

/** Options of `decodeEventStream()`. */
export interface EventStreamOptions extends SseOptions {
  /** The headers of the response. An error in the stream takes its request id from them. */
  headers?: Headers
}

/**
 * Decodes the events of a streamed message from a response body, pings included.
 *
 * Throws the error of an `error` event, as `errorFrom` without a status, and an `AnthropicError` if an event is not JSON or
 * too long. Does not throw if the body ends early: `accumulate` does.
 *
 * @example
 * ```ts
 * import { decodeEvents } from 'colloquy/protocol'
 *
 * const response = await fetch(`${process.env['ANTHROPIC_BASE_URL']}/v1/messages`, {
 *   method: 'POST',
 *   headers: { 'x-api-key': process.env['ANTHROPIC_API_KEY']!, 'anthropic-version': '2023-06-01' },
 *   body: JSON.stringify({
 *     model: 'claude-sonnet-4-6',
 *     max_tokens: 100,
 *     stream: true,
 *     messages: [{ role: 'user', content: 'What is 6 * 7?' }],
 *   }),
 * })
 * let text = ''
 * for await (const event of decodeEvents(response.body!))
 *   if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
 * console.log(text) // 6 * 7 = 42
 * ```
 */
export async function* decodeEvents(
  body: AsyncIterable<Uint8Array>,
  { headers, ...options }: EventStreamOptions = {},
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  pinCompiledCode(SseParser)
  const parser = new SseParser(options)
  for await (const chunk of body) for (const event of messageEvents(parser.push(chunk), headers)) yield event
  for (const event of messageEvents(parser.end(), headers)) yield event
}

function* messageEvents(
  sent: Iterable<ServerSentEvent>,
  headers: Headers | undefined,
): Generator<MessageStreamEvent | PingEvent> {
  for (const one of sent) {
    const event = parseEvent(one)
    if (!event) continue
    if (isErrorEvent(event)) throw errorFrom({ status: undefined, headers, body: event })
    yield event
  }
}

/**
 * Parses the data of a server-sent event. If the data has no `type`, the name of the event becomes it; a text that a delta lacks
 * is empty. Undefined for events without content, like the `[DONE]` of other APIs. Throws an `AnthropicError` if the data is not a JSON object.
 */
export function parseEvent({ event: name, data }: ServerSentEvent): ServerEvent | undefined {
  if (name === 'ping') return { type: 'ping' }
  if (data === '' || data === '[DONE]') return undefined
  if (name === 'error') return errorEvent(data)
  const delta = parseDelta(data)
  if (delta) return delta
  const value = parseData(name, data)
  const type = value.type ?? name
  if (type === 'content_block_delta') fillDelta(value)
  if (type === 'error') return errorEvent(data)
  // Some gateways report an error without a type and without the name of an event.
  if (type === undefined) return value.error ? errorEvent(data) : undefined
  if (value.type === undefined) return { ...value, type } as ServerEvent
  if (!carriesOpaqueValue(value as ServerEvent)) return value as ServerEvent
  // Only these events can have keys that the API does not define, which `parseJson` reads correctly.
  const event = parseJson(data) as ServerEvent
  texts.set(event, data)
  return event
}

/** Replaces the text that a gateway left out, or sent as null, by an empty one. */
function fillDelta({ delta }: { delta?: unknown }): void {
  const fields = delta as Record<string, unknown> | null | undefined
  const name = deltaTexts[String(fields?.['type'])]
  if (name !== undefined) fields![name] ??= ''
}

/** A delta with one piece of text, as the API writes it. */
interface DeltaForm {
  /** The bytes before the text, by the digit of the block's index. */
  readonly starts: readonly string[]
  delta(text: string): ContentBlockDelta
}

const deltaStart = '{"type":"content_block_delta","index":'
const indexAt = deltaStart.length
/** The position of the letter by which the names of the forms differ. */
const letterAt = `${deltaStart}0,"delta":{"type":"t`.length

const deltaForms: Readonly<Record<string, DeltaForm>> = {
  e: deltaForm('"text_delta","text":', (text) => ({ type: 'text_delta', text })),
  n: deltaForm('"input_json_delta","partial_json":', (text) => ({ type: 'input_json_delta', partial_json: text })),
  h: deltaForm('"thinking_delta","thinking":', (text) => ({ type: 'thinking_delta', thinking: text })),
}

function deltaForm(type: string, delta: DeltaForm['delta']): DeltaForm {
  return { starts: Array.from('0123456789', (index) => `${deltaStart}${index},"delta":{"type":${type}`), delta }
}

/**
 * Parses a delta that is written as the API writes it, with one piece of text; undefined for any other data. The same as
 * `JSON.parse()`, in half of its time: only the text is parsed. Slices are compared because `startsWith()` takes twice as long.
 */
function parseDelta(data: string): ContentBlockDeltaEvent | undefined {
  const form = deltaForms[data[letterAt]!]
  const index = data.charCodeAt(indexAt) - 0x30
  const start = form?.starts[index]
  if (start === undefined || data.slice(0, start.length) !== start) return undefined
  const text = lastValue(data, start.length)
  return text === undefined ? undefined : { type: 'content_block_delta', index, delta: form!.delta(text) }
}

const blank = 0x20
const closingBrace = 0x7d

/** The value that begins at `from`, if it is valid and only the ends of two objects and blanks follow it. */
function lastValue(data: string, from: number): string | undefined {
  if (data.charCodeAt(data.length - 1) !== closingBrace) return undefined
  let end = data.length - 2
  // The API writes some, so that the length of an encrypted event does not tell that of its text.
  while (data.charCodeAt(end) === blank) end--
  if (data.charCodeAt(end) !== closingBrace) return undefined
  try {
    const value: unknown = JSON.parse(data.slice(from, end))
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

const texts = new WeakMap<ServerEvent, string>()

/** The JSON text of an event with a block or citation, which parsing would change in its numbers and the order of keys. */
export function receivedJson(event: ServerEvent): string | undefined {
  return texts.get(event)
}

/** Encodes an event as `encodeSse` does, but one with a block or citation as it was received (see `receivedJson`). */
export function encodeEvent(event: ServerEvent): string {
  const json = receivedJson(event)
  return json === undefined || json.includes('\n') ? encodeSse(event) : `event: ${event.type}\ndata: ${json}\n\n`
}

function carriesOpaqueValue(event: ServerEvent): boolean {
  return (
    event.type === 'content_block_start' ||
    (event.type === 'content_block_delta' && event.delta?.type === 'citations_delta')
  )
}

/** Whether the event is the error that ends a stream. */
export function isErrorEvent(event: ServerEvent): event is ErrorEvent {
  return event.type === 'error'
}

function parseData(name: string | undefined, data: string): { type?: unknown; error?: unknown; delta?: unknown } {
  let cause: unknown
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    cause = error
  }
  const found = data.length > 100 ? `${data.slice(0, 100)}…` : data
  throw new AnthropicError(`Cannot read event ${name ?? 'without a name'}: its data is not a JSON object: ${found}`, {
    cause,
  })
}

/** Accepts any data: some gateways send errors as plain text or JSON of another shape, whose fields are kept. */
function errorEvent(data: string): ErrorEvent {
  const body = objectIn(data)
  if (isErrorBody(body)) return { ...body, type: 'error' }
  const { error } = body
  const { type, message = error } = Object(error) as { type?: unknown; message?: unknown }
  return {
    ...body,
    type: 'error',
    error: {
      ...(typeof error === 'object' && error),
      type: typeof type === 'string' ? type : 'api_error',
      message: typeof message === 'string' ? message : data,
    },
  }
}

/** The object that a JSON text is; empty for any other text. */
function objectIn(data: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(data), 'error', 'data')
  } catch {
    return {}
  }
}
