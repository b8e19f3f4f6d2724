import { MessageAccumulator } from '../../../protocol/codec/accumulate.ts'
import type {
  ContentBlockDeltaEvent,
  ContentBlockStartEvent,
  ContentBlockStopEvent,
  MessageDeltaEvent,
} from '../../../protocol/types/event.ts'
import type { Message, Usage } from '../../../protocol/types/message.ts'
import { isThinking } from '../../../protocol/sendable.ts'
import type { StreamedEvent } from '../events/message-events.ts'
import type { ContinuationJoiner } from './continuation-joiner.ts'
import { sumUsage, replaceUsage } from './usage.ts'

/** The message as the reader has received it, from all responses. */
export class HandedOutMessage {
  #accumulator: MessageAccumulator | undefined = new MessageAccumulator()
  /** The index of a text block whose end was not handed out, so that the next response can continue it. */
  openText: number | undefined

  get message(): Message | undefined {
    return this.#accumulator?.message
  }

  get nextIndex(): number {
    return this.message?.content.length ?? 0
  }

  /** Records an event. */
  push(event: StreamedEvent): void {
    this.#accumulator?.push(event)
  }

  /** Frees the message, which then cannot be continued. */
  forget(): void {
    this.#accumulator = undefined
  }

  /** The event that ends the open text. */
  closeText(): StreamedEvent[] {
    if (this.openText === undefined) return []
    const index = this.openText
    this.openText = undefined
    return [{ type: 'content_block_stop', index }]
  }
}

/** How a later response continues the message. */
export interface Continuation {
  joiner: ContinuationJoiner
  dropsThinking: boolean
  /** The usage of the earlier responses. */
  usage: Usage | undefined
}

/** Turns the events of one response into those that continue the message the reader has. */
export class Splice {
  readonly #handedOut: HandedOutMessage
  /** Undefined for the first response, whose events begin the message. */
  readonly #continuation: Continuation | undefined
  #joiner: ContinuationJoiner | undefined
  /** How the block that is being read is treated: handed out as it arrives, held until it is complete, or dropped. */
  #block: 'text' | 'held' | 'dropped' | undefined
  #held: (ContentBlockStartEvent | ContentBlockDeltaEvent)[] = []
  /** The start of a new text block, withheld until its first text arrives. */
  #textStart: ContentBlockStartEvent | undefined
  #usage: Usage | undefined
  /** The model that writes this response. */
  #model: string | undefined

  constructor(handedOut: HandedOutMessage, continuation?: Continuation) {
    this.#handedOut = handedOut
    this.#continuation = continuation
    this.#joiner = continuation?.joiner
  }

  /** Whether a part of a block was handed out that cannot be continued. */
  readonly isInsideBlock = false

  /** The usage of this response and the earlier ones. */
  get usage(): Usage | undefined {
    return sumUsage(this.#continuation?.usage, this.#usage)
  }

  /** Returns the events to hand out for an event of the response. */
  take(event: StreamedEvent): StreamedEvent[] {
    switch (event.type) {
      case 'message_start':
        this.#usage = event.message.usage
        this.#model = event.message.model
        return this.#continuation ? [] : [event]
      case 'content_block_start':
        return this.#open(event)
      case 'content_block_delta':
        return this.#extend(event)
      case 'content_block_stop':
        return this.#close(event)
      case 'message_delta':
        // A tool input that `max_tokens` cut off has no `content_block_stop`.
        return [...this.#close(), ...this.#handedOut.closeText(), this.#withTotals(event)]
      default:
        return [event]
    }
  }

  #open(event: ContentBlockStartEvent): StreamedEvent[] {
    if (event.content_block.type === 'text') {
      this.#block = 'text'
      if (this.#handedOut.openText !== undefined) return []
      this.#textStart = event
      return this.#continuation ? [] : this.#startText()
    }
    if (event.content_block.type === 'fallback') this.#model = event.content_block.to?.model ?? this.#model
    this.#block = this.#continuation?.dropsThinking && isThinking(event.content_block) ? 'dropped' : 'held'
    this.#held = [event]
    return []
  }

  #extend(event: ContentBlockDeltaEvent): StreamedEvent[] {
    if (this.#block === 'held') this.#held.push(event)
    if (this.#block !== 'text') return []
    const { delta } = event
    if (this.#joiner && delta.type === 'text_delta') return this.#newText(this.#joiner.push(delta.text))
    const started = this.#startText()
    return [...started, at(event, this.#handedOut.openText!)]
  }

  #newText(text: string): StreamedEvent[] {
    if (text === '') return []
    const started = this.#startText()
    const index = this.#handedOut.openText!
    return [...started, { type: 'content_block_delta', index, delta: { type: 'text_delta', text } }]
  }

  #startText(): StreamedEvent[] {
    const start = this.#textStart
    if (!start) return []
    this.#textStart = undefined
    const index = this.#handedOut.nextIndex
    this.#handedOut.openText = index
    return [at(start, index)]
  }

  /** Ends the block that is being read, and hands it out if it was held. */
  #close(stop?: ContentBlockStopEvent): StreamedEvent[] {
    const block = this.#block
    this.#block = undefined
    if (block === 'text') return this.#closeText()
    if (block !== 'held') return []
    const index = this.#handedOut.nextIndex
    const held = [...this.#held, ...(stop ? [stop] : [])]
    return [...this.#handedOut.closeText(), ...held.map((event) => at(event, index))]
  }

  #closeText(): StreamedEvent[] {
    const rest = this.#newText(this.#joiner?.end() ?? '')
    this.#joiner = undefined
    this.#textStart = undefined
    return [...rest, ...this.#handedOut.closeText()]
  }

  /** The event with the usage of all responses, and with the model if another one than the reader knows wrote the end. */
  #withTotals(event: MessageDeltaEvent): MessageDeltaEvent {
    this.#usage = replaceUsage(this.#usage, event.usage)
    if (!this.#continuation) return event
    const model = this.#model === this.#handedOut.message?.model ? {} : { model: this.#model }
    return { ...event, ...model, usage: this.usage! }
  }
}

/** The event with that index. An event that has it already is returned unchanged, as its received JSON is tied to it. */
function at<Event extends { index: number }>(event: Event, index: number): Event {
  return event.index === index ? event : { ...event, index }
}
