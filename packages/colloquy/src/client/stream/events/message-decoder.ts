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

const maxBeginning = 100

/** Follows the events of a message. `MessageAccumulator` assembles it. */
export interface EventCollector {
  readonly message: Message | undefined
  /** Whether `message_stop` was pushed. */
  readonly isWhole: boolean
  /** Throws an `AnthropicError` for a malformed event. */
  push(event: StreamedEvent): void
}

/** Options of a `MessageDecoder`. */
export interface DecoderOptions {
  /** Whether keep-alive events are decoded too. Default false. */
  pings?: boolean | undefined
  /** Default: assembles the message. */
  collector?: EventCollector
}

/**
 * Decodes the bytes of a streamed response into events, and builds the message that they make.
 *
 * Events wait here until a reader takes them, and the message contains only events that were taken. So if several events
 * arrive together, a listener to the first one sees the message as it was after that event.
 */
export class MessageDecoder {
  /** The number of the message's events that have arrived, without pings. */
  arrivedCount = 0
  /** The first characters of a response, while no event has arrived: some gateways send an error as mere text. */
  beginning = ''
  /** Set by the event that ends the stream, once it was taken. */
  ending: StreamEnding | undefined
  /** The error that follows the waiting events. */
  error: StreamEnding | undefined
  readonly #pings: boolean
  readonly #parser = new SseParser()
  readonly #collector: EventCollector
  #waiting: StreamedEvent[] = []
  /** The number of waiting events that were taken, and of those that the message has. */
  #taken = 0
  #added = 0
  /** The type of the last event that arrived. */
  #last: string | undefined
  /** Whether later events are ignored. */
  #isOver = false

  constructor({ pings = false, collector = new MessageAccumulator() }: DecoderOptions = {}) {
    this.#pings = pings
    this.#collector = collector
  }

  /** The message so far. */
  get message(): Message | undefined {
    return this.#collector.message
  }

  /** Reads a chunk. Undefined marks the end of the response. */
  push(chunk: Uint8Array | undefined): void {
    try {
      if (!chunk) for (const sent of this.#parser.end()) this.#read(sent)
      else {
        this.#parser.read(chunk, this.#read)
        if (this.arrivedCount === 0) this.#addBeginning(chunk)
      }
    } catch (error) {
      this.#fail({ type: 'malformed', cause: error as Error })
    }
    this.#showError()
  }

  /** Takes the next event, and adds it to the message. */
  next(): StreamedEvent | undefined {
    if (this.#added === this.#taken) this.#add()
    if (this.#taken < this.#waiting.length) {
      const event = this.#waiting[this.#taken++]!
      this.#showError()
      return event
    }
    this.discard()
    return undefined
  }

  /** Takes all events that have arrived. */
  takeAll(): StreamedEvent[] {
    this.addAll()
    const events = this.#taken === 0 ? this.#waiting : this.#waiting.slice(this.#taken)
    this.discard()
    return events
  }

  /** Adds the waiting events to the message, without taking them. */
  addAll(): void {
    while (this.#added < this.#waiting.length) this.#add()
  }

  /** Drops the waiting events. */
  discard(): void {
    if (this.#waiting.length > 0) this.#waiting = []
    this.#taken = this.#added = 0
    this.#showError()
  }

  // A function of the object, so that no chunk needs a new one.
  readonly #read = (sent: ServerSentEvent): void => {
    if (this.#isOver) return
    const event = parseEvent(sent)
    if (!event) return
    if (event.type === 'ping') {
      if (this.#pings) this.#waiting.push(event)
      return
    }
    if (isErrorEvent(event)) return this.#fail({ type: 'error', event })
    // Some gateways send it twice in a row.
    if (event.type === 'message_start' && this.#last === 'message_start') return
    this.#last = event.type
    this.arrivedCount++
    this.#isOver = event.type === 'message_stop'
    this.#waiting.push(event)
  }

  #addBeginning(chunk: Uint8Array): void {
    const length = maxBeginning - this.beginning.length
    if (length > 0) this.beginning += new TextDecoder().decode(chunk.subarray(0, length))
  }

  #add(): void {
    const event = this.#waiting[this.#added]
    if (!event) return
    try {
      this.#collector.push(event)
      this.#added++
      if (this.#collector.isWhole) this.ending = { type: 'complete' }
    } catch (error) {
      // The events before the malformed one are still handed out.
      this.#waiting.length = this.#added
      this.error = undefined
      this.#fail({ type: 'malformed', cause: error as Error })
    }
  }

  #fail(ending: StreamEnding): void {
    this.#isOver = true
    this.error ??= ending
  }

  /** The error ends the stream when no event is left before it. */
  #showError(): void {
    if (this.error && this.#taken === this.#waiting.length) this.ending ??= this.error
  }
}
