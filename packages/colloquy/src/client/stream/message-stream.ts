import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { withIds, withResponse, type WithResponse } from '../request/response.ts'
import type { Cancellable } from '../request/cancellation.ts'
import { listOf } from '../request/request.ts'
import { EventQueue } from './event-queue.ts'
import {
  type AnyListener,
  type FinalMessage,
  Listeners,
  type MessageStreamEvents,
  type MessageStreamListener,
} from './listeners.ts'
import type { MessageEvents } from './events/message-events.ts'
import type * as streamingModule from './streaming.ts'
import { abandonedStreams } from './abandoned-streams.ts'
import { toReadableStream } from './stream.ts'

type Name = keyof MessageStreamEvents
type OneOf<Args> = Args extends [] ? void : Args extends [infer One] ? One : Args
type Emitted<Event extends Name, Parsed> = OneOf<MessageStreamEvents<Parsed>[Event]>

/**
 * One reply while it streams. Reading starts with the first listener, loop or promise. A listener added later receives only
 * later events, but always the final message.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const stream = new Anthropic().messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * let text = ''
 * stream.on('text', (delta) => (text += delta))
 * const { stop_reason } = await stream.finalMessage()
 * console.log(text, stop_reason) // 6 * 7 = 42 end_turn
 * ```
 */
export class MessageStream<Parsed = null> implements AsyncIterable<MessageStreamEvent> {
  /** The messages of the request, followed by the reply once it is complete. */
  declare readonly messages: MessageParam[]
  readonly receivedMessages: FinalMessage<Parsed>[] = []
  readonly #events: Promise<MessageEvents>
  readonly #call: Cancellable
  readonly #listeners = new Listeners()
  readonly #queues = new Set<EventQueue<MessageStreamEvent>>()
  #phase: 'idle' | 'reading' | 'complete' | 'failed' = 'idle'
  #source: MessageEvents | undefined
  #controller: AbortController | undefined
  /** Settled when reading has ended; resolves with the failure, which rejects only the promises that the caller asked for. */
  #end: Promise<Error | undefined> | undefined
  #failure: Error | undefined
  /** Whether the caller has a promise that rejects with the failure. */
  #isAwaited = false

  constructor(events: Promise<MessageEvents>, call: Cancellable, messages: readonly MessageParam[]) {
    this.#events = events
    this.#call = call
    this.messages = [...listOf(messages)]
    abandonedStreams?.register(this, call, this)
  }

  /** Reads a stream that `toReadableStream()` wrote. */
  static fromReadableStream(readable: ReadableStream<Uint8Array>): MessageStream {
    const events = loadStreaming().then(({ readableEvents }) => readableEvents(readable))
    return new MessageStream(events, { cancel: () => void readable.cancel().catch(() => {}) }, [])
  }

  /** The message so far. Undefined before its first event and after the last. */
  get currentMessage(): Message | undefined {
    void this.#start()
    return this.#phase === 'complete' ? undefined : this.#source?.message
  }

  /** The response that carries the stream, once it has arrived. */
  get response(): Response | undefined {
    return this.#source?.response?.response()
  }

  get request_id(): string | null | undefined {
    return this.#source?.response?.header('request-id')
  }

  get workspace_id(): string | null | undefined {
    return this.#source?.response?.header('anthropic-workspace-id')
  }

  get ended(): boolean {
    return this.#phase === 'complete' || this.errored
  }

  get errored(): boolean {
    return this.#phase === 'failed'
  }

  get aborted(): boolean {
    return this.#failure instanceof APIUserAbortError
  }

