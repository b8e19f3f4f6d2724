import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { ContentBlockDeltaEvent, MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { TextCitation } from '../../protocol/types/citation.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import type { ParsedMessage } from '../../protocol/json/parsed-message.ts'
import type { EventSource, StreamedEvent } from './event-source.ts'
import { withIds, withResponse, type WithResponse } from '../request/response.ts'
import type { Cancellable } from '../request/cancellation.ts'
import { dropped, Stream, toReadableStream } from './stream.ts'

/** What a listener is called with, by the name that it listens to. */
export interface MessageStreamEvents {
  connect: []
  streamEvent: [event: MessageStreamEvent, snapshot: Message]
  /** A keep-alive of the server, where the call was made with `pings: true`. */
  ping: []
  text: [textDelta: string, textSnapshot: string]
  citation: [citation: TextCitation, citationsSnapshot: TextCitation[]]
  /** A piece of a tool's input, and what can be read of all of it so far. */
  inputJson: [partialJson: string, jsonSnapshot: unknown]
  thinking: [thinkingDelta: string, thinkingSnapshot: string]
  signature: [signature: string]
  contentBlock: [content: ContentBlock]
  message: [message: Message]
  finalMessage: [message: Message]
  error: [error: AnthropicError]
  abort: [error: APIUserAbortError]
  end: []
}

type Name = keyof MessageStreamEvents
export type MessageStreamListener<Event extends Name> = (...args: MessageStreamEvents[Event]) => void
export type FinalMessage<Parsed> = [Parsed] extends [null] ? Message : ParsedMessage<Parsed>
type AnyListener = (...args: never[]) => void
type Emitted<Args extends unknown[]> = Args extends [] ? void : Args extends [infer One] ? One : Args

/**
 * One reply as it comes. It is read from the moment somebody listens, loops or waits for its end; who comes later gets what
 * comes then, and the whole message at the end.
 */
export class MessageStream<Parsed = null> implements AsyncIterable<MessageStreamEvent> {
  /** The messages that were asked with, and the reply once it is whole. */
  readonly messages: MessageParam[]
  readonly receivedMessages: Message[] = []
  readonly #events: Promise<EventSource>
  readonly #call: Cancellable
  readonly #listeners = new Map<Name, { listener: AnyListener; once: boolean }[]>()
  readonly #readers = new Set<QueueIterator>()
  #source: EventSource | undefined
  #controller: AbortController | undefined
  #run: Promise<Error | undefined> | undefined
  #isAwaited = false
  #failure: Error | undefined
  #ended = false

  constructor(events: Promise<EventSource>, call: Cancellable, messages: readonly MessageParam[]) {
    this.#events = events
    this.#call = call
    this.messages = [...messages]
    dropped?.register(this, call, this)
  }

  /** Reads what `toReadableStream` wrote elsewhere. */
  static fromReadableStream(readable: ReadableStream<Uint8Array>): MessageStream {
    const events = Stream.fromReadableStream<StreamedEvent>(readable)
    const source = import('./event-source.ts').then(({ iterableSource }) => iterableSource(events))
    return new MessageStream(source, { cancel: () => void readable.cancel().catch(() => {}) }, [])
  }

  /** The message so far. */
  get currentMessage(): Message | undefined {
    void this.#start()
    return this.#ended && !this.#failure ? undefined : this.#source?.message
  }

  /** The answer that carries the stream, once it is there. */
  get response(): Response | undefined {
    return this.#source?.reply?.response()
  }

  get request_id(): string | null | undefined {
    return this.#source?.reply?.header('request-id')
  }

  get workspace_id(): string | null | undefined {
    return this.#source?.reply?.header('anthropic-workspace-id')
  }

  get ended(): boolean {
    return this.#ended
  }

  get errored(): boolean {
    return this.#failure !== undefined
  }

  get aborted(): boolean {
    return this.#failure instanceof APIUserAbortError
  }

  /** Aborts the stream. Made when first asked for. */
  get controller(): AbortController {
    if (this.#controller) return this.#controller
    const controller = new AbortController()
    controller.signal.addEventListener('abort', () => this.#cancel(), { once: true })
    return (this.#controller = controller)
  }

  /** Ends the stream; whoever waits for it gets `APIUserAbortError`. */
  abort(): void {
    this.controller.abort()
  }

  on<Event extends Name>(event: Event, listener: MessageStreamListener<Event>): this {
    return this.#listen(event, listener, false)
  }

  once<Event extends Name>(event: Event, listener: MessageStreamListener<Event>): this {
    return this.#listen(event, listener, true)
  }

  /** Takes one registration of the listener away. */
  off<Event extends Name>(event: Event, listener: MessageStreamListener<Event>): this {
    const listeners = this.#listeners.get(event) ?? []
    const at = listeners.findIndex((entry) => entry.listener === listener)
    this.#listeners.set(
      event,
      listeners.filter((_, index) => index !== at),
    )
    return this
  }

  /** What the next event of the name brings; rejects when the stream fails before. */
  emitted<Event extends Name>(event: Event): Promise<Emitted<MessageStreamEvents[Event]>> {
    this.#isAwaited = true
    return new Promise((resolve, reject) => {
      this.once(event, (...args) => resolve((args.length > 1 ? args : args[0]) as Emitted<MessageStreamEvents[Event]>))
      if (event !== 'error') this.once('error', reject)
      if (event !== 'abort') this.once('abort', reject)
    })
  }

  /** Waits for the end; rejects when the stream failed or was aborted. */
  async done(): Promise<void> {
    this.#isAwaited = true
    const failure = await this.#start()
    if (failure) throw failure
  }

  /** The whole message; where the request had an output format with `parse`, with the value that it stands for. */
  async finalMessage(): Promise<FinalMessage<Parsed>> {
    await this.done()
    const message = this.receivedMessages.at(-1)
    if (!message) throw new AnthropicError('Cannot give the final message: the stream ended without one')
    return message as FinalMessage<Parsed>
  }

  /** The text of the final message; several text blocks are joined with a space. */
  async finalText(): Promise<string> {
    const { content } = await this.finalMessage()
    const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
    if (texts.length === 0) {
      const found = content.map((block) => block.type).join(', ') || 'no content'
      throw new AnthropicError(`Cannot give the final text as the message has no text block: found ${found}`)
    }
    return texts.join(' ')
  }

  /** The stream and the answer that carries it. */
  async withResponse(): Promise<WithResponse<this>> {
    this.#isAwaited = true
    const { reply } = (this.#source = await this.#events)
    if (!reply) throw new AnthropicError('Cannot give the response as the stream was not read from one')
    return withResponse(this, reply)
  }

  /** The events, each as JSON on a line. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return toReadableStream(this)
  }

  /** The events from now on. Leaving the loop early aborts the stream. */
  [Symbol.asyncIterator](): AsyncIterator<MessageStreamEvent> {
    const reader = new QueueIterator(() => this.abort())
    if (this.#ended) reader.end(this.#failure)
    else this.#readers.add(reader)
    void this.#start()
    return reader
  }

  #listen<Event extends Name>(event: Event, listener: MessageStreamListener<Event>, once: boolean): this {
    const listeners = this.#listeners.get(event) ?? []
    this.#listeners.set(event, [...listeners, { listener: listener as AnyListener, once }])
    void this.#start()
    return this
  }

  #cancel(): void {
    const current = this.#source ?? this.#call
    current.cancel(new APIUserAbortError())
  }

  /** Reads the stream to its end, once. Resolves with the failure, so that there is no rejection unless somebody waits. */
  #start(): Promise<Error | undefined> {
    // From here on it is read whoever drops it; and what is registered, its text with it, is old before it is garbage.
    dropped?.unregister(this)
    return (this.#run ??= this.#pump().then(
      () => this.#finish(undefined),
      (error: Error) => {
        // A listener may have thrown: nobody will read the rest.
        this.#cancel()
        return this.#finish(error)
      },
    ))
  }

  async #pump(): Promise<void> {
    const source = (this.#source = await this.#events)
    if (source.reply) this.#emit('connect')
    await source.each((events) => {
      // Of a reply that is only waited for, thousands of events come that nobody looks at.
      const isFollowed = this.#readers.size > 0 || this.#listeners.size > 0
      if (!isFollowed && events.at(-1)!.type !== 'message_stop') return
      for (const event of events) {
        this.#handOut(event, source)
        if (source.failure instanceof APIUserAbortError) throw source.failure
      }
    })
    const message = source.message!
    this.#emit('finalMessage', source.reply ? withIds(message, source.reply) : message)
  }

  #finish(failure: Error | undefined): Error | undefined {
    this.#failure = failure
    this.#ended = true
    for (const reader of this.#readers) reader.end(failure)
    if (failure instanceof APIUserAbortError) this.#emit('abort', failure)
    else if (failure) {
      const isHeard = this.#isAwaited || this.#readers.size > 0 || (this.#listeners.get('error')?.length ?? 0) > 0
      this.#emit('error', failure)
      // Listeners that only wait for text would never learn of it.
      if (!isHeard) void Promise.reject(failure)
    }
    this.#emit('end')
    return failure
  }

  #emit<Event extends Name>(event: Event, ...args: MessageStreamEvents[Event]): void {
    const listeners = this.#listeners.get(event)
    if (!listeners) return
    if (listeners.some(({ once }) => once))
      this.#listeners.set(
        event,
        listeners.filter(({ once }) => !once),
      )
    for (const { listener } of listeners) listener(...(args as never[]))
  }

  #handOut(event: StreamedEvent, source: EventSource): void {
    if (event.type === 'ping') return this.#emit('ping')
    for (const reader of this.#readers) reader.push(event)
    // Looked at only where somebody listens: a tool input that is under way is then read piece by piece.
    if (this.#listeners.size > 0 && source.message) this.#tell(event, source.message)
    if (event.type === 'message_stop') this.#receive(source.message!)
  }

  #receive(message: Message): void {
    this.messages.push(message)
    this.receivedMessages.push(message)
    this.#emit('message', message)
  }

  #tell(event: MessageStreamEvent, message: Message): void {
    this.#emit('streamEvent', event, message)
    if (event.type === 'content_block_delta') this.#tellDelta(event, message.content[event.index])
    else if (event.type === 'content_block_stop') {
      const block = message.content[event.index]
      if (block) this.#emit('contentBlock', block)
    }
  }

  #tellDelta({ delta }: ContentBlockDeltaEvent, block: ContentBlock | undefined): void {
    if (delta.type === 'text_delta' && block?.type === 'text') this.#emit('text', delta.text, block.text)
    else if (delta.type === 'citations_delta' && block?.type === 'text')
      this.#emit('citation', delta.citation, block.citations ?? [])
    else if (delta.type === 'thinking_delta' && block?.type === 'thinking')
      this.#emit('thinking', delta.thinking, block.thinking)
    else if (delta.type === 'signature_delta' && block?.type === 'thinking') this.#emit('signature', block.signature)
    else if (delta.type === 'input_json_delta' && block && 'input' in block)
      this.#emit('inputJson', delta.partial_json, block.input)
  }
}

