import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type {
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageParam,
  MessageStreamParams,
  UserMessageParam,
} from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { CallOptions } from '../../tools/call.ts'
import type { RunnableTool } from '../../tools/runnable.ts'
import type { HeaderParams } from '../request/request.ts'
import type { MessageStream } from '../stream/message-stream.ts'
import type { RequestOptions } from '../request/options.ts'

export interface ToolRunnerParams
  extends
    Omit<MessageCreateParams, 'tools' | 'stream' | 'thread' | 'compaction'>,
    HeaderParams,
    Pick<CallOptions, 'approve' | 'timeoutMs'> {
  tools?: Array<ToolUnion | RunnableTool>
  /** Whether each turn is handed out as a stream, not as a whole message. Default false. */
  stream?: boolean
  /**
   * Whether the server holds the conversation between turns (a beta), so that each request sends only what is new. Where
   * the server cannot, the loop goes on without. Default false.
   */
  thread?: boolean
  /** Requests at most; the loop then ends, even when tools are still asked for. Default: no limit. */
  max_iterations?: number
}

/** What the runner asks: a client's messages, or a thread in their place. */
export interface ToolRunnerSender {
  create(params: MessageCreateParamsNonStreaming & HeaderParams, options: RequestOptions): PromiseLike<Message>
  stream(params: MessageStreamParams & HeaderParams, options: RequestOptions): MessageStream
}

/** What the loop shares with whoever watches it and changes its course. */
export interface ToolRunnerState {
  readonly sender: ToolRunnerSender
  params: ToolRunnerParams
  options: RequestOptions
  /** Whether the parameters were changed since the last request. */
  isChanged: boolean
  reply: Promise<Message> | undefined
  /** Of the reply's calls, once somebody asked for them. */
  results: Promise<UserMessageParam | null> | undefined
}

/** A turn of the loop, as `stream` says. */
export type ToolRunnerTurn<Streams extends boolean> = Streams extends true ? MessageStream : Message

/**
 * Asks, answers the tool calls of the reply, and asks again, until a reply makes none.
 *
 * A loop over it gets each turn, a message or its stream; awaiting it gives the last message. Inside the loop the next
 * request may be changed. The loop itself is loaded when it begins.
 */
export class ToolRunner<Streams extends boolean = boolean>
  implements AsyncIterable<ToolRunnerTurn<Streams>>, PromiseLike<Message>
{
  readonly #state: ToolRunnerState
  readonly #ending: PromiseWithResolvers<Message> = Promise.withResolvers()
  #isTaken = false

  constructor(sender: ToolRunnerSender, params: ToolRunnerParams, options: RequestOptions = {}) {
    const own = { ...params, messages: [...params.messages] }
    this.#state = { sender, params: own, options, isChanged: false, reply: undefined, results: undefined }
    // Whoever asks for the ending learns of a failure; the loop throws it anyway.
    this.#ending.promise.catch(() => {})
  }

  /** What the next request is made of; while a turn is handled, without its reply. */
  get params(): Readonly<ToolRunnerParams> {
    return this.#state.params
  }

  /**
   * Puts other parameters in place for the next request. Called while a turn is handled, it also says that the loop shall not
   * add the reply: tools are called only when the messages end with an assistant message that asks for them.
   */
  setMessagesParams(change: ToolRunnerParams | ((params: ToolRunnerParams) => ToolRunnerParams)): void {
    this.#state.params = typeof change === 'function' ? change(this.params) : change
    this.#state.isChanged = true
    this.#state.results = undefined
  }

  /** Adds messages to the next request, as `setMessagesParams` would. */
  pushMessages(...messages: MessageParam[]): void {
    this.setMessagesParams((params) => ({ ...params, messages: [...params.messages, ...messages] }))
  }

  /** Changes the options of later requests. */
  setRequestOptions(change: RequestOptions | ((options: RequestOptions) => RequestOptions)): void {
    const { options } = this.#state
    this.#state.options = typeof change === 'function' ? change(options) : { ...options, ...change }
  }

  /** The results of the last reply's calls, null when it makes none. The calls are made once, whoever asks. */
  async generateToolResponse(signal?: AbortSignal | null): Promise<UserMessageParam | null> {
    const { answerReply } = await import('./tool-loop.ts')
    return answerReply(this.#state, (await this.#state.reply) ?? this.params.messages.at(-1), signal)
  }

  /** The last message, once a loop elsewhere has come to its end. */
  done(): Promise<Message> {
    return this.#ending.promise
  }

  /** The last message; runs the loop where nobody does. */
  async runUntilDone(): Promise<Message> {
    if (!this.#isTaken) {
      const turns = this[Symbol.asyncIterator]()
      while (!(await turns.next()).done);
    }
    return this.done()
  }

  then<Fulfilled = Message, Rejected = never>(
    onFulfilled?: ((message: Message) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.runUntilDone().then(onFulfilled, onRejected)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ToolRunnerTurn<Streams>> {
    if (this.#isTaken) throw new AnthropicError('Cannot run a tool runner twice')
    this.#isTaken = true
    const { resolve, reject } = this.#ending
    try {
      const { toolLoop } = await import('./tool-loop.ts')
      resolve(yield* toolLoop<Streams>(this.#state))
    } catch (error) {
      reject(error)
      throw error
    } finally {
      reject(new AnthropicError('The tool runner was left before its end'))
    }
  }
}
