import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import type { ParsedMessage } from '../../protocol/json/parsed-message.ts'
import { MessageStream } from '../stream/message-stream.ts'
import type { Messages } from '../resources/messages.ts'
import type { RequestOptions } from '../request/options.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { ThreadFields, ThreadMessage, ThreadParams, ThreadState } from './thread-state.ts'
import type { ThreadTurn } from './thread-turn.ts'
import { ToolRunner, type ToolRunnerParams, type ToolRunnerSender } from './tool-runner.ts'

export type ThreadInput = ThreadMessage | readonly ThreadMessage[]

/** What sends a thread's requests. */
export type ThreadSender = Pick<Messages, 'create' | 'events'>

/** Per-turn parameters: anything but the output format, which belongs to the thread. */
export type ThreadSendParams = Partial<Omit<ThreadFields, 'output_config'>>

export type ThreadRunnerSettings = Pick<ToolRunnerParams, 'stream' | 'max_iterations' | 'approve' | 'timeoutMs'>

/**
 * A conversation that the server holds between turns, so that each request sends only what is new (beta).
 *
 * The whole history is kept here too, and sent again when the server has lost it. One turn runs at a time. What a turn needs
 * is loaded with the first one: most programs that hold a client never begin a thread.
 */
export class MessageThread<Parsed = null> {
  readonly #sender: ThreadSender
  readonly #state: ThreadState
  #options: RequestOptions