/** Events that were pushed, handed out one by one. */
class QueueIterator implements AsyncIterator<MessageStreamEvent> {
  readonly #leave: () => void
  #events: MessageStreamEvent[] = []
  #at = 0
  #waiting: { resolve: (result: IteratorResult<MessageStreamEvent>) => void; reject: (error: Error) => void }[] = []
  #ended = false
  #failure: Error | undefined

  constructor(leave: () => void) {
    this.#leave = leave
  }

  push(event: MessageStreamEvent): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ value: event, done: false })
    else this.#events.push(event)
  }

  end(failure: Error | undefined): void {
    this.#ended = true
    const waiting = this.#waiting.splice(0)
    for (const { resolve, reject } of waiting) {
      if (failure) reject(failure)
      else resolve({ value: undefined, done: true })
    }
    // Who waits has been told; who comes later is told once.
    if (waiting.length === 0) this.#failure = failure
    if (failure instanceof APIUserAbortError) this.#empty()
  }

  next(): Promise<IteratorResult<MessageStreamEvent>> {
    if (this.#at < this.#events.length) {
      const value = this.#events[this.#at++]!
      if (this.#at === this.#events.length) this.#empty()
      return Promise.resolve({ value, done: false })
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure) return Promise.reject(failure)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async return(): Promise<IteratorResult<MessageStreamEvent>> {
    this.#ended = true
    this.#empty()
    this.#leave()
    return { value: undefined, done: true }
  }

  #empty(): void {
    this.#events = []
    this.#at = 0
  }
}
