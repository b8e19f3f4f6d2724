import { APIUserAbortError, errorFrom } from '../../../protocol/types/error.ts'
import { pinCompiledCode } from '../../../protocol/codec/pin-compiled-code.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { APIStreamError } from '../../request/errors.ts'
import { drain, pipe } from '../../transport/pipe.ts'
import { readOne, type Sink } from '../../transport/sink.ts'
import { withIds } from '../../request/response.ts'
import type { RetryingRequest } from '../../request/retrying-request.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import { IdleWatch } from '../idle-watch.ts'
import { isJson, refuseJson } from './json-response.ts'
import { MessageDecoder } from './message-decoder.ts'
import type { MessageEvents, StreamedEvent } from './message-events.ts'

/** Waits for the first event of a streamed response. If it breaks off before that, the request is sent again. */
export async function openEvents(
  response: TransportResponse,
  request: RetryingRequest,
  options: { pings: boolean },
): Promise<MessageEvents> {
  if (isJson(response)) await refuseJson(response, request)
  const events = new ResponseEvents(response, request, options)
  request.setCancelTarget(events)
  await events.open()
  return events
}

/** Reads the complete message of a streamed response. The request is sent again after any break, as the caller saw nothing. */
export async function collectMessage(response: TransportResponse, request: RetryingRequest): Promise<Message> {
  if (isJson(response)) await refuseJson(response, request)
  const events = new ResponseEvents(response, request)
  request.setCancelTarget(events)
  await events.forEach(ignore)
  return events.message!
}

/** Reads the complete message of events. */
export async function collect(events: MessageEvents): Promise<Message> {
  await events.forEach(ignore)
  return withIds(events.message!, events.response!)
}

function ignore(): void {}

type Batch = readonly StreamedEvent[]

/** The events of one response. */
class ResponseEvents implements MessageEvents, Sink<Uint8Array> {
  readonly response: TransportResponse
  /** Set when the phase becomes `failed`. */
  failure: Error | undefined
  /** While `peeking`, no event has been handed out, so that the response of another attempt may replace this one. */
  #phase: 'peeking' | 'open' | 'done' | 'failed' = 'peeking'
  readonly #request: RetryingRequest
  readonly #decoder: MessageDecoder
  readonly #watch: IdleWatch
  #peeked: Batch | undefined
  #sink: Sink<Batch> | undefined

  constructor(response: TransportResponse, request: RetryingRequest, options?: { pings: boolean }) {
    this.#request = request
    this.response = response
    pinCompiledCode(MessageDecoder)
    this.#decoder = new MessageDecoder(options)
    this.#watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => this.#fail(error))
  }

  get message(): Message | undefined {
    return this.#decoder.message
  }

  /** Waits for the first event of the message. Throws if the response failed so early that another attempt may follow. */
  async open(): Promise<void> {
    do this.#peeked = await this.read()
    while (this.#decoder.eventCount === 0)
    if (this.failure && this.#request.mayRetry(this.failure)) throw this.failure
    if (this.#phase === 'peeking') {
      this.#phase = 'open'
      this.#request.dropRequest()
    } else this.#request.finish()
  }

  read(): Promise<Batch | undefined> {
    return new Promise((resolve, reject) => this.#feed(readOne(resolve, reject)))
  }

  forEach(take: (events: Batch) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const write = (events: Batch | undefined): boolean => {
        try {
          if (events) take(events)
          else resolve()
          return events !== undefined
        } catch (error) {
          reject(error)
          return false
        }
      }
      this.#feed({ write, fail: reject })
    })
  }

  cancel(error: Error): void {
    this.#peeked = undefined
    this.#fail(error)
  }

  /** Takes a chunk of the response; undefined is its end. Returns whether another is wanted. */
  write(chunk: Uint8Array | undefined): boolean {
    this.#watch.stopWaiting()
    const events = this.#decoder.push(chunk)
    this.#checkEnd(chunk)
    const sink = this.#takeSink()
    // Events that arrived before a failure are handed out first.
    if (events.length > 0 && !sink.write(events)) return false
    return this.#serve(sink)
  }

  /** Ends the events because the response broke off. */
  fail(error: Error): void {
    this.#fail(error)
    this.#takeSink().fail(this.failure!)
  }

  #feed(sink: Sink<Batch>): void {
    const peeked = this.#peeked
    this.#peeked = undefined
    if (!peeked) {
      if (this.#serve(sink)) pipe(this.response, this)
    } else if (sink.write(peeked)) queueMicrotask(() => this.#feed(sink))
  }

  /** Keeps the sink if more can come, else tells it why not. Returns whether it was kept. */
  #serve(sink: Sink<Batch>): boolean {
    if (this.#phase === 'failed') sink.fail(this.failure!)
    else if (this.#phase === 'done') sink.write(undefined)
    else {
      this.#sink = sink
      this.#watch.startWaiting()
      return true
    }
    return false
  }

  /** Clears the reference, so that a stream abandoned between two reads can be garbage-collected and its connection closed. */
  #takeSink(): Sink<Batch> {
    const sink = this.#sink!
    this.#sink = undefined
    return sink
  }

  #checkEnd(chunk: Uint8Array | undefined): void {
    const { ending } = this.#decoder
    if (ending?.type === 'complete') this.#finish()
    else if (ending?.type === 'error') this.#stop(this.#errorOf(ending.event))
    else if (ending) this.#fail(ending.cause)
    else if (!chunk) {
      const kind = this.response.header('content-type') ?? 'no content-type'
      this.#fail(new Error(`it ended without message_stop (${kind})`))
    }
  }

  #finish(): void {
    if (this.#phase === 'failed') return
    this.#phase = 'done'
    this.#watch.stop()
    this.#request.finish()
    void drain(this.response)
  }

  /** The API's own error, sent inside the stream. */
  #errorOf(body: object): Error {
    const headers = this.response.headers()
    return this.#decoder.eventCount === 0
      ? errorFrom({ status: undefined, headers, body })
      : new APIStreamError({ error: body, headers, partial: this.message })
  }

  #fail(cause: Error): void {
    if (cause instanceof APIUserAbortError) return this.#stop(cause)
    const message = `Stream broke off after ${this.#decoder.eventCount} events: ${cause.message}`
    this.#stop(new APIStreamError({ message, cause, headers: this.response.headers(), partial: this.message }))
  }

  #stop(failure: Error): void {
    if (this.#phase === 'done' || this.#phase === 'failed') return
    // While peeking, the request decides whether another attempt follows.
    if (this.#phase === 'open') this.#request.finish()
    this.#phase = 'failed'
    this.failure = failure
    this.#watch.stop()
    this.response.cancel(failure)
  }
}
