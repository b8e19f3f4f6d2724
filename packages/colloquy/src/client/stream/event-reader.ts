import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import type { ErrorEvent, MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import { isErrorEvent, parseEvent } from '../../protocol/codec/event-stream.ts'
import { pinCompiledCode } from '../../protocol/codec/pin-compiled-code.ts'
import type { Message } from '../../protocol/types/message.ts'
import { SseParser, type ServerSentEvent } from '../../protocol/codec/sse.ts'

export type StreamedEvent = MessageStreamEvent | PingEvent

/** What the bytes of a streamed answer say: its events, and the message that they make. */
export class EventReader {
  /** Events of the message that came. */
  eventCount = 0
  /** The API's own failure, which nothing follows. */
  failure: ErrorEvent | undefined
  readonly #parser = new SseParser()
  readonly #accumulator = new MessageAccumulator()

  /** The message so far. */
  get message(): Message | undefined {
    return this.#accumulator.message
  }

  /** Whether `message_stop` came. */
  get isWhole(): boolean {
    return this.#accumulator.isWhole
  }

  /** Adds the events that end in the chunk; undefined is the end of the answer. What follows the message is not looked at. */
  read(chunk: Uint8Array | undefined, pings: boolean, events: StreamedEvent[]): void {
    for (const sent of chunk ? this.#parser.push(chunk) : this.#parser.end()) {
      const event = this.#take(sent)
      if (event && (pings || event.type !== 'ping')) events.push(event)
      if (this.isWhole || this.failure) return
    }
  }

  #take(sent: ServerSentEvent): StreamedEvent | undefined {
    const event = parseEvent(sent)
    if (!event || event.type === 'ping') return event
    if (isErrorEvent(event)) {
      this.failure = event
      return undefined
    }
    this.eventCount++
    this.#accumulator.push(event)
    return event
  }
}

/** A reader for one streamed response. */
export function openEventReader(): EventReader {
  pinCompiledCode(EventReader)
  return new EventReader()
}
