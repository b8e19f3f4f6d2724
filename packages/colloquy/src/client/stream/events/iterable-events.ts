import { MessageAccumulator } from '../../../protocol/codec/accumulate.ts'
import { APIError } from '../../../protocol/types/error.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { APIStreamError } from '../../request/errors.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import type { MessageEvents, StreamedEvent, TakeEvent } from './message-events.ts'

/** The events of an iterable, one a batch. */
export class IterableEvents implements MessageEvents {
  readonly response: TransportResponse | undefined
  failure: Error | undefined
  readonly #iterator: AsyncIterator<StreamedEvent>
  readonly #accumulator = new MessageAccumulator()

  /** `response` is the one that carries the events, for its headers. */
  constructor(events: AsyncIterable<StreamedEvent>, response?: TransportResponse) {
    this.response = response
    this.#iterator = events[Symbol.asyncIterator]()
  }

  get message(): Message | undefined {
    return this.#accumulator.message
  }

  get isOver(): boolean {
    return this.#accumulator.isWhole
  }

  async read(): Promise<readonly StreamedEvent[] | undefined> {
    if (this.failure) throw this.failure
    if (this.#accumulator.isWhole) {
      // Tracers around the iterable record a reply when they reach its end.
      this.#iterator.next().catch(() => {})
      return undefined
    }
    try {
      return [await this.#next()]
    } catch (error) {
      const failure = this.failure ?? this.#failureOf(error as Error)
      this.cancel(failure)
      throw failure
    }
  }

  async forEach(take: TakeEvent): Promise<void> {
    for (let batch = await this.read(); batch !== undefined; batch = await this.read()) take(batch[0]!)
  }

  cancel(error: Error): void {
    this.failure ??= error
    this.#iterator.return?.().catch(() => {})
  }

  async #next(): Promise<StreamedEvent> {
    const { value, done } = await this.#iterator.next()
    if (done) throw new Error('it ended without message_stop')
    if (typeof value?.type !== 'string') throw new Error(`found ${JSON.stringify(value)} instead of an event`)
    this.#accumulator.push(value)
    return value
  }

  #failureOf(cause: Error): Error {
    if (cause instanceof APIError) return cause
    const message = `Stream broke off: ${cause.message}`
    return new APIStreamError({ message, cause, headers: undefined, partial: this.message })
  }
}
