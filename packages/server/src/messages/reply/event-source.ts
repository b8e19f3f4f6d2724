import { type MessageStreamEvent, type PingEvent, encodeSse, receivedJson } from 'colloquy/protocol'
import { fillEvent } from './fill-defaults.ts'

type Event = MessageStreamEvent | PingEvent

/** Events as they are sent. */
export interface EncodedEvents {
  bytes: Uint8Array
  events: readonly Event[]
}

/** The events of a reply. */
export interface EventSource {
  /** The next events; undefined at the end. */
  read(): Promise<EncodedEvents | undefined>
  /** Ends the reply because its reader left. */
  leave(): void
}

const encoder = new TextEncoder()

/** The events of an engine. */
export class EngineEvents implements EventSource {
  readonly #iterator: AsyncIterator<Event>

  constructor(events: AsyncIterable<Event>) {
    this.#iterator = events[Symbol.asyncIterator]()
  }

  async read(): Promise<EncodedEvents | undefined> {
    const next = await this.#iterator.next()
    if (next.done) return undefined
    const event = fillEvent(next.value)
    return { bytes: encoder.encode(encode(event)), events: [event] }
  }

  leave(): void {
    this.#iterator.return?.().catch(() => {})
  }
}

/** An event with a block of an upstream is sent as it was received: encoding it again could change numbers and keys. */
function encode(event: Event): string {
  const json = receivedJson(event)
  return json === undefined || json.includes('\n') ? encodeSse(event) : `event: ${event.type}\ndata: ${json}\n\n`
}
