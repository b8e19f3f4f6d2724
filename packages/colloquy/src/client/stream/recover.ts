import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { APIError, APIUserAbortError } from '../../protocol/types/error.ts'
import type {
  ContentBlockDeltaEvent,
  ContentBlockStartEvent,
  MessageDeltaEvent,
  MessageDeltaUsage,
} from '../../protocol/types/event.ts'
import { isThinking } from '../../protocol/sendable.ts'
import type { Message, Usage } from '../../protocol/types/message.ts'
import type { MessageStreamParams } from '../../protocol/types/params.ts'
import type { EventSource, StreamedEvent } from './event-source.ts'
import { APIStreamError, isRetryable } from '../request/errors.ts'
import type { Joint } from './joint.ts'
import type { RecoverOptions } from '../request/options.ts'
import { forEach } from '../transport/sink.ts'
import { resumption } from './resume.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { TransportResponse } from '../transport/transport.ts'

/** Asks once more after a failure, waiting first as a retry does. */
export type AskAgain = (params: MessageStreamParams, failure: Error) => PromiseLike<EventSource> & Cancellable

/**
 * The events of one message, out of as many answers as it takes: when a stream breaks off after its first event, the next
 * answer goes on where it stopped, and the reader sees one message.
 *
 * Text is handed out as it comes. Every other block is held back until it is whole: a tool input or a thinking block cannot be
 * gone on with, so one that is cut is written anew by the next answer, and nothing of the first may have been seen. The price
 * is that tool inputs and thinking come in one piece. Usage is that of all answers; of one that was cut off, what it had
 * reported.
 */
export class RecoveringEvents implements EventSource {
  readonly #params: MessageStreamParams
  readonly #options: RecoverOptions
  readonly #askAgain: AskAgain
  /** What was handed out. */
  readonly #handedOut = new MessageAccumulator()
  #source: EventSource
  #current: Cancellable
  #failure: Error | undefined
  #isOver = false
  #attempts = 0

  // Of the answer that is being read:
  #joint: Joint | undefined
  #dropsThinking = false
  /** What becomes of the block that is being read: handed out as it comes, held back until it is whole, or dropped. */
  #block: 'text' | 'held' | 'dropped' | undefined
  #held: (ContentBlockStartEvent | ContentBlockDeltaEvent)[] = []
  /** The start of a text that goes on none, until it is known not to be empty. */
  #textStart: ContentBlockStartEvent | undefined
  #usage: Usage | undefined
  /** Of the answers before. */
  #usageBefore: Usage | undefined
  /** A text of an answer before was handed out without its end, so that this answer can go on with it. */
  #isTextOpen = false
  #textIndex = 0

  constructor(source: EventSource, params: MessageStreamParams, options: RecoverOptions, askAgain: AskAgain) {
    this.#source = source
    this.#current = source
    this.#params = params
    this.#options = options
    this.#askAgain = askAgain
  }

  get reply(): TransportResponse | undefined {
    return this.#source.reply
  }

