import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import { parseEvent, receivedJson } from '../../../protocol/codec/event-stream.ts'
import { jsonElements } from '../../history/exact/json-members.ts'
import type { ConversationStore, JournalStep } from '../../stores/store.ts'
import { every } from '../../ticker.ts'

export interface JournalOptions {
  /** The reply's handle in the store. */
  handle: number
  /** The longest time for which an event stays unwritten, in milliseconds. */
  intervalMs: number
  /** Called if the store fails. */
  onError: (error: unknown) => void
  /** Called if another process wants the reply to be stopped. */
  onStop: () => void
}

/** How long a silent reply waits before the store learns that it is alive, and it learns whether to stop. */
const silenceMs = 1_000

/** Writes the events of a reply to the store as they arrive, so that a crash loses no more than the last interval of it. */
export class Journal {
  readonly #store: ConversationStore
  readonly #handle: number
  readonly #tickMs: number
  readonly #onError: (error: unknown) => void
  readonly #onStop: () => void
  readonly #stop: () => void
  #silentMs = 0
  #waiting: MessageStreamEvent[] = []
  /** Undefined before anything is written: most replies are complete by then. */
  #writing: Promise<void> | undefined
  #index = 0

  constructor(store: ConversationStore, { handle, intervalMs, onError, onStop }: JournalOptions) {
    this.#store = store
    this.#handle = handle
    this.#tickMs = Math.min(intervalMs, store.heartbeatMs, silenceMs)
    this.#onError = onError
    this.#onStop = onStop
    this.#stop = every(this.#tickMs, () => this.#tick())
  }

  push(event: MessageStreamEvent): void {
    const last = this.#waiting.at(-1)
    const longer = last === undefined ? undefined : join(last, event)
    if (longer === undefined) this.#waiting.push(event)
    else this.#waiting[this.#waiting.length - 1] = longer
  }

  /** Stops writing. Events that are not written yet are part of the reply's end. Undefined if nothing is being written. */
  close(): Promise<void> | undefined {
    this.#stop()
    return this.#writing
  }

  /** One timer for events and for signs of life: a short turn needs no other. */
  #tick(): void {
    this.#silentMs += this.#tickMs
    if (this.#waiting.length > 0) this.#flush()
    else if (this.#silentMs >= Math.min(this.#store.heartbeatMs, silenceMs)) this.#write('')
  }

  #flush(): void {
    const events = this.#waiting
    this.#waiting = []
    try {
      this.#write(`[${events.map((event) => receivedJson(event) ?? JSON.stringify(event)).join(',')}]`)
    } catch (error) {
      this.#onError(error)
    }
  }

  #write(json: string): void {
    this.#silentMs = 0
    const index = json === '' ? this.#index : this.#index++
    const step = { handle: this.#handle, index, json, at: Date.now() }
    this.#writing = this.#sendAfter(this.#writing, step)
  }

  /** Never rejects. */
  async #sendAfter(earlier: Promise<void> | undefined, step: JournalStep): Promise<void> {
    await earlier
    try {
      if (await this.#store.journal(step)) this.#onStop()
    } catch (error) {
      this.#onError(error)
    }
  }
}

/** The events of a journal. */
export function readJournal(parts: readonly string[]): MessageStreamEvent[] {
  const events = parts.flatMap((json) => jsonElements(json).map((data) => parseEvent({ event: undefined, data })))
  return events.filter((event) => event !== undefined) as MessageStreamEvent[]
}

const grows = ['text', 'thinking', 'partial_json'] as const

/** Two deltas of the same kind and block as one; undefined if they are not of one kind. */
function join(last: MessageStreamEvent, next: MessageStreamEvent): MessageStreamEvent | undefined {
  if (last.type !== 'content_block_delta' || next.type !== 'content_block_delta') return undefined
  if (last.index !== next.index || last.delta.type !== next.delta.type) return undefined
  const before = last.delta as unknown as Record<string, unknown>
  const after = next.delta as unknown as Record<string, unknown>
  for (const field of grows) {
    if (typeof before[field] !== 'string' || typeof after[field] !== 'string') continue
    return { ...last, delta: { ...last.delta, [field]: before[field] + after[field] } }
  }
  return undefined
}
