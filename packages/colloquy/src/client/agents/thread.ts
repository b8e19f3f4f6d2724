import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import type { ParsedMessage } from '../../protocol/json/parsed-message.ts'
import { definedFields, type RequestOptions } from '../request/options.ts'
import { listOf } from '../request/request.ts'
import type { WithResponse } from '../request/response.ts'
import { MessageStream } from '../stream/message-stream.ts'
import { CancelRelay } from './cancel-relay.ts'
import type { ThreadHistory } from './thread-history.ts'
import {
  type ReplyPromise,
  type RunnerRequest,
  type ThreadFields,
  type ThreadInput,
  type ThreadMessage,
  type ThreadParams,
  type ThreadSender,
  toParam,
} from './thread-params.ts'
import type { ThreadTurn, TurnInput } from './thread-turn.ts'
import { ToolRunner } from './tool-runner.ts'
import type { ToolRunnerParams, ToolRunnerSender } from './tool-runner-state.ts'

/** Per-turn parameters: anything but the output format, which belongs to the thread. */
export type ThreadSendParams = Partial<Omit<ThreadFields, 'output_config'>>

export type ThreadRunnerSettings = Pick<
  ToolRunnerParams,
  'stream' | 'max_iterations' | 'approve' | 'timeoutMs' | 'runToolsEagerly'
>

/**
 * A conversation that the server keeps between turns, so that each request sends only what is new (beta).
 *
 * The whole history is kept here too, and sent again if the server has lost it. One turn runs at a time. The history is
 * loaded with the first turn, as most programs never begin a thread.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const client = new Anthropic()
 * const thread = client.beta.messages.thread({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 100,
 *   unsupportedRequestBehavior: 'continue_unthreaded', // a server without threads gets the whole history
 * })
 * await thread.send({ role: 'user', content: 'My name is Ada.' })
 * await thread.send({ role: 'user', content: 'What is my name?' })
 * console.log(thread.messages.length) // 4
 * ```
 */
export class MessageThread<Parsed = null> {
  readonly #sender: ThreadSender
  #options: RequestOptions
  /** The parameters as they were given, until the history takes them over. */
  #params: ThreadParams & { messages: MessageParam[] }
  #history: ThreadHistory | undefined
  /** Messages that were appended while a turn is in flight. */
  readonly #appended: MessageParam[] = []
  #isBusy = false

  constructor(sender: ThreadSender, params: ThreadParams, options: RequestOptions = {}) {
    refuseThread(params)
    this.#sender = sender
    this.#params = { ...params, messages: [...listOf(params.messages)] }
    this.#options = options
  }

  /** The whole conversation, with the messages that wait for the next turn. */
  get messages(): MessageParam[] {
    return this.params.messages
  }

  /** The id of the reply that the next turn continues; null if it creates a new thread. */
  get previousMessageId(): string | null {
    return this.#history?.previousMessageId ?? null
  }

