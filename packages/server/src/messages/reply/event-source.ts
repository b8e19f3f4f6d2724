import { type EncodedEvents, type EventSink, encodeEvent } from 'colloquy/protocol'
import { encodedReply } from './encoded-reply.ts'
import { fillEvent } from './fill-defaults.ts'
import type { ReplyEvent, ReplyEvents } from './reply-events.ts'

/** The events of a reply in the form in which they are sent, until the reader leaves. */
export interface EventSource {
  /** The next events. Undefined after the last one. Throws if the reply breaks off. */
  read(): Promise<EncodedEvents | undefined>
  /** Writes the next events to the sink, for as long as it wants more. */
  pipe(sink: EventSink): void
  /** Ends the reply because its reader left. */
  leave(): void
}

const encoder = new TextEncoder()

/** The events of an engine. */
export class EngineEvents implements EventSource {
  readonly #iterator: AsyncIterator<ReplyEvent>

  constructor(events: ReplyEvents) {
    this.#iterator = events[Symbol.asyncIterator]()
  }

  async read(): Promise<EncodedEvents | undefined> {
    const next = await this.#iterator.next()
    if (next.done) return undefined
    const event = fillEvent(next.value)
    return { bytes: encodedReply(() => encoder.encode(encodeEvent(event))), events: [event] }
  }

  pipe(sink: EventSink): void {
    pipeReads(this, sink)
  }

  leave(): void {
    this.#iterator.return?.().catch(() => {})
  }
}

/** Writes what a source reads to a sink, with a promise for each read. */
export function pipeReads(source: Pick<EventSource, 'read'>, sink: EventSink): void {
  source.read().then(
    (events) => {
      if (sink.write(events)) pipeReads(source, sink)
    },
    (error: unknown) => sink.fail(error),
  )
}
