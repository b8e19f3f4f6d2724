import type { Message } from '../../protocol/types/message.ts'
import type { EventSource, StreamedEvent } from '../stream/event-source.ts'
import type { RequestOptions } from '../request/options.ts'
import { parsedEvents } from '../stream/parsed-events.ts'
import { forEach } from '../transport/sink.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { Opening, RunnerRequest, ThreadSender } from './thread.ts'
import {
  type ThreadFields,
  type ThreadMessage,
  type ThreadState,
  type Turn,
  beginTurn,
  endTurn,
  recovers,
  replaceAll,
  requestOf,
  takePartialReply,
  takeReply,
} from './thread-state.ts'

export interface TurnParts {
  messages: readonly ThreadMessage[]
  params: Partial<ThreadFields>
  options: RequestOptions
  /** Takes the place of all that the thread would send. */
  request: RunnerRequest | undefined
}

/** One turn of a thread, sent again where the server has lost the thread. */
export class ThreadTurn {
  readonly #sender: ThreadSender
  readonly #state: ThreadState
  readonly #turn: Turn
  readonly #options: RequestOptions

  constructor(sender: ThreadSender, state: ThreadState, { messages, params, options, request }: TurnParts) {
    this.#sender = sender
    this.#state = state
    this.#options = options
    if (request) replaceAll(state, request)
    this.#turn = beginTurn(state, messages, params)
  }

  async send(): Promise<Message> {
    try {
      const reply = await this.#recovering((request, options) => this.#sender.create(request, options))
      takeReply(this.#state, this.#turn, reply)
      return reply
    } finally {
      endTurn(this.#state, this.#turn)
    }
  }

  /** Opens the stream of the reply. The turn ends with it. */
  async open(opening: Opening): Promise<EventSource> {
    try {
      const source = await this.#recovering((request, options) => opening.take(this.#sender.events(request, options)))
      return parsedEvents(opening.take(new RecordedEvents(source, this.#state, this.#turn)), this.#turn.fields)
    } catch (error) {
      endTurn(this.#state, this.#turn)
      throw error
    }
  }

  async #recovering<Result>(
    send: (request: ReturnType<typeof requestOf>, options: RequestOptions) => PromiseLike<Result>,
  ): Promise<Result> {
    while (true) {
      try {
        return await send(requestOf(this.#state, this.#turn), this.#options)
      } catch (error) {
        if (!recovers(this.#state, error)) throw error
      }
    }
  }
}

/** Events on their way to the reader, and the turn that they end. */
class RecordedEvents implements EventSource, Cancellable {
  readonly #source: EventSource
  readonly #state: ThreadState
  readonly #turn: Turn
  #wholeBlocks = 0
  #isOver = false

  constructor(source: EventSource, state: ThreadState, turn: Turn) {
    this.#source = source
    this.#state = state
    this.#turn = turn
  }

  get reply(): EventSource['reply'] {
    return this.#source.reply
  }

  get message(): Message | undefined {
    return this.#source.message
  }

  get failure(): Error | undefined {
    return this.#source.failure
  }

  async read(): Promise<readonly StreamedEvent[] | undefined> {
    try {
      const events = await this.#source.read()
      for (const { type } of events ?? []) {
        if (type === 'content_block_stop') this.#wholeBlocks++
        if (type === 'message_stop') this.#end(() => takeReply(this.#state, this.#turn, this.message!))
      }
      return events
    } catch (error) {
      this.#breakOff()
      throw error
    }
  }

  each(take: (events: readonly StreamedEvent[]) => void): Promise<void> {
    return forEach(this, take)
  }

  cancel(error: Error): void {
    this.#source.cancel(error)
    this.#breakOff()
  }

  #breakOff(): void {
    const { message } = this
    this.#end(() => message && takePartialReply(this.#state, message, this.#wholeBlocks))
  }

  #end(record: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    record()
    endTurn(this.#state, this.#turn)
  }
}
