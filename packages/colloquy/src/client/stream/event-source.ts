import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { APIUserAbortError, errorFrom } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import { APIStreamError } from '../request/errors.ts'
import { type StreamedEvent, openEventReader } from './event-reader.ts'
import { IdleWatch } from './idle-watch.ts'
import { forEach, readOne, type Sink } from '../transport/sink.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { RetryingRequest } from '../request/retrying-request.ts'
import type { TransportResponse } from '../transport/transport.ts'

export type { StreamedEvent } from './event-reader.ts'

/** Where the events of one message come from, a chunk at a time: a promise for each event would cost more than its JSON. */
export interface EventSource extends Cancellable {
  /** The answer that carries the events; undefined where they came another way. */
  readonly reply: TransportResponse | undefined
  /** The message so far. */
  readonly message: Message | undefined
  /** Why the stream ended early, once it did. `read` and `each` throw it when what came before was handed out. */
  readonly failure: Error | undefined
  /** The next events, at least one; undefined after `message_stop`. */
  read(): Promise<readonly StreamedEvent[] | undefined>
  /** Hands out all events when they come, and ends after `message_stop`, or with what `take` throws. */
  each(take: (events: readonly StreamedEvent[]) => void): Promise<void>
}

/** Waits for the first event of a streamed response. If it breaks before that, the request is sent again. */
export async function openEvents(
  response: TransportResponse,
  request: RetryingRequest,
  pings: boolean,
): Promise<ReplyEvents> {
  const source = new ReplyEvents(request, response, pings)
  request.setCancelTarget(source)
  await source.peek()
  source.start()
  return source
}

/** Reads the whole message of a streamed response. Nothing of it is handed out before, so the request is sent again after any break. */
export async function collectMessage(response: TransportResponse, request: RetryingRequest): Promise<Message> {
  const source = new ReplyEvents(request, response, false)
  request.setCancelTarget(source)
  await source.each(ignore)
  source.start()
  return source.message!
}

/** The events of one answer. */
export class ReplyEvents implements EventSource, Sink<Uint8Array> {
  readonly reply: TransportResponse
  failure: Error | undefined
  readonly #request: RetryingRequest
  readonly #pings: boolean
  readonly #reader = openEventReader()
  readonly #watch: IdleWatch
  #peeked: readonly StreamedEvent[] | undefined
  #receiver: Sink<readonly StreamedEvent[]> | undefined
  #started = false

  constructor(request: RetryingRequest, reply: TransportResponse, pings: boolean) {
    this.#request = request
    this.reply = reply
    this.#pings = pings
    this.#watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => this.#fail(error))
  }

  get message(): Message | undefined {
    return this.#reader.message
  }

