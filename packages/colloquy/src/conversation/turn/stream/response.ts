import { aboveZero, checkOptions, object, type Rule } from '../../../engines/check-options.ts'
import { receivedJson } from '../../../protocol/codec/event-stream.ts'
import { apiError, errorResponse } from '../../../protocol/types/error-response.ts'
import { newId } from '../../../engines/id.ts'
import { failureOf } from './failure.ts'
import { eventsAfter, type PlacedEvent } from './events-after.ts'
import { decodePosition, encodePosition, type Position } from './position.ts'
import type { TurnEvent, TurnFailure } from './turn-event.ts'

/** Options of `turn.toResponse()`. */
export interface TurnResponseOptions {
  /** The request that is answered. With the header `Last-Event-ID` the response begins after that event. */
  request?: Request
  /** More headers of the response. Default none. */
  headers?: Headers | Record<string, string>
  /** Milliseconds without an event after which the client gets a ping. Default 10,000. */
  pingMs?: number
}

const rules: Record<keyof TurnResponseOptions, Rule> = {
  request: object,
  headers: object,
  pingMs: aboveZero,
}

/** Throws an `AnthropicError` if an option is misspelt or not valid. @param owner the function that the options belong to. */
export function checkResponseOptions(options: TurnResponseOptions, owner: string): void {
  checkOptions(options, rules, owner)
}

/** How long a response waits for the turn to begin. An error in that time is a response with its status. */
const startMs = 5_000

/** The place after which a client wants to continue. Undefined if it wants all events. */
export function placeIn(request: Request | undefined): Position | undefined {
  const id = request?.headers.get('last-event-id')
  return id ? decodePosition(id) : undefined
}

/** Answers with the events of a turn, as server-sent events. The turn continues when the client leaves. */
export async function turnResponse(
  events: AsyncIterable<TurnEvent>,
  { request, headers, pingMs = 10_000 }: TurnResponseOptions = {},
): Promise<Response> {
  const placed = eventsAfter(events, placeIn(request))
  const first = placed.next()
  const begun = await within(first, Math.min(startMs, pingMs))
  if (begun !== silence && !begun.done && begun.value.event.type === 'turn_end') {
    const { error } = begun.value.event
    if (error !== null && begun.value.position === undefined) return failureResponse(error)
  }
  const body = new ReadableStream<Uint8Array>(new EventBody(placed, first, pingMs), { highWaterMark: 0 })
  const merged = new Headers(headers)
  merged.set('content-type', 'text/event-stream; charset=utf-8')
  merged.set('cache-control', 'no-store')
  // Proxies such as nginx would collect the events.
  merged.set('x-accel-buffering', 'no')
  return new Response(body, { headers: merged })
}

/**
 * The response for an error of a conversation: its status, and the API's envelope.
 *
 * @example
 * ```ts
 * import { openConversations, toErrorResponse } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const conversations = openConversations({ engine: offline() })
 * const show = async (id: string) => Response.json((await conversations.open(id)).messages)
 * console.log((await show('unknown').catch(toErrorResponse)).status) // 404
 * ```
 */
export function toErrorResponse(error: unknown): Response {
  return failureResponse(failureOf(error))
}

function failureResponse({ type, message, requestId }: TurnFailure): Response {
  const { status, headers, body } = errorResponse(apiError(type, message), requestId ?? newId('req_01'))
  headers.set('content-type', 'application/json')
  return new Response(JSON.stringify(body), { status, headers })
}

const silence = Symbol('silence')
const encoder = new TextEncoder()
const ping = encoder.encode('event: ping\ndata: {"type":"ping"}\n\n')

type Next = Promise<IteratorResult<PlacedEvent>>

/** Reads events only as fast as the client takes them. */
class EventBody {
  readonly #events: AsyncIterator<PlacedEvent>
  readonly #pingMs: number
  #next: Next | undefined

  constructor(events: AsyncIterator<PlacedEvent>, first: Next, pingMs: number) {
    this.#events = events
    this.#next = first
    this.#pingMs = pingMs
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#next ??= this.#events.next()
    const next = await within(this.#next, this.#pingMs)
    if (next === silence) return controller.enqueue(ping)
    this.#next = undefined
    if (next.done) return controller.close()
    controller.enqueue(encoder.encode(encode(next.value)))
  }

  cancel(): void {
    // Not awaited: it would wait for the next event.
    this.#events.return?.().catch(() => {})
  }
}

function encode({ event, position }: PlacedEvent): string {
  const known = 'index' in event || event.type === 'message_start' ? receivedJson(event) : undefined
  const json = known === undefined || known.includes('\n') ? JSON.stringify(event) : known
  const id = position === undefined ? '' : `id: ${encodePosition(position)}\n`
  return `${id}event: ${event.type}\ndata: ${json}\n\n`
}

/** The result, or `silence` if it takes longer. */
async function within<T>(result: Promise<T>, ms: number): Promise<T | typeof silence> {
  const { promise, resolve } = Promise.withResolvers<typeof silence>()
  const timer = setTimeout(resolve, ms, silence)
  try {
    return await Promise.race([result, promise])
  } finally {
    clearTimeout(timer)
  }
}