  /** The parameters of a new thread with the same conversation. */
  get params(): ThreadParams & { messages: MessageParam[] } {
    const { messages, ...fields } = this.#history?.params ?? this.#params
    return { unsupportedRequestBehavior: 'error', ...fields, messages: [...messages, ...this.#appended] }
  }

  /** Adds messages to the next turn and sends nothing. The reply that was just received is skipped: it is there already. */
  append(...messages: ThreadMessage[]): void {
    for (const message of messages) {
      if (this.#isBusy) this.#appended.push(toParam(message))
      else if (this.#history) this.#history.append(message)
      else this.#params.messages.push(toParam(message))
    }
  }

  /** Changes the parameters and options of all later turns. `system` and `tools` stay as the thread was created with. */
  update(params: ThreadSendParams = {}, options: RequestOptions = {}): void {
    refuseThread(params)
    const given = definedFields(params)
    if (this.#history) this.#history.update(given)
    else this.#params = { ...this.#params, ...given }
    this.#options = { ...this.#options, ...options }
  }

  /** The same conversation and parameters, in a thread of its own. */
  fork(): MessageThread<Parsed> {
    const fork = new MessageThread<Parsed>(this.#sender, this.params, this.#options)
    fork.#history = this.#history?.fork(this.#appended)
    return fork
  }

  /** Sends one turn. If it fails without a reply, its messages are removed again, so that it can be sent again. */
  send(messages?: ThreadInput, params: ThreadSendParams = {}, options: RequestOptions = {}): ReplyPromise<Message> {
    return this.#reply(this.#turn(messages, params, options), (turn) => turn.send())
  }

  /** Like `send()`, and parses the reply by the output format of the thread. */
  parse(
    messages?: ThreadInput,
    params: ThreadSendParams = {},
    options: RequestOptions = {},
  ): ReplyPromise<ParsedMessage<Parsed>> {
    return this.#reply(this.#turn(messages, params, options), (turn) => turn.parse<Parsed>())
  }

  /** Like `send()`, and streams the reply. The turn ends with the stream. */
  stream(messages?: ThreadInput, params: ThreadSendParams = {}, options: RequestOptions = {}): MessageStream<Parsed> {
    return this.#stream(messages, params, options)
  }

  /** Runs the tools that replies call until a reply calls none. Every request is a turn of the thread. */
  toolRunner(settings?: ThreadRunnerSettings & { stream?: false }, options?: RequestOptions): ToolRunner<false>
  toolRunner(settings: ThreadRunnerSettings & { stream: true }, options?: RequestOptions): ToolRunner<true>
  toolRunner(settings: ThreadRunnerSettings = {}, options: RequestOptions = {}): ToolRunner {
    const { unsupportedRequestBehavior: _, tools = [], ...params } = this.params
    const sender: ToolRunnerSender = {
      client: this.#sender.client,
      create: async (params, options) => (await this.#turn([], {}, options, params)).send(),
      stream: (params, options) => this.#stream([], {}, options, params) as MessageStream,
      replace: (params) => this.#history?.replace(params),
    }
    return new ToolRunner(sender, { ...(params as ToolRunnerParams), ...settings, tools }, options)
  }

  #reply<Reply>(turn: Promise<ThreadTurn>, read: (turn: ThreadTurn) => Promise<Reply>): ReplyPromise<Reply> {
    const reply = turn.then(read)
    const withResponse = async (): Promise<WithResponse<Reply>> => (await turn).withResponse(await reply)
    return Object.assign(reply, { withResponse, asResponse: async () => (await withResponse()).response })
  }

  #stream(
    messages: ThreadInput | undefined,
    params: ThreadSendParams,
    options: RequestOptions,
    request?: RunnerRequest,
  ): MessageStream<Parsed> {
    const relay = new CancelRelay()
    const sent = [...this.messages, ...listOf(messages).map(toParam)]
    const events = this.#turn(messages, params, options, request).then((turn) => turn.open(relay))
    events.catch(() => {})
    return new MessageStream(events, relay, sent)
  }

  /** Begins a turn: blocks others at once, and loads the history for the first. */
  #turn(
    messages: ThreadInput | undefined,
    params: ThreadSendParams,
    options: RequestOptions,
    request?: RunnerRequest,
  ): Promise<ThreadTurn> {
    refuseThread(params)
    // A summary needs the whole conversation and is not a turn of it, so it is requested on a thread of its own.
    const thread = request?.compaction ? this.fork() : this
    if (thread.#isBusy) throw new AnthropicError('Cannot send: a turn is in flight')
    thread.#isBusy = true
    const input = {
      messages: listOf(messages),
      params,
      options: { ...this.#options, ...options },
      request,
      onEnd: () => thread.#release(),
    }
    const begun = thread.#begin(input)
    begun.catch(() => (thread.#isBusy = false))
    return begun
  }

  async #begin(input: TurnInput): Promise<ThreadTurn> {
    const { ThreadHistory, ThreadTurn } = await import('./thread-turn.ts')
    this.#history ??= new ThreadHistory(this.#params)
    return new ThreadTurn(this.#sender, this.#history, input)
  }

  /** Lets the next turn begin. Returns the messages that were appended during this one. */
  #release(): MessageParam[] {
    this.#isBusy = false
    return this.#appended.splice(0)
  }
}

function refuseThread(fields: object): void {
  if ((fields as { thread?: unknown }).thread !== undefined) throw new AnthropicError('Cannot set `thread` of a thread')
}
