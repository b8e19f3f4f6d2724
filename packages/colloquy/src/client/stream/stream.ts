import { abandonedStreams } from './abandoned-streams.ts'
import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { MessageEvents, StreamedEvent } from './events/message-events.ts'

/** A stream of items that can be read once. */
export class Stream<Item> implements AsyncIterable<Item> {
  readonly #iterate: () => AsyncIterator<Item>
  #controller: AbortController | undefined
  #source: MessageEvents | undefined
  /** Ends the reading of the items. */
  #reading: Cancellable | undefined
  #taken = false

  constructor(iterate: () => AsyncIterator<Item>, controller?: AbortController) {
    this.#iterate = iterate
    this.#controller = controller
  }

  /** A stream over the events of one message. */
  static over<Item = StreamedEvent>(source: MessageEvents): Stream<Item> {
    const stream: Stream<Item> = new Stream(() => new SourceIterator<Item>(stream, source))
    stream.#source = source
    return stream.#watch(source)
  }

  /** A stream over items that are read from the response of a request. */
  static of<Item>(read: () => AsyncGenerator<Item>, request: Cancellable): Stream<Item> {
    const stream: Stream<Item> = new Stream(() => untilEnd(stream, read()))
    return stream.#watch(request)
  }

  /** Reads a stream that `toReadableStream()` wrote: an item as JSON on each line. */
  static fromReadableStream<Item>(readable: ReadableStream<Uint8Array>, controller?: AbortController): Stream<Item> {
    return new Stream(() => linesOf<Item>(readable, controller), controller)
  }

  /** Aborts the stream. Created on first use. */
  get controller(): AbortController {
    if (this.#controller) return this.#controller
    const controller = new AbortController()
    const { signal } = controller
    const abort = (): void => {
      abandonedStreams?.unregister(this)
      this.#reading?.cancel(new APIUserAbortError({ cause: signal.reason }))
    }
    signal.addEventListener('abort', abort, { once: true })
    return (this.#controller = controller)
  }

  /** The response that carries the stream, for its headers. The stream reads its body. */
  get response(): Response | undefined {
    return this.#source?.response?.response()
  }

  /** The id of the request, from the response that carries the stream. */
  get request_id(): string | null | undefined {
    return this.#source?.response?.header('request-id')
  }

  /** Throws when the stream breaks off or is aborted. Leaving the loop early closes the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Item> {
    if (this.#taken) throw new AnthropicError('Cannot read a stream twice: split it with tee() first')
    this.#taken = true
    return this.#iterate()
  }

  /** Two streams of the same items, each read at its own speed. Items that only one has read are buffered for the other. */
  tee(): [Stream<Item>, Stream<Item>] {
    const iterator = this[Symbol.asyncIterator]()
    const waiting: [Promise<IteratorResult<Item>>[], Promise<IteratorResult<Item>>[]] = [[], []]
    const open = new Set([0, 1])
    const branch = (mine: 0 | 1): Stream<Item> =>
      new Stream(() => {
        return {
          next(): Promise<IteratorResult<Item>> {
            const queue = waiting[mine]
            if (queue.length === 0) {
              const result = iterator.next()
              for (const each of open) waiting[each as 0 | 1].push(result)
            }
            return queue.shift()!
          },
          async return(): Promise<IteratorResult<Item>> {
            open.delete(mine)
            waiting[mine] = []
            // The connection stays open until both branches are left.
            if (open.size === 0) await iterator.return?.()
            return { done: true, value: undefined }
          },
        } satisfies AsyncIterator<Item>
      }, this.controller)
    return [branch(0), branch(1)]
  }

  /** The items as a web stream of bytes, each as a line of JSON. The inverse of `fromReadableStream()`. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return toReadableStream(this)
  }

  #watch(reading: Cancellable): this {
    this.#reading = reading
    abandonedStreams?.register(this, reading, this)
    return this
  }
}

/** The same items. The stream is referenced, and so not taken for abandoned, as long as they are read. */
async function* untilEnd<Item>(stream: Stream<Item>, items: AsyncGenerator<Item>): AsyncGenerator<Item> {
  try {
    yield* items
  } finally {
    abandonedStreams?.unregister(stream)
  }
}

export function toReadableStream<Item>(items: AsyncIterable<Item>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const iterator = items[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

/** Iterates over the events of a source one by one. */
class SourceIterator<Item> implements AsyncIterator<Item> {
  // Referenced so that the stream is not garbage-collected, and its connection closed, while it is read.
  readonly stream: Stream<Item>
  readonly #source: MessageEvents
  #events: readonly Item[] = []
  #at = 0
  #refilling: Promise<IteratorResult<Item>> | undefined

  constructor(stream: Stream<Item>, source: MessageEvents) {
    this.stream = stream
    this.#source = source
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#refilling) return this.#refilling.then(() => this.next())
    // An aborted stream hands out nothing more, not even events that have arrived.
    if (this.#at < this.#events.length && !(this.#source.failure instanceof APIUserAbortError)) {
      return Promise.resolve({ value: this.#events[this.#at++]!, done: false })
    }
    return (this.#refilling = this.#refill())
  }

  async #refill(): Promise<IteratorResult<Item>> {
    let events: readonly Item[] | undefined
    try {
      events = (await this.#source.read()) as readonly Item[] | undefined
    } finally {
      this.#refilling = undefined
      if (!events) abandonedStreams?.unregister(this.stream)
    }
    if (!events) return { value: undefined, done: true }
    this.#events = events
    this.#at = 1
    return { value: events[0]!, done: false }
  }

  async return(): Promise<IteratorResult<Item>> {
    this.stream.controller.abort()
    this.#events = []
    return { value: undefined, done: true }
  }
}

/** Loads the reader on first use, as few programs need it. */
async function* linesOf<Item>(
  readable: ReadableStream<Uint8Array>,
  controller?: AbortController,
): AsyncGenerator<Item> {
  const { readLines } = await import('./readable-lines.ts')
  yield* readLines<Item>(readable, controller)
}
