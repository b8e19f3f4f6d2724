import { WireFault } from 'colloquy/engines'
import {
  APIConnectionError,
  type MessageStreamEvent,
  type PingEvent,
  type ServerEvent,
  encodeSse,
  receivedJson,
} from 'colloquy/protocol'
import type { RequestLog } from '../operate/request-log.ts'
import { errorAnswer } from './error-answer.ts'
import { fillEvent } from './fill-defaults.ts'

type Event = MessageStreamEvent | PingEvent

export interface EventStreamOptions {
  events: AsyncIterable<Event>
  log: RequestLog
  /** A ping is sent after this long without an event. */
  pingMs: number
  /** Called once, when the stream has ended or the client has left. */
  onEnd: (reason: 'done' | 'left') => void
}

const encoder = new TextEncoder()
const ping = encoder.encode(encodeSse({ type: 'ping' }))
const silence = Symbol('silence')

/** Encodes an engine's events as the body of a response. Reads the engine only as fast as the client reads the body. */
export class EventStream {
  readonly #iterator: AsyncIterator<Event>
  readonly #options: EventStreamOptions
  /** The event that the engine has been asked for and that is not sent yet. */
  #pending: Promise<IteratorResult<Event>> | undefined
  #isComplete = false
  #isOver = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#iterator = options.events[Symbol.asyncIterator]()
  }

  /**
   * Waits for the first event, so that an error before it becomes a response with a status. Waits `pingMs` at most: a client
   * that receives nothing gives up.
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
      // Read nothing ahead of the client.
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
      const event = fillEvent(next.value)
      this.#isComplete ||= event.type === 'message_stop'
      this.#options.log.sent(event)
      const bytes = encoder.encode(encode(event))
      this.#options.log.wrote(bytes.byteLength)
      controller.enqueue(bytes)
    } catch (error) {
      this.#fail(controller, error)
    }
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void {
    if (this.#isOver) return
    const { log } = this.#options
    log.failed(error)
    this.#end('done')
    if (error instanceof WireFault) {
      if (error.bytes) controller.enqueue(error.bytes)
      return error.end === 'reset' ? controller.error(error) : controller.close()
    }
    const { body } = errorAnswer(error, log.requestId)
    controller.enqueue(encoder.encode(encodeSse(body satisfies ServerEvent)))
    controller.close()
  }

  /** The event, or `silence` if it takes longer than `pingMs`. */
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
    this.#options.log.clientLeft()
    this.#end('left')
    // Not awaited: an engine may be busy, and learns from its signal, which `onEnd` aborts.
    this.#pending?.catch(() => {})
    this.#iterator.return?.().catch(() => {})
  }

  #end(reason: 'done' | 'left'): void {
    this.#isOver = true
    this.#options.onEnd(reason)
  }
}

/** An event with a block of an upstream is sent as it was received: encoding it again could change numbers and keys. */
function encode(event: Event): string {
  const json = receivedJson(event)
  return json === undefined || json.includes('\n') ? encodeSse(event) : `event: ${event.type}\ndata: ${json}\n\n`
}

function unfinished(): Error {
  return new APIConnectionError({ message: 'The reply ended before it was complete.' })
}
