import { encodeEvent } from '../../../protocol/codec/event-stream.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { APIResponseError } from '../../request/errors.ts'
import { readValue, wrongResult } from '../../request/on-demand/rare-bodies.ts'
import { readBody } from '../../request/response.ts'
import type { RetryingRequest } from '../../request/retrying-request.ts'
import { PassedResponse } from '../../transport/passed-response.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import { IdleWatch } from '../idle-watch.ts'

/** Whether the content type of a response is that of a stream of events. */
export function isLabeledStream(response: TransportResponse): boolean {
  return /^\s*text\/event-stream\b/i.test(response.header('content-type') ?? '')
}

/**
 * Returns the stream of a response that has another content type, or none: some gateways send such responses. A complete
 * message becomes its events: some gateways ignore `stream`, and another attempt would be charged too. If the body is other
 * JSON, throws the error that the JSON reports, or an error that says that the response is not a stream.
 */
export async function findStream(response: TransportResponse, request: RetryingRequest): Promise<TransportResponse> {
  const watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => response.cancel(error))
  watch.startWaiting()
  const first = await request.withTimeout(response, response.read()).finally(() => watch.stop())
  const begun = new BegunResponse(response, first)
  // No line of a stream of events begins so.
  if (!/^\s*["[{]/.test(new TextDecoder().decode(first))) return begun
  const value = readValue(await request.withTimeout(begun, readBody(begun)), response)
  const events = await eventsOf(value)
  if (events !== undefined) return new BegunResponse(response, events)
  const message = 'Cannot read the response as a stream of events: it is JSON'
  throw wrongResult(value, response) ?? new APIResponseError(response.status, undefined, message, response.headers())
}

/** The stream that a server would have sent for a message. Undefined if the value is not a message. */
async function eventsOf(value: unknown): Promise<Uint8Array | undefined> {
  if (!isMessage(value)) return undefined
  const { replay } = await import('../../../protocol/codec/replay.ts')
  try {
    const texts = Array.from(replay(value, { cut: (text) => [text] }), encodeEvent)
    return new TextEncoder().encode(texts.join(''))
  } catch {
    // A block lacks the fields of its type.
    return undefined
  }
}

function isMessage(value: unknown): value is Message {
  const { type, content, usage } = (value ?? {}) as Partial<Message>
  return type === 'message' && Array.isArray(content) && typeof usage === 'object' && usage !== null
}

/** A response that begins with bytes that were read before. */
class BegunResponse extends PassedResponse {
  #first: Uint8Array | undefined

  constructor(given: TransportResponse, first: Uint8Array | undefined) {
    super(given)
    this.#first = first
  }

  override async read(): Promise<Uint8Array | undefined> {
    const first = this.#first
    this.#first = undefined
    return first ?? this.given.read()
  }
}
