import type { ParsedMessage } from '../../protocol/json/parsed-message.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import type { RequestOptions } from '../request/options.ts'
import type { WithResponse } from '../request/response.ts'
import { type MessageEvents, observeEvents } from '../stream/events/message-events.ts'
import { parseMessage, withParsedOutput } from '../stream/events/parsed-output.ts'
import type { CancelRelay } from './cancel-relay.ts'
import { type OpenTurn, ThreadHistory, type ThreadRequest } from './thread-history.ts'
import type { ReplyPromise, RunnerRequest, ThreadFields, ThreadMessage, ThreadSender } from './thread-params.ts'

export { ThreadHistory }

export interface TurnInput {
  messages: readonly ThreadMessage[]
  params: Partial<ThreadFields>
  options: RequestOptions
  /** Replaces everything that the thread would send. */
  request: RunnerRequest | undefined
  /** Called when the turn ends. Returns the messages that were appended during it. */
  onEnd: () => MessageParam[]
}

/** One turn of a thread, sent again if the server has lost the thread. */
export class ThreadTurn {
  readonly #sender: ThreadSender
  readonly #history: ThreadHistory
  readonly #turn: OpenTurn
  readonly #options: RequestOptions
  readonly #onEnd: () => MessageParam[]
  /** The last request of `send()`. */
  #call: ReplyPromise<Message> | undefined

  constructor(sender: ThreadSender, history: ThreadHistory, { messages, params, options, request, onEnd }: TurnInput) {
    this.#sender = sender
    this.#history = history
    this.#options = options
    this.#onEnd = onEnd
    if (request) history.replace(request)
    this.#turn = history.begin(messages, params)
  }

  async send(): Promise<Message> {
    try {
      const reply = await this.#sendAdjusted((request, options) => (this.#call = this.#sender.create(request, options)))
      this.#history.addReply(this.#turn, reply)
      return reply
    } finally {
      this.#end()
    }
  }

  /** Like `send()`, and parses the reply by the output format of the thread. */
  async parse<Parsed>(): Promise<ParsedMessage<Parsed>> {
    return parseMessage(await this.send(), this.#turn.fields, this.#sender.client.log) as ParsedMessage<Parsed>
  }

  /** A reply of `send()` or `parse()` with the response that carried it. */
  async withResponse<Reply>(data: Reply): Promise<WithResponse<Reply>> {
    return { ...(await this.#call!.withResponse()), data }
  }

  /** Opens the stream of the reply. The turn ends with it. */
  async open(relay: CancelRelay): Promise<MessageEvents> {
    try {
      const source = await this.#sendAdjusted((request, options) => relay.follow(this.#sender.events(request, options)))
      return withParsedOutput(relay.follow(this.#recorded(source)), this.#turn.fields, this.#sender.client.log)
    } catch (error) {
      this.#end()
      throw error
    }
  }

  async #sendAdjusted<Result>(
    send: (request: ThreadRequest, options: RequestOptions) => PromiseLike<Result>,
  ): Promise<Result> {
    while (true) {
      try {
        return await send(this.#history.requestOf(this.#turn), this.#options)
      } catch (error) {
        if (!this.#history.adjustTo(error)) throw error
      }
    }
  }

  /** The same events. The history gets the reply when they end. */
  #recorded(source: MessageEvents): MessageEvents {
    let completeBlocks = 0
    return observeEvents(source, {
      onEvent: ({ type }) => {
        if (type === 'content_block_stop') completeBlocks++
      },
      onComplete: (reply) => {
        this.#history.addReply(this.#turn, reply)
        this.#end()
        return reply
      },
      onBreak: (partial) => {
        if (partial) this.#history.addPartialReply(partial, completeBlocks)
        this.#end()
      },
    })
  }

  #end(): void {
    this.#history.end(this.#turn, this.#onEnd())
  }
}