  /** Reads until something is there to hand out. A failure that came along with it is thrown when another try may follow. */
  async peek(): Promise<void> {
    do this.#peeked = await this.read()
    while (this.#reader.eventCount === 0)
    if (this.failure && this.#request.mayRetry(this.failure)) throw this.failure
  }

  /** From here on the events are the reader's, and no other answer may take their place. */
  start(): void {
    this.#started = true
    if (this.#reader.isWhole || this.failure) this.#request.finish()
    else this.#request.dropRequest()
  }

  read(): Promise<readonly StreamedEvent[] | undefined> {
    return new Promise((resolve, reject) => this.#feed(readOne(resolve, reject)))
  }

  each(take: (events: readonly StreamedEvent[]) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const write = (events: readonly StreamedEvent[] | undefined): boolean => {
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

  #feed(receiver: Sink<readonly StreamedEvent[]>): void {
    const peeked = this.#peeked
    this.#peeked = undefined
    if (!peeked) {
      if (this.#serves(receiver)) feed(this.reply, this)
    } else if (receiver.write(peeked)) queueMicrotask(() => this.#feed(receiver))
  }

  cancel(error: Error): void {
    this.#peeked = undefined
    this.#fail(error)
  }

  /** A chunk of the answer. */
  write(chunk: Uint8Array | undefined): boolean {
    this.#watch.received()
    const events: StreamedEvent[] = []
    try {
      this.#read(chunk, events)
    } catch (error) {
      this.#fail(error as Error)
    }
    const receiver = this.#takeReceiver()
    // What came before a failure is handed out before it.
    if (events.length > 0 && !receiver.write(events)) return false
    return this.#serves(receiver)
  }

  /** The answer broke off. */
  fail(error: Error): void {
    this.#fail(error)
    this.#takeReceiver().fail(this.failure!)
  }

  /** Lets go of it: a stream may be dropped between two reads, and is found to be only if nothing here holds it. */
  #takeReceiver(): Sink<readonly StreamedEvent[]> {
    const receiver = this.#receiver!
    this.#receiver = undefined
    return receiver
  }

  /** Whether more can come; the receiver is told if not. */
  #serves(receiver: Sink<readonly StreamedEvent[]>): boolean {
    if (this.failure) receiver.fail(this.failure)
    else if (this.#reader.isWhole) receiver.write(undefined)
    else {
      this.#receiver = receiver
      this.#watch.waits()
      return true
    }
    return false
  }

  #read(chunk: Uint8Array | undefined, events: StreamedEvent[]): void {
    this.#reader.read(chunk, this.#pings, events)
    const { isWhole, failure } = this.#reader
    if (isWhole) return this.#end()
    if (failure) return this.#failWith(failure)
    if (chunk) return
    const kind = this.reply.header('content-type') ?? 'no content-type'
    this.#fail(new Error(`it ended without message_stop (${kind})`))
  }

  #end(): void {
    this.#watch.stop()
    if (this.#started) this.#request.finish()
    void drain(this.reply)
  }

  /** The API's own error, sent inside the stream. */
  #failWith(body: unknown): void {
    const headers = this.reply.headers()
    this.#stop(
      this.#reader.eventCount === 0
        ? errorFrom({ status: undefined, headers, body })
        : new APIStreamError({ error: body, headers, partial: this.message }),
    )
  }

  #fail(cause: Error): void {
    if (this.#reader.isWhole || this.failure) return
    if (cause instanceof APIUserAbortError) return this.#stop(cause)
    const message = `Stream broke off after ${this.#reader.eventCount} events: ${cause.message}`
    this.#stop(new APIStreamError({ message, cause, headers: this.reply.headers(), partial: this.message }))
  }

  #stop(failure: Error): void {
    this.failure = failure
    this.#watch.stop()
    this.reply.cancel(failure)
    if (this.#started) this.#request.finish()
  }
}

/** The events of any iterable as a source. */
export function iterableSource(events: AsyncIterable<StreamedEvent>): EventSource {
  const iterator = events[Symbol.asyncIterator]()
  const accumulator = new MessageAccumulator()
  let failure: Error | undefined
  return {
    reply: undefined,
    get message() {
      return accumulator.message
    },
    get failure() {
      return failure
    },
    cancel(error) {
      failure ??= error
      iterator.return?.().catch(() => {})
    },
    async read() {
      if (failure) throw failure
      const { value, done } = await iterator.next()
      if (!done && value.type !== 'ping') accumulator.push(value)
      return done ? undefined : [value]
    },
    each(take) {
      return forEach(this, take)
    },
  }
}

function feed(reply: TransportResponse, receiver: Sink<Uint8Array>): void {
  if (reply.pipe) return reply.pipe(receiver)
  reply.read().then(
    (chunk) => {
      if (receiver.write(chunk)) feed(reply, receiver)
    },
    (error: Error) => receiver.fail(error),
  )
}

function ignore(): void {}

/** After `message_stop`, how long the answer may take to end by itself, so that its connection can serve the next request. */
const endingMs = 500

async function drain(reply: TransportResponse): Promise<void> {
  const timer = setTimeout(() => reply.cancel(new Error('The stream is over')), endingMs)
  try {
    while ((await reply.read()) !== undefined);
  } catch {
    // The message is whole; how its connection ends matters to nobody.
  } finally {
    clearTimeout(timer)
  }
}