  /** Aborts the stream, and is aborted with it by the signal of the request. Created on first use. */
  get controller(): AbortController {
    if (this.#controller) return this.#controller
    const controller = new AbortController()
    controller.signal.addEventListener('abort', () => this.#cancel(), { once: true })
    return (this.#controller = controller)
  }

  /** Ends the stream. Its promises reject with `APIUserAbortError`. */
  abort(): void {
    this.controller.abort()
  }

  /** Adds a listener for an event. */
  on<Event extends Name>(event: Event, listener: MessageStreamListener<Event, Parsed>): this {
    this.#listeners.add(event, listener as AnyListener, { once: false })
    void this.#start()
    return this
  }

  /** Adds a listener for the next such event only. */
  once<Event extends Name>(event: Event, listener: MessageStreamListener<Event, Parsed>): this {
    this.#listeners.add(event, listener as AnyListener, { once: true })
    void this.#start()
    return this
  }

  /** Removes one registration of the listener. */
  off<Event extends Name>(event: Event, listener: MessageStreamListener<Event, Parsed>): this {
    this.#listeners.remove(event, listener as AnyListener)
    return this
  }

  /** Waits for the next event of that name. Rejects if the stream fails first; an aborted stream still emits `abort` and `end`. */
  emitted<Event extends Name>(event: Event): Promise<Emitted<Event, Parsed>> {
    this.#isAwaited = true
    return new Promise((resolve, reject) => {
      this.once(event, (...args) => resolve((args.length > 1 ? args : args[0]) as Emitted<Event, Parsed>))
      if (event !== 'error') this.once('error', reject)
      if (event !== 'abort' && event !== 'end') this.once('abort', reject)
    })
  }

  /** Waits for the end. Rejects if the stream failed or was aborted. */
  async done(): Promise<void> {
    this.#isAwaited = true
    const failure = await this.#start()
    if (failure) throw failure
  }

  /** Waits for the complete message. Parses its text if the request had an output format with `parse`. */
  async finalMessage(): Promise<FinalMessage<Parsed>> {
    await this.done()
    return this.receivedMessages.at(-1)!
  }

  /** The text of the final message; several text blocks are joined with a space. */
  async finalText(): Promise<string> {
    return (await loadStreaming()).textOf(await this.finalMessage())
  }

  /** The stream and the response that carries it. */
  async withResponse(): Promise<WithResponse<this>> {
    this.#isAwaited = true
    const { response } = (this.#source = await this.#events)
    if (!response) throw new AnthropicError('Cannot return the response: there is none')
    return withResponse(this, response)
  }

  /** The events, each as a line of JSON. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return toReadableStream(this)
  }

  /** The events from now on. Leaving the loop early aborts the stream. */
  [Symbol.asyncIterator](): AsyncIterator<MessageStreamEvent> {
    // Leaving after `message_stop` ends nothing.
    const leave = (hasReadAll: boolean): void => (hasReadAll && this.#source?.isOver ? undefined : this.abort())
    const queue = new EventQueue<MessageStreamEvent>(leave)
    if (this.ended) queue.end(this.#failure)
    else this.#queues.add(queue)
    void this.#start()
    return queue
  }

  #cancel(): void {
    abandonedStreams?.unregister(this)
    ;(this.#source ?? this.#call).cancel(new APIUserAbortError())
  }

  /** Reads the stream to its end, once. */
  #start(): Promise<Error | undefined> {
    return (this.#end ??= this.#run())
  }

  async #run(): Promise<Error | undefined> {
    this.#phase = 'reading'
    // The stream no longer needs cancelling when dropped; unregister it now, so that its text can be collected early.
    abandonedStreams?.unregister(this)
    try {
      await this.#read()
    } catch (error) {
      // A listener may have thrown, and then the rest is not read.
      this.#cancel()
      this.#failure = asOwnError(error)
    }
    this.#finish()
    return this.#failure
  }

  async #read(): Promise<void> {
    const source = (this.#source = await this.#events)
    if (source.response) this.#listeners.emit('connect')
    const { deliver } = await loadStreaming()
    const onMessage = (message: Message): void => {
      this.messages.push(message)
      this.receivedMessages.push(message as FinalMessage<Parsed>)
      this.#listeners.emit('message', message)
    }
    await deliver(source, { queues: this.#queues, listeners: this.#listeners, onMessage })
    const message = source.message!
    this.#listeners.emit('finalMessage', source.response ? withIds(message, source.response) : message)
  }

  #finish(): void {
    const failure = this.#failure
    const isHeard = this.#isAwaited || this.#queues.size > 0 || this.#listeners.has('error')
    this.#phase = failure ? 'failed' : 'complete'
    for (const queue of this.#queues) queue.end(failure)
    if (this.aborted) this.abort()
    if (failure instanceof APIUserAbortError) this.#listeners.emit('abort', failure)
    else if (failure) {
      this.#listeners.emit('error', failure)
      // Listeners to the text alone would never learn of the failure.
      if (!isHeard) void Promise.reject(failure)
    }
    this.#listeners.emit('end')
  }
}

let streaming: Promise<typeof streamingModule> | undefined

/** Loads the code of streams while the first one is requested, as a program without streams does not need it. */
export function loadStreaming(): Promise<typeof streamingModule> {
  return (streaming ??= import('./streaming.ts'))
}

/** The error itself, or for one of a listener an `AnthropicError` with it as the cause. */
function asOwnError(error: unknown): AnthropicError {
  if (error instanceof AnthropicError) return error
  return new AnthropicError((error as Error | undefined)?.message ?? String(error), { cause: error })
}
