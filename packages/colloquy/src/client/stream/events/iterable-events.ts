import { MessageAccumulator } from '../../../protocol/codec/accumulate.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { forEach } from '../../transport/sink.ts'
import type { MessageEvents, StreamedEvent } from './message-events.ts'

/** The events of an iterable, one a batch. */
export class IterableEvents implements MessageEvents {
  readonly response = undefined
  failure: Error | undefined
  readonly #iterator: AsyncIterator<StreamedEvent>
  readonly #accumulator = new MessageAccumulator()

  constructor(events: AsyncIterable<StreamedEvent>) {
    this.#iterator = events[Symbol.asyncIterator]()
  }

  get message(): Message | undefined {
    return this.#accumulator.message
  }

  async read(): Promise<readonly StreamedEvent[] | undefined> {
    if (this.failure) throw this.failure
    const { value, done } = await this.#iterator.next()
    if (done) return undefined
    if (value.type !== 'ping') this.#accumulator.push(value)
    return [value]
  }

  each(take: (events: readonly StreamedEvent[]) => void): Promise<void> {
    return forEach(this, take)
  }

  cancel(error: Error): void {
    this.failure ??= error
    this.#iterator.return?.().catch(() => {})
  }
}
