import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageParam, UserMessageParam } from '../../protocol/types/params.ts'
import type { RequestOptions } from '../request/options.ts'
import type { ToolRunnerParams, ToolRunnerSender, ToolRunnerState, ToolRunnerTurn } from './tool-runner-state.ts'

/**
 * Sends a request, runs the tools that the reply calls, and sends their results, until a reply calls none.
 *
 * A loop over the runner gets each reply as a message or a stream; awaiting the runner gives the last message. Inside the
 * loop the next request may be changed. The loop's code is loaded when it begins.
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
    // The loop throws a failure itself, so the promise need not be awaited.
    this.#ending.promise.catch(() => {})
  }

  /** The parameters of the next request. Inside the loop they do not hold the current reply yet. */
  get params(): Readonly<ToolRunnerParams> {
    return this.#state.params
  }

  /**
   * Replaces the parameters of the next request. Called inside the loop, it also keeps the loop from adding the reply: tools
   * are run only if the messages end with an assistant message that calls them.
   */
  setMessagesParams(change: ToolRunnerParams | ((params: ToolRunnerParams) => ToolRunnerParams)): void {
    this.#state.params = typeof change === 'function' ? change(this.params) : change
    this.#state.isChanged = true
    this.#state.results = undefined
  }

  /** Adds messages to the next request, with the effect of `setMessagesParams()`. */
  pushMessages(...messages: MessageParam[]): void {
    this.setMessagesParams((params) => ({ ...params, messages: [...params.messages, ...messages] }))
  }

  /** Changes the options of later requests. */
  setRequestOptions(change: RequestOptions | ((options: RequestOptions) => RequestOptions)): void {
    const { options } = this.#state
    this.#state.options = typeof change === 'function' ? change(options) : { ...options, ...change }
  }

  /** The results of the last reply's tool calls; null if it has none. The tools run once, however often this is called. */
  async generateToolResponse(signal?: AbortSignal | null): Promise<UserMessageParam | null> {
    const { answerReply } = await import('./tool-loop.ts')
    return answerReply(this.#state, (await this.#state.reply) ?? this.params.messages.at(-1), signal)
  }

  /** Waits for the last message of a loop that runs elsewhere. */
  done(): Promise<Message> {
    return this.#ending.promise
  }

  /** Waits for the last message, and runs the loop if it has not begun. */
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

  /** Yields each reply, or each stream of one. */
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
