import { WireFault } from 'colloquy/engines'
import { APIConnectionError, type EncodedEvents, type EventSink, type ServerEvent, encodeSse } from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import { errorAnswer } from '../error-answer.ts'
import type { AnswerStream, PieceSink } from '../exchange.ts'
import type { EventSource } from './event-source.ts'
import { SilenceTimer } from './silence-timer.ts'
import type { Slot } from './slot.ts'

/** The reply that a stream sends. */
export interface StreamedReply {
  log: RequestLog
  /** Aborted when the client leaves. */
  controller: AbortController
  /** Released when the stream has ended or the client has left. */
  slot: Slot
}

const encoder = new TextEncoder()
const ping = encoder.encode(encodeSse({ type: 'ping' }))

/** The events of a reply as the body of a response. Reads them only as fast as the client takes the body. */
export class EventStream implements AnswerStream, EventSink {
  readonly #source: EventSource
  readonly #reply: StreamedReply
  readonly #timer: SilenceTimer
  /** The first events, until they are sent. */
  #first: Promise<EncodedEvents | undefined> | undefined
  /** Replaces the ping after a silence before the first event. */
  #onSilence: (() => void) | undefined
  #sink: PieceSink | undefined
  /** Set while the client is behind. */
  #draining: Promise<void> | undefined
  #isComplete = false
  #isOver = false

  /** @param pingMs a ping is sent after this long without an event. */
  constructor(source: EventSource, reply: StreamedReply, pingMs: number) {
    this.#source = source
    this.#reply = reply
    this.#timer = new SilenceTimer(pingMs, () => this.#silent())
  }

  /**
   * Waits for the first event, so that an error before it becomes a response with a status. Waits for one ping's time at most: a
   * client that receives nothing gives up.
   */
  async start(): Promise<void> {
    const first = (this.#first = this.#source.read())
    this.#timer.restart()
    const silence = new Promise<'silence'>((resolve) => (this.#onSilence = () => resolve('silence')))
    try {
      if ((await Promise.race([first, silence])) === undefined) throw unfinished()
    } catch (error) {
      this.#end()
      throw error
    }
    this.#onSilence = undefined
  }

  pipe(sink: PieceSink): void {
    this.#sink = sink
    if (this.#isOver) return sink.end()
    const first = this.#first!
    this.#first = undefined
    this.#timer.restart()
    first.then(
      (events) => this.write(events) && this.#source.pipe(this),
      (error: unknown) => this.fail(error),
    )
  }

  leave(error?: Error): void {
    if (this.#isOver) return
    if (error) this.fail(error)
    else {
      this.#reply.log.clientLeft()
      this.#end()
    }
    this.#reply.controller.abort(error)
    // Not awaited: an engine may be busy, and learns from its signal, which is aborted.
    this.#first?.catch(() => {})
    this.#source.leave()
  }

  /** Sends events on. Returns whether the client takes more now: otherwise they are asked for when it does. */
  write(arrived: EncodedEvents | undefined): boolean {
    if (this.#isOver) return false
    if (!arrived) {
      if (this.#isComplete) this.#finish()
      else this.fail(unfinished())
      return false
    }
    for (const event of arrived.events) {
      this.#reply.log.sent(event)
      if (event.type === 'message_stop') this.#isComplete = true
    }
    this.#write(arrived.bytes)
    this.#timer.restart()
    void this.#draining?.then(() => !this.#isOver && this.#source.pipe(this))
    return !this.#draining
  }

  #finish(): void {
    this.#end()
    this.#sink?.end()
  }

  /** Ends the stream with an error. */
  fail(error: unknown): void {
    if (this.#isOver) return
    const { log } = this.#reply
    log.failed(error)
    const bytes = lastBytes(error, log.responseId)
    if (bytes) this.#write(bytes)
    this.#end()
    const isBreak = error instanceof WireFault && error.end === 'reset'
    this.#whenDrained(() => (isBreak ? this.#sink?.fail(error) : this.#sink?.end()))
  }

  #silent(): void {
    if (this.#onSilence) return this.#onSilence()
    // A client that is behind gets none, and no timer: it may never read again.
    if (!this.#sink || this.#draining) return
    this.#write(ping)
    this.#timer.restart()
  }

  #write(bytes: Uint8Array): void {
    this.#reply.log.wrote(bytes.length)
    this.#draining = this.#sink?.write(bytes)?.then(() => {
      this.#draining = undefined
      if (!this.#isOver) this.#timer.restart()
    })
  }

  #whenDrained(work: () => void): void {
    if (this.#draining) void this.#draining.then(work)
    else work()
  }

  #end(): void {
    this.#isOver = true
    this.#timer.stop()
    const { slot, log } = this.#reply
    slot.release()
    log.streamEnded()
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
