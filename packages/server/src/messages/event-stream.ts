import { WireFault } from 'colloquy/engines'
import {
  APIConnectionError,
  type MessageStreamEvent,
  type PingEvent,
  type ServerEvent,
  encodeSse,
  errorResponse,
} from 'colloquy/protocol'
import { completeEvent } from './complete.ts'
import type { Exchange } from '../operate/exchange.ts'

type Event = MessageStreamEvent | PingEvent

export interface EventStreamOptions {
  events: AsyncIterable<Event>
  exchange: Exchange
  /** A ping is sent after so long a silence. */
  pingMs: number
  /** Called once, when the stream is over or the reader has left. */
  onEnd: (reason: 'done' | 'left') => void
}

const encoder = new TextEncoder()
const ping = encoder.encode(encodeSse({ type: 'ping' }))
const silence = Symbol('silence')

/** An engine's events as the bytes of an answer. Reads the engine only as fast as the bytes are taken. */
export class EventStream {
  readonly #iterator: AsyncIterator<Event>
  readonly #options: EventStreamOptions
  /** Asked for and not yet sent. */
  #pending: Promise<IteratorResult<Event>> | undefined
  #isComplete = false
  #isOver = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#iterator = options.events[Symbol.asyncIterator]()
  }

  /**
   * Waits for the first event, so that a failure before it is an answer with a status. After a silence of `pingMs` it
   * waits no longer: a client that hears nothing gives up.
   */
  async start(): Promise<void> {
    this.#pending = this.#iterator.next()
    try {
      const first = await this.#within(this.#pending)
      if (first !== silence && first.done) throw unfinished()
    } catch (error) {
      this.#end('done')
      throw error
    }
  }

  body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#leave() },
      // Nothing is read ahead of the client.
      { highWaterMark: 0 },
    )
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      this.#pending ??= this.#iterator.next()
      const next = await this.#within(this.#pending)
      if (this.#isOver) return
      if (next === silence) return controller.enqueue(ping)
      this.#pending = undefined
      if (next.done) {
        if (!this.#isComplete) throw unfinished()
        this.#end('done')
        return controller.close()
      }
      const event = completeEvent(next.value)
      this.#isComplete ||= event.type === 'message_stop'
      this.#options.exchange.note(event)
      controller.enqueue(encoder.encode(encodeSse(event)))
    } catch (error) {
      this.#fail(controller, error)
    }
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void {
    if (this.#isOver) return
    const { exchange } = this.#options
    exchange.entry.error = error
    this.#end('done')
    if (error instanceof WireFault) {
      if (error.bytes) controller.enqueue(error.bytes)
      return error.end === 'reset' ? controller.error(error) : controller.close()
    }
    const { body } = errorResponse(error, exchange.requestId)
    controller.enqueue(encoder.encode(encodeSse(body satisfies ServerEvent)))
    controller.close()
  }

  /** The event, or `silence` when it takes longer than `pingMs`. */
  async #within<T>(event: Promise<T>): Promise<T | typeof silence> {
    const { promise, resolve } = Promise.withResolvers<typeof silence>()
    const timer = setTimeout(resolve, this.#options.pingMs, silence)
    try {
      return await Promise.race([event, promise])
    } finally {
      clearTimeout(timer)
    }
  }

  #leave(): void {
    if (this.#isOver) return
    this.#options.exchange.entry.aborted = true
    this.#end('left')
    // Not awaited: an engine in the middle of something is told by its signal, which `onEnd` aborts.
    this.#pending?.catch(() => {})
    this.#iterator.return?.().catch(() => {})
  }

  #end(reason: 'done' | 'left'): void {
    this.#isOver = true
    this.#options.onEnd(reason)
  }
}

function unfinished(): Error {
  return new APIConnectionError({ message: 'The reply ended before it was complete.' })
}
