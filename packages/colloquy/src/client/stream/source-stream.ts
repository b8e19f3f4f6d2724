import { pinShapes } from '../../protocol/codec/pin-compiled-code.ts'
import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { AbortedLoops } from '../request/options.ts'
import { pipe } from '../transport/pipe.ts'
import type { Sink } from '../transport/sink.ts'
import { abandonedStreams } from './abandoned-streams.ts'
import type { ItemSource } from './item-source.ts'
import { Stream } from './stream.ts'

/** A stream over the items of a source. */
export function sourceStream<Item>(source: ItemSource<Item>, abortedLoops: AbortedLoops = 'throw'): Stream<Item> {
  pinShapes(sampleIterator)
  const iterate = (): AsyncIterator<Item> => new SourceIterator<Item>(stream, source, abortedLoops)
  const stream: Stream<Item> = new Stream(iterate, undefined, source)
  return stream
}

/** A sample, as a real iterator would keep its stream alive. */
function sampleIterator(): unknown {
  const stream = new Stream<never>(() => iterator)
  const iterator: AsyncIterator<never> = new SourceIterator<never>(stream, {} as ItemSource<never>, 'throw')
  return iterator
}

const none: readonly never[] = []

/** Iterates over the items of a source one by one. */
class SourceIterator<Item> implements AsyncIterator<Item> {
  // Referenced so that the stream is not garbage-collected, and its connection closed, while it is read.
  readonly stream: Stream<Item>
  readonly #source: ItemSource<Item>
  readonly #abortedLoops: AbortedLoops
  /** Takes the next items. One for all reads, as most of them bring a single event. */
  readonly #sink: Sink<readonly Item[]> = { write: (items) => this.#take(items), fail: (error) => this.#fail(error) }
  #items: readonly Item[] = none
  #at = 0
  #refilling: Promise<IteratorResult<Item>> | undefined
  #resolve!: (result: IteratorResult<Item>) => void
  #reject!: (error: Error) => void

  constructor(stream: Stream<Item>, source: ItemSource<Item>, abortedLoops: AbortedLoops) {
    this.stream = stream
    this.#source = source
    this.#abortedLoops = abortedLoops
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#refilling) return this.#refilling.then(() => this.next())
    // An aborted stream hands out nothing more, not even items that have arrived.
    if (this.#at < this.#items.length && !(this.#source.failure instanceof APIUserAbortError)) {
      return Promise.resolve({ value: this.#takeItem(), done: false })
    }
    return this.#refill()
  }

  #refill(): Promise<IteratorResult<Item>> {
    const result = new Promise<IteratorResult<Item>>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#refilling = result
    pipe(this.#source, this.#sink)
    return result
  }

  #take(items: readonly Item[] | undefined): boolean {
    this.#refilling = undefined
    if (items) {
      this.#items = items
      this.#at = 0
      this.#resolve({ value: this.#takeItem(), done: false })
    } else {
      abandonedStreams?.unregister(this.stream)
      this.#resolve({ value: undefined, done: true })
    }
    return false
  }

  #takeItem(): Item {
    const item = this.#items[this.#at++]!
    // A stream that waits for its next event would keep the last ones, and the text they were parsed from, in memory.
    if (this.#at === this.#items.length) {
      this.#items = none
      this.#at = 0
    }
    return item
  }

  #fail(error: Error): void {
    this.#refilling = undefined
    abandonedStreams?.unregister(this.stream)
    const isAbort = error instanceof APIUserAbortError
    // The signal of the request may have ended the stream, and a program may look at the controller only.
    if (isAbort) this.stream.controller.abort()
    if (isAbort && this.#abortedLoops === 'end') this.#resolve({ value: undefined, done: true })
    else this.#reject(error)
  }

  async return(): Promise<IteratorResult<Item>> {
    // Leaving after the last item ends nothing, and an abort would make an error for it.
    const isAtEnd = this.#source.isOver && this.#at === this.#items.length
    // Reading the end releases the signal of the request.
    if (isAtEnd) await this.#refill().catch(() => {})
    else this.stream.controller.abort()
    this.#items = none
    return { value: undefined, done: true }
  }
}
