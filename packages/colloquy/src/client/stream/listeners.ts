import type { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { TextCitation } from '../../protocol/types/citation.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { ParsedMessage } from '../../protocol/json/parsed-message.ts'

/** A complete reply; with the value of its text if the request had an output format. */
export type FinalMessage<Parsed> = [Parsed] extends [null] ? Message : ParsedMessage<Parsed>

/** The arguments of a listener, by the name of the event that it listens to. */
export interface MessageStreamEvents<Parsed = null> {
  connect: []
  streamEvent: [event: MessageStreamEvent, snapshot: Message]
  /** A keep-alive event of the server. Emitted only for requests with `pings: true`. */
  ping: []
  text: [textDelta: string, textSnapshot: string]
  citation: [citation: TextCitation, citationsSnapshot: TextCitation[]]
  /** A piece of a tool's input, and the value of all pieces so far. */
  inputJson: [partialJson: string, jsonSnapshot: unknown]
  thinking: [thinkingDelta: string, thinkingSnapshot: string]
  signature: [signature: string]
  /** The summary that the API made of the conversation (a beta). */
  compaction: [content: string]
  contentBlock: [content: ContentBlock]
  /**
   * An event that the other listeners have handled. `afterReaders` calls back when all loops over the stream have, too.
   *
   * @internal
   */
  delivered: [event: MessageStreamEvent, snapshot: Message, afterReaders: (callback: () => void) => void]
  message: [message: FinalMessage<Parsed>]
  finalMessage: [message: FinalMessage<Parsed>]
  error: [error: AnthropicError]
  abort: [error: APIUserAbortError]
  end: []
}

type Name = keyof MessageStreamEvents
export type MessageStreamListener<Event extends Name, Parsed = null> = (
  ...args: MessageStreamEvents<Parsed>[Event]
) => void
/** A listener to any of the events. */
export type AnyListener = (...args: never[]) => void

/** The listeners of a stream. */
export class Listeners {
  readonly #entries = new Map<Name, { listener: AnyListener; once: boolean }[]>()

  /** Whether a listener was ever added. */
  get isUsed(): boolean {
    return this.#entries.size > 0
  }

  has(name: Name): boolean {
    return this.#of(name).length > 0
  }

  add(name: Name, listener: AnyListener, { once }: { once: boolean }): void {
    this.#entries.set(name, [...this.#of(name), { listener, once }])
  }

  /** Removes one registration of the listener. */
  remove(name: Name, listener: AnyListener): void {
    const removed = this.#of(name).find((entry) => entry.listener === listener)
    this.#keep(name, (entry) => entry !== removed)
  }

  emit<Event extends Name>(name: Event, ...args: MessageStreamEvents[Event]): void {
    const entries = this.#entries.get(name)
    if (!entries) return
    if (entries.some(({ once }) => once)) this.#keep(name, ({ once }) => !once)
    for (const { listener } of entries) listener(...(args as never[]))
  }

  #of(name: Name): { listener: AnyListener; once: boolean }[] {
    return this.#entries.get(name) ?? []
  }

  #keep(name: Name, isKept: (entry: { listener: AnyListener; once: boolean }) => boolean): void {
    this.#entries.set(name, this.#of(name).filter(isKept))
  }
}
