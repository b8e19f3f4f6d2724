import { APIUserAbortError } from '../../../protocol/types/error.ts'
import { errorFrom } from '../../../protocol/types/error-response.ts'
import { pinShapes } from '../../../protocol/codec/pin-compiled-code.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { APIStreamError } from '../../request/errors.ts'
import { drain } from '../../transport/drain.ts'
import { pipe } from '../../transport/pipe.ts'
import type { Sink } from '../../transport/sink.ts'
import { withIds } from '../../request/response.ts'
import type { RetryingRequest } from '../../request/retrying-request.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import { IdleWatch } from '../idle-watch.ts'
import { findStream, isLabeledStream } from './mislabeled-stream.ts'
import { type DecoderOptions, MessageDecoder, type StreamEnding } from './message-decoder.ts'
import type { MessageEvents, StreamedEvent, TakeEvent } from './message-events.ts'
import { sampleReply } from './sample-reply.ts'

/** Waits for the first event of a streamed response. If it breaks off before that, the request is sent again. */
export async function openEvents(
  given: TransportResponse,
  request: RetryingRequest,
  options: DecoderOptions,
): Promise<MessageEvents> {
  const response = isLabeledStream(given) ? given : await findStream(given, request)
  const events = new ResponseEvents(response, request, options)
  request.setCancelTarget(events)
  pinShapes(sampleEvents)
  await events.open()
  return events
}

/** Reads the complete message of a streamed response. The request is sent again after any break, as the caller saw nothing. */
export async function collectMessage(given: TransportResponse, request: RetryingRequest): Promise<Message> {
  const response = isLabeledStream(given) ? given : await findStream(given, request)
  const events = new ResponseEvents(response, request)
  request.setCancelTarget(events)
  pinShapes(sampleEvents)
  return collect(events)
}

/** Reads the complete message of events. */
export async function collect(events: MessageEvents): Promise<Message> {
  await events.forEach(ignore)
  return withIds(events.message!, events.response!)
}

function ignore(): void {}

type Batch = readonly StreamedEvent[]

/** A reader of the events, until it has what it wants. Its methods never throw. */
interface Reader {
  /** Takes events that have arrived. Returns whether it wants more: now, later in a microtask, or never. */
  take(events: EventSupply): 'more' | 'later' | 'enough'
  end(): void
  fail(error: Error): void
}

/** The events that have arrived. */
interface EventSupply {
  readonly arrivedCount: number
  next(): StreamedEvent | undefined
  takeAll(): Batch
}

/** Waits for the first event of the message, and leaves it for the next reader. */
function firstEvent(resolve: () => void, reject: (error: Error) => void): Reader {
  const take: Reader['take'] = ({ arrivedCount }) => {
    if (arrivedCount === 0) return 'more'
    resolve()
    return 'enough'
  }
  return { take, end: resolve, fail: reject }
}

/** Writes the events that arrive together to a sink. */
class BatchReader implements Reader {
  readonly #sink: Sink<Batch>

  constructor(sink: Sink<Batch>) {
    this.#sink = sink
  }

  take(events: EventSupply): 'more' | 'enough' {
    const batch = events.takeAll()
    return batch.length === 0 || this.#sink.write(batch) ? 'more' : 'enough'
  }

  end(): void {
    this.#sink.write(undefined)
  }

  fail(error: Error): void {
    this.#sink.fail(error)
  }
}

/** Calls back with each event to the end. */
function eachEvent(callback: TakeEvent, resolve: () => void, reject: (error: unknown) => void): Reader {
  const take: Reader['take'] = (events) => {
    try {
      for (let event = events.next(); event; event = events.next()) if (callback(event)) return 'later'
      return 'more'
    } catch (error) {
      reject(error)
      return 'enough'
    }
  }
  return { take, end: resolve, fail: reject }
}

/** A sample, as a real stream would keep its response and its message alive. */
function sampleEvents(): unknown {
  return ResponseEvents.sample()
}

/** The events of one response. */
class ResponseEvents implements MessageEvents, Sink<Uint8Array>, EventSupply {
  readonly response: TransportResponse
  /** Set when the phase becomes `failed`. */
  failure: Error | undefined
  /**
   * `peeking`: no event has been handed out, so the response of another attempt may still replace this one. `arrived`:
   * the last event has arrived but may not have been read, so an abort still has an effect.
   */
  #phase: 'peeking' | 'open' | 'arrived' | 'done' | 'failed' = 'peeking'
  readonly #request: RetryingRequest
  readonly #decoder: MessageDecoder
  readonly #watch: IdleWatch
  #reader: Reader | undefined
  #hasEnded = false

  constructor(response: TransportResponse, request: RetryingRequest, options?: DecoderOptions) {
    this.#request = request
    this.response = response
    this.#decoder = new MessageDecoder(options)
    this.#watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => this.#fail(error))
  }

  /** Decoded events of each kind, and their source without a response. */
  static sample(): unknown {
    const events = new ResponseEvents({} as TransportResponse, { policy: {} } as RetryingRequest)
    events.#decoder.push(sampleReply())
    const sink: Sink<Batch> = { write: () => false, fail: ignore }
    return [events, events.takeAll(), new BatchReader(sink), eachEvent(ignore, ignore, ignore)]
  }

