import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { APIError, APIUserAbortError, errorFrom } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import { APIStreamError } from '../request/errors.ts'
import { type StreamedEvent, openEventReader } from './event-reader.ts'
import { IdleWatch } from './idle-watch.ts'
import { once, readEach, type Receiver } from '../transport/receiver.ts'
import { withIds } from '../request/reply.ts'
import type { Call, Cancellable } from '../request/retry.ts'
import type { Reply } from '../transport/transport.ts'

export type { StreamedEvent } from './event-reader.ts'

/** Where the events of one message come from, a chunk at a time: a promise for each event would cost more than its JSON. */
export interface EventSource extends Cancellable {
  /** The answer that carries the events; undefined where they came another way. */
  readonly reply: Reply | undefined
  /** The message so far. */
  readonly message: Message | undefined
  /** Why the stream ended early, once it did. `read` and `each` throw it when what came before was handed out. */
  readonly failure: Error | undefined
  /** The next events, at least one; undefined after `message_stop`. */
  read(): Promise<readonly StreamedEvent[] | undefined>
  /** Hands out all events when they come, and ends after `message_stop`, or with what `take` throws. */
  each(take: (events: readonly StreamedEvent[]) => void): Promise<void>
}

/** Waits for the first event of a streamed answer, asking again as long as none came. */
export async function openEvents(call: Call, reply: Reply, pings: boolean): Promise<ReplyEvents> {
  for (;;) {
    const source = new ReplyEvents(call, reply, pings)
    call.hold(source)
    try {
      await source.peek()
      source.start()
      return source
    } catch (error) {
      if (!(error instanceof APIError)) throw error
      reply = await call.again(error)
    }
  }
}

/** The whole message of a streamed answer. Nothing of it is handed out before, so any break is retried. */
export async function collectMessage(call: Call, reply: Reply): Promise<Message> {
  for (;;) {
    const source = new ReplyEvents(call, reply, false)
    call.hold(source)
    try {
      await source.each(ignore)
      source.start()
      return withIds(source.message!, reply)
    } catch (error) {
      if (!(error instanceof APIError)) throw error
      reply = await call.again(error)
    }
  }
}

/** The events of one answer. */
export class ReplyEvents implements EventSource, Receiver<Uint8Array> {
  readonly reply: Reply
  failure: Error | undefined
  readonly #call: Call
  readonly #pings: boolean
  readonly #reader = openEventReader()
  readonly #watch: IdleWatch
  #peeked: readonly StreamedEvent[] | undefined
  #receiver: Receiver<readonly StreamedEvent[]> | undefined
  #started = false

  constructor(call: Call, reply: Reply, pings: boolean) {
    this.#call = call
    this.reply = reply
    this.#pings = pings
    this.#watch = new IdleWatch(call.patience.idleTimeout, call.endsAt, (error) => this.#fail(error))
  }

  get message(): Message | undefined {
    return this.#reader.message
  }

  /** Reads until something is there to hand out. A failure that came along with it is thrown when another try may follow. */
  async peek(): Promise<void> {
    do this.#peeked = await this.read()
    while (this.#reader.eventCount === 0)
    if (this.failure && this.#call.mayRetry(this.failure)) throw this.failure
  }

  /** From here on the events are the reader's, and no other answer may take their place. */
  start(): void {
    this.#started = true
    if (this.#reader.isWhole || this.failure) this.#call.settle()
    else this.#call.release()
  }

  read(): Promise<readonly StreamedEvent[] | undefined> {
    return new Promise((resolve, reject) => this.#feed(once(resolve, reject)))
  }

  each(take: (events: readonly StreamedEvent[]) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const receive = (events: readonly StreamedEvent[] | undefined): boolean => {
        try {
          if (events) take(events)
          else resolve()
          return events !== undefined
        } catch (error) {
          reject(error)
          return false
        }
      }
      this.#feed({ receive, fail: reject })
    })
  }

  #feed(receiver: Receiver<readonly StreamedEvent[]>): void {
    const peeked = this.#peeked
    this.#peeked = undefined
    if (!peeked) {
      if (this.#serves(receiver)) feed(this.reply, this)
    } else if (receiver.receive(peeked)) queueMicrotask(() => this.#feed(receiver))
  }

  cancel(error: Error): void {
    this.#peeked = undefined
    this.#fail(error)
  }

  /** A chunk of the answer. */
  receive(chunk: Uint8Array | undefined): boolean {
    this.#watch.received()
    const events: StreamedEvent[] = []
    try {
      this.#read(chunk, events)
    } catch (error) {
      this.#fail(error as Error)
    }
    const receiver = this.#takeReceiver()
    // What came before a failure is handed out before it.
    if (events.length > 0 && !receiver.receive(events)) return false
    return this.#serves(receiver)
  }

  /** The answer broke off. */
  fail(error: Error): void {
    this.#fail(error)
    this.#takeReceiver().fail(this.failure!)
  }

  /** Lets go of it: a stream may be dropped between two reads, and is found to be only if nothing here holds it. */
  #takeReceiver(): Receiver<readonly StreamedEvent[]> {
    const receiver = this.#receiver!
    this.#receiver = undefined
    return receiver
  }

  /** Whether more can come; the receiver is told if not. */
  #serves(receiver: Receiver<readonly StreamedEvent[]>): boolean {
    if (this.failure) receiver.fail(this.failure)
    else if (this.#reader.isWhole) receiver.receive(undefined)
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
    if (this.#started) this.#call.settle()
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
    if (this.#started) this.#call.settle()
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
      return readEach(this, take)
    },
  }
}

function feed(reply: Reply, receiver: Receiver<Uint8Array>): void {
  if (reply.feed) return reply.feed(receiver)
  reply.read().then(
    (chunk) => {
      if (receiver.receive(chunk)) feed(reply, receiver)
    },
    (error: Error) => receiver.fail(error),
  )
}

function ignore(): void {}

/** After `message_stop`, how long the answer may take to end by itself, so that its connection can serve the next request. */
const endingMs = 500

async function drain(reply: Reply): Promise<void> {
  const timer = setTimeout(() => reply.cancel(new Error('The stream is over')), endingMs)
  try {
    while ((await reply.read()) !== undefined);
  } catch {
    // The message is whole; how its connection ends matters to nobody.
  } finally {
    clearTimeout(timer)
  }
}
