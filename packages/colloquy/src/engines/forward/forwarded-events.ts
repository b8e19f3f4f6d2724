import type { MessageEvents, StreamedEvent } from '../../client/stream/events/message-events.ts'
import { pipe } from '../../client/transport/pipe.ts'
import { encodeEvent } from '../../protocol/codec/event-stream.ts'
import type { EncodedEvents, EventSink, ForwardedStream } from '../../protocol/types/engine.ts'
import type { ReceivedBytes } from './received-bytes.ts'
import { headersOf } from './response-headers.ts'

interface Parts {
  /** The events of the first response. */
  first: MessageEvents
  /** Those, and the events of the responses that continue it. */
  all: MessageEvents
  /** The bytes of the first response. */
  received: ReceivedBytes
}

const encoder = new TextEncoder()

/** The events of a reply as they were received. Only those that continue a stream that broke off are encoded. */
export class ForwardedEvents implements ForwardedStream {
  readonly type = 'stream'
  readonly #first: MessageEvents
  readonly #all: MessageEvents
  readonly #received: ReceivedBytes

  constructor({ first, all, received }: Parts) {
    this.#first = first
    this.#all = all
    this.#received = received
  }

  header(name: string): string | null {
    return this.#first.response!.header(name)
  }

  headers(): Iterable<readonly [name: string, value: string]> {
    return headersOf(this.#first.response!)
  }

  read(): Promise<EncodedEvents | undefined> {
    // Not an async function: one takes twice the memory as long as it waits.
    return this.#all.read().then((events) => events && this.#encoded(events))
  }

  pipe(sink: EventSink): void {
    pipe(this.#all, {
      write: (events) => sink.write(events && this.#encoded(events)),
      fail: (error) => sink.fail(error),
    })
  }

  #encoded(events: readonly StreamedEvent[]): EncodedEvents {
    // The bytes of a stream that broke off hold more than its events: the error, or a part of an event.
    if (this.#first.failure) this.#received.clear()
    const received = this.#received.take()
    return { events, bytes: received.length > 0 ? received : encoder.encode(events.map(encodeEvent).join('')) }
  }
}