  get message(): Message | undefined {
    return this.#decoder.message
  }

  get isOver(): boolean {
    return this.#phase === 'arrived' || this.#phase === 'done'
  }

  get arrivedCount(): number {
    return this.#decoder.arrivedCount
  }

  /** Waits for the first event of the message. Throws if the response failed so early that another attempt may follow. */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#feed(firstEvent(resolve, reject)))
    // An error that arrived with the first event, and not with more: how many events arrive together depends on the network.
    if (this.arrivedCount === 1 && this.#decoder.error) this.#stopAt(this.#decoder.error)
    if (this.failure && this.#request.mayRetry(this.failure)) throw this.failure
    if (this.#phase === 'failed') return this.#request.finish()
    if (this.#phase === 'peeking') this.#phase = 'open'
    this.#request.dropRequest()
  }

  read(): Promise<Batch | undefined> {
    return new Promise((resolve, reject) => {
      // Not `readOne()`: a page would load it before its first stream.
      const write = (events: Batch | undefined): boolean => {
        resolve(events)
        return false
      }
      this.pipe({ write, fail: reject })
    })
  }

  pipe(sink: Sink<Batch>): void {
    this.#feed(new BatchReader(sink))
  }

  forEach(callback: TakeEvent): Promise<void> {
    return new Promise((resolve, reject) => this.#feed(eachEvent(callback, resolve, reject)))
  }

  cancel(error: Error): void {
    this.#fail(error)
    this.#decoder.discard()
  }

  next(): StreamedEvent | undefined {
    const event = this.#decoder.next()
    // A reader of the last event finds the stream complete.
    if (this.#decoder.ending) this.#checkEnd()
    return event
  }

  takeAll(): Batch {
    return this.#decoder.takeAll()
  }

  /** Takes a chunk of the response; undefined is its end. Returns whether another is wanted. */
  write(chunk: Uint8Array | undefined): boolean {
    this.#hasEnded = chunk === undefined
    this.#decoder.push(chunk)
    return this.#serve(this.#takeReader())
  }

  /** Ends the events because the response broke off. */
  fail(error: Error): void {
    this.#fail(error)
    this.#takeReader().fail(this.failure!)
  }

  #feed(reader: Reader): void {
    if (this.#serve(reader)) pipe(this.response, this)
  }

  /** Hands out what has arrived. Keeps a reader that wants more and can get it. Returns whether it was kept. */
  #serve(reader: Reader): boolean {
    const wanted = reader.take(this)
    this.#checkEnd()
    if (wanted === 'enough') this.#watch.stopWaiting()
    else if (wanted === 'later') queueMicrotask(() => this.#feed(reader))
    else if (this.#phase === 'failed') reader.fail(this.failure!)
    else if (this.isOver) {
      this.#phase = 'done'
      this.#request.finish()
      reader.end()
    } else {
      this.#reader = reader
      this.#watch.startWaiting()
      return true
    }
    return false
  }

  /** Clears the reference, so that a stream abandoned between two reads can be garbage-collected and its connection closed. */
  #takeReader(): Reader {
    const reader = this.#reader!
    this.#reader = undefined
    return reader
  }

  #checkEnd(): void {
    const { ending } = this.#decoder
    if (ending) this.#stopAt(ending)
    else if (this.#hasEnded) {
      const kind = this.response.header('content-type') ?? 'no content-type'
      const { beginning } = this.#decoder
      const found = beginning && this.arrivedCount === 0 ? `: found ${JSON.stringify(beginning)}` : ''
      this.#fail(new Error(`it ended without message_stop (${kind})${found}`))
    }
  }

  #stopAt(ending: StreamEnding): void {
    if (ending.type === 'complete') this.#finish()
    else if (ending.type === 'error') this.#stop(this.#errorOf(ending.event))
    else this.#fail(ending.cause)
  }

  #finish(): void {
    if (this.isOver || this.#phase === 'failed') return
    this.#phase = 'arrived'
    this.#watch.stop()
    void drain(this.response)
  }

  /** The API's own error, sent inside the stream. */
  #errorOf(body: object): Error {
    const headers = this.response.headers()
    return this.arrivedCount === 0
      ? errorFrom({ status: undefined, headers, body })
      : new APIStreamError({ error: body, headers, partial: this.#arrivedMessage() })
  }

  #fail(cause: Error): void {
    if (cause instanceof APIUserAbortError) return this.#stop(cause)
    if (this.isOver || this.#phase === 'failed') return
    const events = this.arrivedCount === 1 ? 'event' : 'events'
    const message = `Stream broke off after ${this.arrivedCount} ${events}: ${cause.message}`
    this.#stop(
      new APIStreamError({ message, cause, headers: this.response.headers(), partial: this.#arrivedMessage() }),
    )
  }

  /** The message with all that has arrived, taken or not. */
  #arrivedMessage(): Message | undefined {
    this.#decoder.addAll()
    return this.message
  }

  #stop(failure: Error): void {
    if (this.#phase === 'done' || this.#phase === 'failed') return
    // While peeking, the request decides whether another attempt follows.
    if (this.#phase !== 'peeking') this.#request.finish()
    this.#phase = 'failed'
    this.failure = failure
    this.#watch.stop()
    this.response.cancel(failure)
  }
}
