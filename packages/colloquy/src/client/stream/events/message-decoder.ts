import { MessageAccumulator } from '../../../protocol/codec/accumulate.ts'
import type { ErrorEvent, MessageStreamEvent, PingEvent } from '../../../protocol/types/event.ts'
import { isErrorEvent, parseEvent } from '../../../protocol/codec/event-stream.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { SseParser, type ServerSentEvent } from '../../../protocol/codec/sse.ts'

export type StreamedEvent = MessageStreamEvent | PingEvent

/** How a stream ended: with `message_stop`, with the API's error event, or with bytes that are not a valid event. */
export type StreamEnding =
  | { type: 'complete' }
  | { type: 'error'; event: ErrorEvent }
  | { type: 'malformed'; cause: Error }

/** Decodes the bytes of a streamed response into its events and the message that they make. */
export class MessageDecoder {
  /** The number of the message's events so far, without pings. */
  eventCount = 0
  /** Set by the chunk that ends the stream. Later bytes are ignored. */
  ending: StreamEnding | undefined
  readonly #pings: boolean
  readonly #parser = new SseParser()
  readonly #accumulator = new MessageAccumulator()

  /** With `pings`, keep-alive events are decoded too. Default false. */
  constructor({ pings = false }: { pings?: boolean } = {}) {
    this.#pings = pings
  }

  /** The message so far. */
  get message(): Message | undefined {
    return this.#accumulator.message
  }

  /** Returns the events that end in the chunk. Undefined marks the end of the response. */
  push(chunk: Uint8Array | undefined): StreamedEvent[] {
    const events: StreamedEvent[] = []
    try {
      for (const sent of chunk ? this.#parser.push(chunk) : this.#parser.end()) {
        const event = this.#take(sent)
        if (event && (this.#pings || event.type !== 'ping')) events.push(event)
        if (this.ending) break
      }
    } catch (error) {
      // The events before the malformed one are still returned.
      this.ending = { type: 'malformed', cause: error as Error }
    }
    return events
  }

  #take(sent: ServerSentEvent): StreamedEvent | undefined {
    const event = parseEvent(sent)
    if (!event || event.type === 'ping') return event
    if (isErrorEvent(event)) {
      this.ending = { type: 'error', event }
      return undefined
    }
    this.eventCount++
    this.#accumulator.push(event)
    if (this.#accumulator.isWhole) this.ending = { type: 'complete' }
    return event
  }
}
