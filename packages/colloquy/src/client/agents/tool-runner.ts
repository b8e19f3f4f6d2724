import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message, ToolUseBlock } from '../../protocol/types/message.ts'
import type { CompactionParams } from '../../protocol/types/beta/compaction.ts'
import type { MessageParam, UserMessageParam } from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { RunnableTool } from '../../tools/runnable.ts'
import { listOf } from '../request/request.ts'
import type { RequestOptions } from '../request/options.ts'
import type {
  ToolChange,
  ToolRunnerParams,
  ToolRunnerSender,
  ToolRunnerState,
  ToolRunnerTurn,
} from './tool-runner-state.ts'
import type * as toolLoopModule from './tool-loop.ts'

/**
 * Sends a request, runs the tools that the reply calls, and sends their results, until a reply calls none.
 *
 * A loop over the runner gets each reply as a message or a stream; awaiting the runner gives the last message. Inside the
 * loop the next request may be changed. After an error the runner can be looped over again. The loop's code is loaded when it
 * begins.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { tool } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * const runner = new Anthropic().beta.messages.toolRunner({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 1024,
 *   messages: [{ role: 'user', content: 'Use clock to tell me the time.' }],
 *   tools: [clock],
 * })
 * for await (const message of runner) console.log(message.stop_reason)
 * ```
 */
export class ToolRunner<Streams extends boolean = boolean>
  implements AsyncIterable<ToolRunnerTurn<Streams>>, PromiseLike<Message>
{
  readonly #state: ToolRunnerState

  constructor(sender: ToolRunnerSender, params: ToolRunnerParams, options: RequestOptions = {}) {
    this.#state = { sender, params: { ...params, messages: [...listOf(params.messages)] }, options, toolChanges: [] }
    checkParams(params, this.#state)
  }

  /** The parameters of the next request. Inside the loop they do not hold the current reply yet. */
  get params(): Readonly<ToolRunnerParams> {
    return this.#state.params
  }

  /** The calls of the current reply that `deferToolCall()` holds, once they have arrived. */
  get deferredToolCalls(): ToolUseBlock[] {
    const { arrivedCalls = [], calls } = this.#state
    return arrivedCalls.filter(({ id }) => calls?.get(id) === 'held')
  }

  /**
   * Replaces the parameters of the next request. Called inside the loop, it also keeps the loop from adding the reply: tools
   * are run only if the messages end with an assistant message that calls them. Throws while the conversation is compacted,
   * if the messages change.
   */
  setMessagesParams(change: ToolRunnerParams | ((params: ToolRunnerParams) => ToolRunnerParams)): void {
    const state = this.#state
    const params = typeof change === 'function' ? change(this.params) : change
    checkParams(params, state)
    state.params = params
    state.isChanged = true
    state.results = undefined
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

  /**
   * Gives the model more tools, without a change of `params.tools` that would miss the prompt cache. They can be called at
   * once; the next request tells the model in a `tool_addition` block, which needs the beta `inline-tools-2026-09-15`. A tool
   * without `run` is only sent, and is not run any more.
   */
  addTools(...tools: Array<RunnableTool | ToolUnion>): void {
    this.#change(tools)
  }

  /**
   * Takes tools, or the tools of these names, away from the model, without a change of `params.tools`. Their calls fail at
   * once; the next request tells the model in a `tool_removal` block, which needs the beta `inline-tools-2026-09-15`.
   */
  removeTools(...tools: Array<RunnableTool | string>): void {
    this.#change(tools.map((tool) => (tool as RunnableTool).name ?? tool))
  }

  #change(changes: ToolChange[]): void {
    this.#state.checkTools?.(changes)
    this.#state.toolChanges.push(...changes)
  }

  /**
   * Requests a summary after this step and its tools, which then replaces the messages. The summary is a step of the loop
   * too. Needs the beta `compact-2026-09-04`. Default: `{ type: 'summarize' }`.
   */
  compactBeforeNextTurn(compaction: CompactionParams = { type: 'summarize' }): void {
    const state = this.#state
    if (state.compaction === 'running') return
    checkParams(state.params, { ...state, compaction })
    state.compaction = compaction
  }

  /**
   * Holds a tool call of the current reply until the reply has been handled: at the end of the loop body, or with
   * `generateToolResponse()`. Has an effect only with `runToolsEagerly`, and on a call that has not started.
   */
  deferToolCall(call: ToolUseBlock | string): void {
    const id = typeof call === 'string' ? call : call.id
    const { calls } = this.#state
    if (calls && !calls.has(id)) calls.set(id, 'held')
  }

  /** The results of the last reply's tool calls; null if it has none. The tools run once, however often this is called. */
  async generateToolResponse(signal?: AbortSignal | null): Promise<UserMessageParam | null> {
    return (await toolLoop()).answerCaller(
      this.#state,
      (await this.#state.reply) ?? this.params.messages.at(-1),
      signal,
    )
  }

  /** Waits for the last message of a loop that runs elsewhere. */
  async done(): Promise<Message> {
    return (await toolLoop()).endingOf(this.#state).promise
  }

  /** Waits for the last message, and runs the loop if it has not begun. */
  async runUntilDone(): Promise<Message> {
    return (await toolLoop()).runUntilDone(this.#state, this)
  }

  then<Fulfilled = Message, Rejected = never>(
    onFulfilled?: ((message: Message) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.runUntilDone().then(onFulfilled, onRejected)
  }

  /** Yields each reply, or each stream of one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ToolRunnerTurn<Streams>> {
    yield* (await toolLoop()).runLoop<Streams>(this.#state)
  }
}

/** Loads the code that runs the tools when a runner is first used. */
function toolLoop(): Promise<typeof toolLoopModule> {
  return import('./tool-loop.ts')
}

/** Throws for parameters that a tool runner cannot take, or not now. */
function checkParams(params: ToolRunnerParams, { checkMessages, compaction }: ToolRunnerState): void {
  if (params.runToolsEagerly && !params.stream) throw new TypeError('Cannot use runToolsEagerly without stream: true')
  if ((params as { compaction?: unknown }).compaction != null)
    throw new AnthropicError('Cannot use compaction in a tool runner: use compactBeforeNextTurn()')
  checkMessages?.(params)
  if (compaction && params.context_management?.edits?.some(({ type }) => type.startsWith('compact_')))
    throw new AnthropicError('Cannot compact with a compaction edit in context_management')
}
