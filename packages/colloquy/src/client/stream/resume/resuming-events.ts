import { APIError, APIUserAbortError } from '../../../protocol/types/error.ts'
import type { Message } from '../../../protocol/types/message.ts'
import type { MessageStreamParams } from '../../../protocol/types/params.ts'
import type { RecoverOptions } from '../../request/options.ts'
import { APIStreamError, isRetryable } from '../../request/errors.ts'
import type { Cancellable } from '../../request/cancellation.ts'
import { pipe } from '../../transport/pipe.ts'
import type { Sink } from '../../transport/sink.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import type { MessageEvents, StreamedEvent, TakeEvent } from '../events/message-events.ts'
import { planResume } from './resume-plan.ts'
import { HandedOutMessage, Splice } from './splice.ts'
import { UnheldEvents } from './unheld-events.ts'

/** Options of `ResumingEvents`. */
export interface ResumingOptions extends RecoverOptions {
  /**
   * Whether the blocks of the first response that are not text are held back until they are complete. Default true. If
   * false, they are handed out as they arrive, and a stream that breaks off inside such a block is not resumed.
   */
  holdsBlocks?: boolean
  /** Whether what has arrived of the first response is kept. A message that is not cannot be resumed. Default: always. */
  keeps?: () => boolean
}

/** Sends a request that resumes the reply, after the wait that a retry would take. */
export type SendResume = (params: MessageStreamParams, failure: Error) => PromiseLike<MessageEvents> & Cancellable

/**
 * The events of one message, read from one or more responses: when a stream breaks off after its first event, the next
 * response continues where it stopped, and the reader sees a single message.
 *
 * Text is handed out as it arrives. Every other block is held back until it is complete. A tool input or a thinking block
 * cannot be continued: if it is cut, the next response writes a new one, and the reader must not have seen the first. The
 * cost is that tool inputs and thinking arrive in one piece.
 *
 * The usage is the sum of all responses. A response that was cut counts with the usage that it had reported.
 */
export class ResumingEvents implements MessageEvents {
  readonly #params: MessageStreamParams
  readonly #options: ResumingOptions
  readonly #send: SendResume
  readonly #handedOut = new HandedOutMessage()
  #source: MessageEvents
  #splice: Splice | UnheldEvents
  /** The response that is read, or the request for the next one. */
  #current: Cancellable
  #attempts = 0
  #phase: 'open' | 'done' | 'failed' = 'open'
  /** Set when the phase becomes `failed`. */
  #failure: Error | undefined

  constructor(source: MessageEvents, params: MessageStreamParams, options: ResumingOptions, send: SendResume) {
    this.#source = source
    this.#splice = options.holdsBlocks === false ? new UnheldEvents(this.#handedOut) : new Splice(this.#handedOut)
    this.#current = source
    this.#params = params
    this.#options = options
    this.#send = send
  }

  get response(): TransportResponse | undefined {
    return this.#source.response
  }

  get message(): Message | undefined {
    return this.#handedOut.message
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  get isOver(): boolean {
    return this.#phase === 'done'
  }

  cancel(error: Error): void {
    if (this.#phase === 'done') return
    this.#fail(error)
    this.#current.cancel(error)
  }

  read(): Promise<readonly StreamedEvent[] | undefined> {
    return new Promise((resolve, reject) => {
      // Not `readOne()`: a page would load it before its first stream.
      const write = (events: readonly StreamedEvent[] | undefined): boolean => {
        resolve(events)
        return false
      }
      this.pipe({ write, fail: reject })
    })
  }

  pipe(sink: Sink<readonly StreamedEvent[]>): void {
    if (this.#failure) return sink.fail(this.#failure)
    if (this.#phase === 'done') return void sink.write(undefined)
    pipe(this.#source, {
      write: (events) => (events ? this.#handOut(this.#spliced(events), sink) : sink.write(undefined)),
      fail: (error) =>
        void this.#resume(error).then(
          (events) => this.#handOut(events, sink) && this.pipe(sink),
          (failure: Error) => sink.fail(failure),
        ),
    })
  }

  async forEach(take: TakeEvent): Promise<void> {
    while (this.#phase === 'open') {
      const events = await this.#source.read().then(
        (events) => this.#spliced(events ?? []),
        (error: Error) => this.#resume(error),
      )
      for (const event of events) {
        if (this.#failure) break
        this.#record(event)
        if (take(event)) await Promise.resolve()
      }
    }
    if (this.#failure) throw this.#failure
  }

  /** Writes events to the sink. Returns whether it wants more. */
  #handOut(events: Iterable<StreamedEvent>, sink: Sink<readonly StreamedEvent[]>): boolean {
    const handedOut: StreamedEvent[] = []
    if (this.#options.keeps?.() === false && this.#splice instanceof UnheldEvents) this.#handedOut.forget()
    try {
      for (const event of events) {
        this.#record(event)
        handedOut.push(event)
      }
    } catch (error) {
      this.cancel(error as Error)
      sink.fail(error as Error)
      return false
    }
    return handedOut.length === 0 || sink.write(handedOut)
  }

  /** The events to hand out for those of a response. Each must be recorded before the next one is made. */
  *#spliced(events: readonly StreamedEvent[]): Generator<StreamedEvent> {
    for (const event of events) yield* this.#splice.take(event)
  }

  #record(event: StreamedEvent): void {
    if (event.type === 'message_stop') this.#phase = 'done'
    this.#handedOut.push(event)
  }

  /**
   * Continues after an error with another request, or with the end of a message whose content is complete. Returns the events of
   * that end.
   */
  async #resume(error: Error): Promise<readonly StreamedEvent[]> {
    // The connection failed after the last event.
    if (this.#phase === 'done') return []
    const { message } = this
    const mayResume = isRetryable(error) && !this.#splice.isInsideBlock
    const plan = message && mayResume ? planResume(this.#params, message, this.#options) : undefined
    if (this.#failure || !plan) throw this.#fail(this.#withPartial(error))
    if (plan.type === 'finish') return this.#finish(plan.stopReason)
    if (this.#attempts++ >= this.#options.attempts) throw this.#fail(this.#withPartial(error))
    const sent = this.#send(plan.params, error)
    this.#current = sent
    try {
      this.#source = await sent
    } catch (cause) {
      throw this.#fail(this.#withPartial(cause as Error))
    }
    this.#current = this.#source
    const { joiner, dropsThinking } = plan
    this.#splice = new Splice(this.#handedOut, { joiner, dropsThinking, usage: this.#splice.usage })
    return []
  }

  /** Records the first failure and returns it. */
  #fail(error: Error): Error {
    this.#phase = 'failed'
    return (this.#failure ??= error)
  }

  /** The error with all that was handed out, instead of what the last response brought. */
  #withPartial(error: Error): Error {
    if (!(error instanceof APIError) || error instanceof APIUserAbortError || !this.message) return error
    const { message, error: body, headers } = error
    const partial = { ...this.message, usage: this.#splice.usage! }
    return new APIStreamError({ message, error: body, headers, partial, cause: error })
  }

  /** The events that a message still lacks when all of its content has arrived. */
  #finish(stopReason: string | undefined): StreamedEvent[] {
    const closing = this.#handedOut.closeText()
    if (stopReason === undefined) return [...closing, { type: 'message_stop' }]
    const delta = { stop_reason: stopReason, stop_sequence: null }
    return [...closing, { type: 'message_delta', delta, usage: this.#splice.usage! }, { type: 'message_stop' }]
  }
}
