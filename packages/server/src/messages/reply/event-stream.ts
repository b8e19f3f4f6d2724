import { WireFault } from 'colloquy/engines'
import { APIConnectionError, type EncodedEvents, type ServerEvent, encodeSse } from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import { errorAnswer } from '../error-answer.ts'
import type { AnswerStream } from '../exchange.ts'
import type { EventSource } from './event-source.ts'
import { SilenceTimer } from './silence-timer.ts'

export interface EventStreamOptions {
  log: RequestLog
  /** A ping is sent after this long without an event. */
  pingMs: number
  /** Called once, when the stream has ended or the client has left. */
  onEnd: (reason: 'done' | 'left') => void
}

const encoder = new TextEncoder()
const ping = encoder.encode(encodeSse({ type: 'ping' }))
const silence = Symbol('silence')

/** The events of a reply as the body of a response. Reads them only as fast as the client takes the body. */
export class EventStream implements AnswerStream {
  readonly #source: EventSource
  readonly #options: EventStreamOptions
  readonly #timer: SilenceTimer
  /** The events that the source has been asked for and that are not sent yet. */
  #pending: Promise<EncodedEvents | undefined> | undefined
  #onSilence: ((value: typeof silence) => void) | undefined
  #isComplete = false
  #isOver = false
  /** Set by a fault that breaks the connection after its bytes. */
  #fault: WireFault | undefined

  constructor(source: EventSource, options: EventStreamOptions) {
    this.#source = source
    this.#options = options
    this.#timer = new SilenceTimer(options.pingMs, () => this.#onSilence?.(silence))
  }

  /**
   * Waits for the first event, so that an error before it becomes a response with a status. Waits `pingMs` at most: a client
   * that receives nothing gives up.
   */
  async start(): Promise<void> {
    this.#pending = this.#source.read()
    try {
      if ((await this.#within(this.#pending)) === undefined) throw unfinished()
    } catch (error) {
      this.#end('done')
      throw error
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#fault) throw this.#fault
    if (this.#isOver) return undefined
    try {
      const next = await this.#within((this.#pending ??= this.#source.read()))
      if (this.#isOver) return undefined
      if (next === silence) return this.#written(ping)
      this.#pending = undefined
      if (next) return this.#take(next)
      if (!this.#isComplete) throw unfinished()
      this.#end('done')
      return undefined
    } catch (error) {
      return this.#fail(error)
    }
  }

  leave(): void {
    if (this.#isOver) return
    this.#options.log.clientLeft()
    this.#end('left')
    this.#onSilence?.(silence)
    // Not awaited: an engine may be busy, and learns from its signal, which `onEnd` aborts.
    this.#pending?.catch(() => {})
    this.#source.leave()
  }

  #take({ bytes, events }: EncodedEvents): Uint8Array {
    const { log } = this.#options
    for (const event of events) {
      log.sent(event)
      if (event.type === 'message_stop') this.#isComplete = true
    }
    return this.#written(bytes)
  }

  #written(bytes: Uint8Array): Uint8Array {
    this.#options.log.wrote(bytes.length)
    return bytes
  }

  #fail(error: unknown): Uint8Array | undefined {
    if (this.#isOver) return undefined
    const { log } = this.#options
    log.failed(error)
    const bytes = lastBytes(error, log.responseId)
    if (bytes) this.#written(bytes)
    this.#end('done')
    if (error instanceof WireFault && error.end === 'reset') this.#fault = error
    if (bytes) return bytes
    if (this.#fault) throw error
    return undefined
  }

  /** The result, or `silence` if it takes longer than `pingMs`. */
  #within<T>(result: Promise<T>): Promise<T | typeof silence> {
    this.#timer.restart()
    return new Promise((resolve, reject) => {
      this.#onSilence = resolve
      result.then(resolve, reject)
    })
  }

  #end(reason: 'done' | 'left'): void {
    this.#isOver = true
    this.#timer.stop()
    this.#options.onEnd(reason)
  }
}

/** The bytes at the end of a stream that failed: an error event, or those of a scripted fault. */
function lastBytes(error: unknown, requestId: string): Uint8Array | undefined {
  if (error instanceof WireFault) return error.bytes
  const { body } = errorAnswer(error, requestId)
  return encoder.encode(encodeSse(body satisfies ServerEvent))
}

function unfinished(): Error {
  return new APIConnectionError({ message: 'The reply ended before it was complete.' })
}
