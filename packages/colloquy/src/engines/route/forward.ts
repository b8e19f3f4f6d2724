import type {
  EncodedEvents,
  EngineContext,
  Forwarded,
  ForwardedBody,
  ForwardedStream,
  ForwardRequest,
} from '../../protocol/types/engine.ts'
import type { Message } from '../../protocol/types/message.ts'
import { type AttemptOptions, attempted, isDecisive, refusalOf, within } from './attempt.ts'
import type { Candidate } from './candidates.ts'
import type { Deadline } from './deadline.ts'
import { reasonOf, Refusal } from './failure.ts'

/** A response that has begun. */
export interface BegunForward {
  forwarded: Forwarded
  /** Calls back once, when the response has ended. */
  onEnd: (callback: () => void) => void
}

/** Sends a request on to an engine, and waits for the beginning of the response. Throws a `Refusal` if it watches for one. */
export async function beginForward(
  candidate: Candidate,
  request: ForwardRequest,
  context: EngineContext,
  options: AttemptOptions,
): Promise<BegunForward> {
  const { signal } = context
  return attempted(candidate, context, options, async (own, deadline) => {
    const forwarded = await within(deadline, candidate.engine.forward!(request, own))
    if (forwarded.type === 'body') {
      deadline?.end()
      return beginBody(forwarded, candidate, options)
    }
    const held = await within(deadline, firstBatches(forwarded, options.watchesRefusal))
    const stream = new RoutedStream(forwarded, held, { candidate, deadline, signal })
    const begun: BegunForward = { forwarded: stream, onEnd: (callback) => stream.onEnd(callback) }
    const usage = refusalOf(held.flatMap(({ events }) => events))
    if (usage === undefined) return begun
    await stream.readWhole()
    throw new Refusal(begun, usage)
  })
}

function beginBody(forwarded: ForwardedBody, { health }: Candidate, { watchesRefusal }: AttemptOptions): BegunForward {
  health.completed()
  const begun: BegunForward = { forwarded, onEnd: (callback) => callback() }
  const { stop_reason: reason, content, usage } = forwarded.value as Partial<Message>
  if (watchesRefusal && reason === 'refusal' && content?.length === 0) throw new Refusal(begun, usage!)
  return begun
}

/** The batches up to the first event that decides: any, or the first that shows whether the model refuses. */
async function firstBatches(stream: ForwardedStream, watchesRefusal: boolean): Promise<EncodedEvents[]> {
  const held: EncodedEvents[] = []
  for (;;) {
    const next = await stream.read()
    if (next === undefined) return held
    held.push(next)
    if (!watchesRefusal || next.events.some(isDecisive)) return held
  }
}

interface StreamParts {
  candidate: Candidate
  deadline: Deadline | undefined
  /** Ends the stream. */
  signal: AbortSignal | undefined
}

/** A stream whose first events have been read already. It remembers how it ended, and tells when. */
class RoutedStream implements ForwardedStream {
  readonly type = 'stream'
  readonly #stream: ForwardedStream
  #held: EncodedEvents[]
  readonly #parts: StreamParts
  readonly #callbacks: (() => void)[] = []
  /** Whether the last event was read. */
  #isRead = false
  #hasEnded = false
  readonly #end = (): void => {
    this.#hasEnded = true
    this.#parts.signal?.removeEventListener('abort', this.#end)
    this.#parts.deadline?.end()
    for (const callback of this.#callbacks.splice(0)) callback()
  }

  constructor(stream: ForwardedStream, held: EncodedEvents[], parts: StreamParts) {
    this.#stream = stream
    this.#held = held
    this.#parts = parts
    parts.signal?.addEventListener('abort', this.#end, { once: true })
  }

  header(name: string): string | null {
    return this.#stream.header(name)
  }

  headers(): Iterable<readonly [name: string, value: string]> {
    return this.#stream.headers()
  }

  onEnd(callback: () => void): void {
    if (this.#hasEnded) callback()
    else this.#callbacks.push(callback)
  }

  async read(): Promise<EncodedEvents | undefined> {
    return this.#held.shift() ?? (this.#isRead ? undefined : this.#readNext())
  }

  /** Reads the rest now: an unread stream would keep its connection. */
  async readWhole(): Promise<void> {
    const rest: EncodedEvents[] = []
    for (let batch = await this.#readNext(); batch !== undefined; batch = await this.#readNext()) rest.push(batch)
    this.#held = [...this.#held, ...rest]
  }

  async #readNext(): Promise<EncodedEvents | undefined> {
    const { candidate, signal } = this.#parts
    try {
      const next = await this.#stream.read()
      if (next === undefined) {
        this.#isRead = true
        candidate.health.completed()
        this.#end()
      }
      return next
    } catch (error) {
      const reason = signal?.aborted ? undefined : reasonOf(error)
      if (reason !== undefined) candidate.health.failed(candidate, reason, error)
      this.#end()
      throw error
    }
  }
}