  get message(): Message | undefined {
    return this.#handedOut.message
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  cancel(error: Error): void {
    if (this.#isOver) return
    this.#failure ??= error
    this.#current.cancel(error)
  }

  async read(): Promise<readonly StreamedEvent[] | undefined> {
    while (!this.#isOver) {
      if (this.#failure) throw this.#failure
      const events = await this.#readOrResume()
      if (events.length > 0) return events
    }
    return undefined
  }

  each(take: (events: readonly StreamedEvent[]) => void): Promise<void> {
    return forEach(this, take)
  }

  async #readOrResume(): Promise<StreamedEvent[]> {
    let events: readonly StreamedEvent[] | undefined
    try {
      events = await this.#source.read()
    } catch (error) {
      return this.#resume(error as Error)
    }
    return (events ?? []).flatMap((event) => this.#handOut(this.#take(event)))
  }

  #handOut(events: StreamedEvent[]): StreamedEvent[] {
    for (const event of events) this.#handedOut.push(event)
    return events
  }

  /** What of an answer's event is handed out. */
  #take(event: StreamedEvent): StreamedEvent[] {
    switch (event.type) {
      case 'message_start':
        this.#usage = event.message.usage
        return this.#usageBefore ? [] : [event]
      case 'content_block_start':
        return this.#open(event)
      case 'content_block_delta':
        return this.#goOn(event)
      case 'content_block_stop':
        return this.#close(true)
      case 'message_delta':
        // A tool input that `max_tokens` cut has no end of its own.
        return [...this.#close(false), ...this.#closeText(), this.#withWholeUsage(event)]
      case 'message_stop':
        this.#isOver = true
    }
    return [event]
  }

  #open(event: ContentBlockStartEvent): StreamedEvent[] {
    if (event.content_block.type === 'text') {
      this.#block = 'text'
      if (this.#isTextOpen) return []
      this.#textStart = event
      return this.#usageBefore ? [] : this.#startText()
    }
    this.#block = this.#dropsThinking && isThinking(event.content_block) ? 'dropped' : 'held'
    this.#held = [event]
    return []
  }

  #goOn(event: ContentBlockDeltaEvent): StreamedEvent[] {
    if (this.#block === 'held') this.#held.push(event)
    if (this.#block !== 'text') return []
    const { delta } = event
    if (this.#joint && delta.type === 'text_delta') return this.#newText(this.#joint.push(delta.text))
    return [...this.#startText(), at(event, this.#textIndex)]
  }

  #newText(text: string): StreamedEvent[] {
    if (text === '') return []
    return [
      ...this.#startText(),
      { type: 'content_block_delta', index: this.#textIndex, delta: { type: 'text_delta', text } },
    ]
  }

  #startText(): StreamedEvent[] {
    const start = this.#textStart
    if (!start) return []
    this.#textStart = undefined
    this.#isTextOpen = true
    this.#textIndex = this.#nextIndex()
    return [at(start, this.#textIndex)]
  }

  /** Ends the block that is being read, and hands it out if it was held back. */
  #close(hasEnd: boolean): StreamedEvent[] {
    const block = this.#block
    this.#block = undefined
    if (block === 'text') {
      const rest = this.#newText(this.#joint?.end() ?? '')
      this.#joint = undefined
      this.#textStart = undefined
      return [...rest, ...this.#closeText()]
    }
    if (block !== 'held') return []
    const closing = this.#closeText()
    const index = this.#nextIndex()
    const held = this.#held.map((event) => at(event, index))
    return hasEnd ? [...closing, ...held, { type: 'content_block_stop', index }] : [...closing, ...held]
  }

  #closeText(): StreamedEvent[] {
    if (!this.#isTextOpen) return []
    this.#isTextOpen = false
    return [{ type: 'content_block_stop', index: this.#textIndex }]
  }

  #nextIndex(): number {
    return this.message?.content.length ?? 0
  }

  async #resume(error: Error): Promise<StreamedEvent[]> {
    const { message } = this
    const next = message && isRetryable(error) ? resumption(this.#params, message, this.#options.prefill) : undefined
    if (this.#failure || !next) throw this.#fail(error)
    if (next.way === 'end') return this.#handOut(this.#end(next.stopReason))
    if (this.#attempts++ >= this.#options.attempts) throw this.#fail(error)
    this.#usageBefore = this.#wholeUsage()
    this.#usage = undefined
    this.#block = undefined
    this.#textStart = undefined
    this.#joint = next.joint
    this.#dropsThinking = next.dropsThinking
    const asking = this.#askAgain(next.params, error)
    this.#current = asking
    try {
      this.#source = await asking
    } catch (cause) {
      throw this.#fail(cause as Error)
    }
    this.#current = this.#source
    return []
  }

  /** Keeps the error for whoever asks again, with all that was handed out rather than what the last answer brought. */
  #fail(error: Error): Error {
    if (!this.#failure && error instanceof APIError && !(error instanceof APIUserAbortError) && this.message) {
      const { message, error: body, headers } = error
      const partial = { ...this.message, usage: this.#wholeUsage()! }
      return (this.#failure = new APIStreamError({ message, error: body, headers, partial, cause: error }))
    }
    return (this.#failure ??= error)
  }

  /** The events that a message lacks whose content is all there. */
  #end(stopReason: string | undefined): StreamedEvent[] {
    this.#isOver = true
    const closing = this.#closeText()
    if (stopReason === undefined) return [...closing, { type: 'message_stop' }]
    const delta = { stop_reason: stopReason, stop_sequence: null }
    return [...closing, { type: 'message_delta', delta, usage: this.#wholeUsage()! }, { type: 'message_stop' }]
  }

  #withWholeUsage(event: MessageDeltaEvent): MessageDeltaEvent {
    this.#usage = replaced(this.#usage, event.usage)
    return this.#usageBefore ? { ...event, usage: this.#wholeUsage()! } : event
  }

  #wholeUsage(): Usage | undefined {
    return sum(this.#usageBefore, this.#usage) as Usage | undefined
  }
}

/** Counts in a stream are totals: what came later stands, where it says anything. */
function replaced(usage: Usage | undefined, later: MessageDeltaUsage): Usage {
  const said = Object.entries(later).filter(([, value]) => value !== null && value !== undefined)
  return { ...usage, ...Object.fromEntries(said) } as Usage
}

/** Numbers are added wherever they stand; of anything else the later one stands. */
function sum(before: unknown, after: unknown): unknown {
  if (typeof before === 'number' && typeof after === 'number') return before + after
  if (Array.isArray(before) && Array.isArray(after)) return [...before, ...after]
  if (!isObject(before) || !isObject(after)) return after ?? before
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(Array.from(keys, (key) => [key, sum(before[key], after[key])]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The event at that place of the message. Where it is there already it stays tied to its text. */
function at<Event extends { index: number }>(event: Event, index: number): Event {
  return event.index === index ? event : { ...event, index }
}
