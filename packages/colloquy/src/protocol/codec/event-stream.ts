import { AnthropicError, errorFrom, isErrorBody } from '../types/error.ts'
import type { ErrorEvent, MessageStreamEvent, PingEvent, ServerEvent } from '../types/event.ts'
import { parseJson } from './parse-json.ts'
import { pinCompiledCode } from './pin-compiled-code.ts'
import { type ServerSentEvent, type SseOptions, SseParser } from './sse.ts'

export interface EventStreamOptions extends SseOptions {
  /** The headers of the answer. An error that the stream carries takes its request id from them. */
  headers?: Headers
}

/**
 * Reads the events of a streamed message off the body of an answer, pings included.
 *
 * It throws what an `error` event says, as `errorFrom` would with no status, and an `AnthropicError` where an event is no
 * JSON or too long. A body that ends early just ends: `accumulate` notices.
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
 * What a server-sent event says: its data, to which its name gives a `type` where there is none. Undefined where it says
 * nothing, like the `[DONE]` of other APIs. Data that is no JSON is an `AnthropicError`.
 */
export function parseEvent({ event: name, data }: ServerSentEvent): ServerEvent | undefined {
  if (name === 'ping') return { type: 'ping' }
  if (data === '' || data === '[DONE]') return undefined
  if (name === 'error') return errorEvent(data)
  const value = parseData(name, data)
  const type = value.type ?? name
  if (type === 'error') return errorEvent(data)
  if (type === undefined) return undefined
  if (value.type === undefined) return { ...value, type } as ServerEvent
  if (!carriesWhole(value as ServerEvent)) return value as ServerEvent
  // Only here the keys may be anybody's: those of the other events are the API's.
  const event = parseJson(data) as ServerEvent
  texts.set(event, data)
  return event
}

const texts = new WeakMap<ServerEvent, string>()

/** The JSON that the event came as, where it brings a block or a citation: parsing changes numbers and the order of keys. */
export function receivedJson(event: ServerEvent): string | undefined {
  return texts.get(event)
}

function carriesWhole(event: ServerEvent): boolean {
  return (
    event.type === 'content_block_start' ||
    (event.type === 'content_block_delta' && event.delta?.type === 'citations_delta')
  )
}

/** Whether the event is the failure that ends a stream. */
export function isErrorEvent(event: ServerEvent): event is ErrorEvent {
  return event.type === 'error'
}

function parseData(name: string | undefined, data: string): { type?: unknown } {
  let cause: unknown
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    cause = error
  }
  const found = data.length > 100 ? `${data.slice(0, 100)}…` : data
  throw new AnthropicError(`Cannot read event ${name ?? 'without a name'}: its data is no JSON object: ${found}`, {
    cause,
  })
}

/** A failure is told whatever its form: behind some gateways it is plain text, or JSON of another shape. */
function errorEvent(data: string): ErrorEvent {
  try {
    const body: unknown = JSON.parse(data)
    if (isErrorBody(body)) return body.type === 'error' ? body : { ...body, type: 'error' }
  } catch {
    // Plain text is the message itself.
  }
  return { type: 'error', error: { type: 'api_error', message: data } }
}