  constructor(sender: ThreadSender, params: ThreadParams, options: RequestOptions = {}) {
    const { messages = [], unsupportedRequestBehavior = 'error', ...fields } = params
    refuseThread(fields)
    const staged = messages.map((message) => ({ message }))
    const anchor = { type: 'create', afterLoss: false } as const
    this.#sender = sender
    this.#state = {
      fields,
      onUnsupported: unsupportedRequestBehavior,
      held: [],
      staged,
      anchor,
      later: [],
      isBusy: false,
    }
    this.#options = options
  }

  /** The whole conversation, with what waits for the next turn. */
  get messages(): MessageParam[] {
    const { held, staged, later } = this.#state
    return [...[...held, ...staged].map(({ message }) => message), ...later]
  }

  /** The id of the reply that the next turn continues; null when it begins a new thread. */
  get previousMessageId(): string | null {
    const { anchor } = this.#state
    return anchor.type === 'continue' ? anchor.id : null
  }

  /** The parameters of a new thread with the same conversation. */
  get params(): ThreadParams & { messages: MessageParam[] } {
    const { fields, onUnsupported } = this.#state
    return { ...fields, messages: this.messages, unsupportedRequestBehavior: onUnsupported }
  }

  /** Adds messages to the next turn; sends nothing. The reply that was just received is there already and is passed over. */
  append(...messages: ThreadMessage[]): void {
    const { held, staged, later, isBusy } = this.#state
    for (const message of messages) {
      const last = [...held, ...staged].at(-1)?.reply
      if (isBusy) later.push(toParam(message))
      else if (!last || !('id' in message) || message.id !== last.id) staged.push({ message: toParam(message) })
    }
  }

  /** Changes the parameters and options of all later turns. `system` and `tools` stay as the thread was created with. */
  update(params: ThreadSendParams = {}, options: RequestOptions = {}): void {
    refuseThread(params)
    const given = Object.entries(params).filter(([, value]) => value !== undefined)
    this.#state.fields = { ...this.#state.fields, ...Object.fromEntries(given) }
    this.#options = { ...this.#options, ...options }
  }

  /** The same conversation and parameters, and a thread of its own. */
  fork(): MessageThread<Parsed> {
    const fork = new MessageThread<Parsed>(this.#sender, this.params, this.#options)
    const { held, staged, later, anchor } = this.#state
    if (anchor.type === 'none') fork.#state.anchor = anchor
    fork.#state.held = [...held]
    fork.#state.staged = [...staged, ...later.map((message) => ({ message }))]
    return fork
  }

  /** Sends one turn. When it fails without a reply, the messages are taken back and it may be sent again. */
  async send(messages?: ThreadInput, params: ThreadSendParams = {}, options: RequestOptions = {}): Promise<Message> {
    return (await this.#turn(messages, params, options)).send()
  }

  /** As `send()`, and reads the reply's value by the output format of the thread. */
  async parse(
    messages?: ThreadInput,
    params: ThreadSendParams = {},
    options: RequestOptions = {},
  ): Promise<ParsedMessage<Parsed>> {
    const reply = await this.send(messages, params, options)
    const { parseMessage } = await import('../../protocol/json/parsed-message.ts')
    return parseMessage(reply, this.#state.fields) as ParsedMessage<Parsed>
  }

  /** As `send()`, and hands out the reply as it comes. The turn is over when the stream is. */
  stream(messages?: ThreadInput, params: ThreadSendParams = {}, options: RequestOptions = {}): MessageStream<Parsed> {
    return this.#stream(messages, params, options)
  }

  /** Calls the runnable tools of the thread until a reply asks for none; every turn becomes part of the thread. */
  toolRunner(settings?: ThreadRunnerSettings & { stream?: false }, options?: RequestOptions): ToolRunner<false>
  toolRunner(settings: ThreadRunnerSettings & { stream: true }, options?: RequestOptions): ToolRunner<true>
  toolRunner(settings: ThreadRunnerSettings = {}, options: RequestOptions = {}): ToolRunner {
    const { unsupportedRequestBehavior: _, tools = [], ...params } = this.params
    const sender: ToolRunnerSender = {
      create: async (params, options) => (await this.#turn([], {}, options, params)).send(),
      stream: (params, options) => this.#stream([], {}, options, params) as MessageStream,
    }
    return new ToolRunner(sender, { ...(params as ToolRunnerParams), ...settings, tools }, options)
  }

  #stream(
    messages: ThreadInput | undefined,
    params: ThreadSendParams,
    options: RequestOptions,
    request?: RunnerRequest,
  ): MessageStream<Parsed> {
    const opening = new Opening()
    const asked = [...this.messages, ...toList(messages).map(toParam)]
    const events = this.#turn(messages, params, options, request).then((turn) => turn.open(opening))
    events.catch(() => {})
    return new MessageStream(events, opening, asked)
  }

  /** Takes the thread at once, and loads what a turn needs. */
  #turn(
    messages: ThreadInput | undefined,
    params: ThreadSendParams,
    options: RequestOptions,
    request?: RunnerRequest,
  ): Promise<ThreadTurn> {
    refuseThread(params)
    const state = this.#state
    if (state.isBusy) throw new AnthropicError('Cannot send: another turn of this thread is under way')
    state.isBusy = true
    const parts = { messages: toList(messages), params, options: { ...this.#options, ...options }, request }
    const begun = import('./thread-turn.ts').then(({ ThreadTurn }) => new ThreadTurn(this.#sender, state, parts))
    begun.catch(() => (state.isBusy = false))
    return begun
  }
}

/** The request of a tool runner over the thread: all parameters and the whole conversation. */
export type RunnerRequest = ThreadFields & { messages: MessageParam[] }

/** Whichever request or reply the stream is at: an abort must reach it. */
export class Opening implements Cancellable {
  #current: Cancellable | undefined
  #cancelled: Error | undefined

  take<Current extends Cancellable>(current: Current): Current {
    this.#current = current
    if (this.#cancelled) current.cancel(this.#cancelled)
    return current
  }

  cancel(error: Error): void {
    this.#cancelled = error
    this.#current?.cancel(error)
  }
}

function refuseThread(fields: object): void {
  if ((fields as { thread?: unknown }).thread !== undefined)
    throw new AnthropicError('Cannot set `thread`: the message thread sets it itself for each request')
}

function toList(messages: ThreadInput | undefined): readonly ThreadMessage[] {
  if (messages === undefined) return []
  return Array.isArray(messages) ? messages : [messages as ThreadMessage]
}

function toParam(message: ThreadMessage): MessageParam {
  return 'id' in message ? { role: message.role, content: message.content } : message
}
