import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { MessageCreateParams } from '../../../protocol/types/params.ts'
import type { ReplyTrace, TracedEvent } from '../../history/reply-record.ts'

/** Entries kept of one reply, at most. */
const mostEvents = 64
/** Deltas closer together than this become one entry. Doubled whenever there are too many entries. */
const firstSpanMs = 50
/** Longer prompts and tools are left out: each reply would repeat them. */
const mostCharacters = 4_000

/** Notes the events of a reply as they arrive. Its size is bounded, however long the reply is. */
export class Tracer {
  readonly #request: Pick<ReplyTrace, 'request' | 'omits'>
  readonly #now: () => number
  readonly #startedAt: number
  #events: TracedEvent[] = []
  #spanMs = firstSpanMs

  /** @param now the clock in milliseconds. Default: one that never goes back. */
  constructor(params: MessageCreateParams, now: () => number = () => performance.now()) {
    this.#request = shortened(params)
    this.#now = now
    this.#startedAt = now()
  }

  push(event: MessageStreamEvent): void {
    const ms = this.#elapsed()
    if (event.type !== 'content_block_delta') this.#events.push([ms, event.type])
    else add(this.#events, [ms, event.delta.type, 1, charactersOf(event.delta)], this.#spanMs)
    while (this.#events.length > mostEvents) this.#shorten()
  }

  /** The trace of a reply that has ended. */
  get trace(): ReplyTrace {
    return { ...this.#request, events: this.#events, ms: this.#elapsed() }
  }

  #elapsed(): number {
    return Math.round(this.#now() - this.#startedAt)
  }

  /** Joins deltas over a longer time. A reply of very many blocks keeps the beginning and the newest end. */
  #shorten(): void {
    const before = this.#events
    this.#spanMs *= 2
    this.#events = []
    for (const event of before) add(this.#events, event, this.#spanMs)
    if (this.#events.length === before.length) this.#events.splice(mostEvents / 2, 1)
  }
}

/** Adds an entry, or counts it in the last one if that is of the same kind and not long ago. */
function add(events: TracedEvent[], event: TracedEvent, spanMs: number): void {
  const last = events.at(-1)
  const [ms, type, count = 0, characters = 0] = event
  if (count === 0 || last?.[1] !== type || ms - last[0] >= spanMs) events.push(event)
  else events[events.length - 1] = [last[0], type, (last[2] ?? 0) + count, (last[3] ?? 0) + characters]
}

function charactersOf(delta: object): number {
  const { text, thinking, partial_json: json } = delta as Record<string, unknown>
  const grown = text ?? thinking ?? json
  return typeof grown === 'string' ? grown.length : 0
}

function shortened({ messages: _, ...params }: MessageCreateParams): Pick<ReplyTrace, 'request' | 'omits'> {
  const { system, tools, ...short } = params
  const isLong = JSON.stringify({ system, tools }).length > mostCharacters
  return isLong ? { request: short, omits: true } : { request: params }
}
