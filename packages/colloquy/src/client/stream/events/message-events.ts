import type { Message } from '../../../protocol/types/message.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import type { ItemSource } from '../item-source.ts'
import type { StreamedEvent } from './message-decoder.ts'

export type { StreamedEvent } from './message-decoder.ts'

/** The events of one message, in batches: a promise for each event would cost more than its JSON. */
export interface MessageEvents extends ItemSource<StreamedEvent> {
  /** The message so far. */
  readonly message: Message | undefined
  /** Calls `take` with each event, when `message` contains it and no later one. Rejects with what `take` throws. */
  forEach(take: TakeEvent): Promise<void>
}

/** Takes an event. With `true`, the next one follows only after a microtask, in which readers can look at the message. */
export type TakeEvent = (event: StreamedEvent) => boolean | void

export interface EventObserver {
  /** Called with each event before it is handed out. */
  onEvent?(event: StreamedEvent): void
  /** Called with the complete message. Returns the message to show instead. A thrown error fails the stream after its last event. */
  onComplete?(message: Message): Message
  /** Called once if the stream breaks off or is cancelled before its end. */
  onBreak?(partial: Message | undefined): void
}

/** Returns the same events, observed on their way to the reader. */
export function observeEvents(source: MessageEvents, observer: EventObserver): MessageEvents {
  return new ObservedEvents(source, observer)
}

class ObservedEvents implements MessageEvents {
  readonly #source: MessageEvents
  readonly #observer: EventObserver
  #state: 'open' | 'complete' | 'broken' = 'open'
  /** The message that `onComplete` returned. */
  #complete: Message | undefined
  /** The error that `onComplete` threw. */
  #failure: Error | undefined

  constructor(source: MessageEvents, observer: EventObserver) {
    this.#source = source
    this.#observer = observer
  }

  get response(): TransportResponse | undefined {
    return this.#source.response
  }

  get message(): Message | undefined {
    return this.#complete ?? this.#source.message
  }

  get failure(): Error | undefined {
    return this.#failure ?? this.#source.failure
  }

  get isOver(): boolean {
    return this.#source.isOver
  }

  async read(): Promise<readonly StreamedEvent[] | undefined> {
    if (this.#failure) throw this.#failure
    let events
    try {
      events = await this.#source.read()
    } catch (error) {
      this.#break()
      throw error
    }
    for (const event of events ?? []) this.#observe(event)
    return events
  }

  async forEach(take: TakeEvent): Promise<void> {
    try {
      await this.#source.forEach((event) => {
        this.#observe(event)
        return take(event)
      })
    } catch (error) {
      this.#break()
      throw error
    }
    if (this.#failure) throw this.#failure
  }

  cancel(error: Error): void {
    this.#source.cancel(error)
    this.#break()
  }

  #observe(event: StreamedEvent): void {
    this.#observer.onEvent?.(event)
    if (event.type === 'message_stop') this.#finish()
  }

  #finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'complete'
    try {
      this.#complete = this.#observer.onComplete?.(this.#source.message!)
    } catch (error) {
      this.#failure = error as Error
    }
  }

  #break(): void {
    if (this.#state !== 'open') return
    this.#state = 'broken'
    this.#observer.onBreak?.(this.#source.message)
  }
}
