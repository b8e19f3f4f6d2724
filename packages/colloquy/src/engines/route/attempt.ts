import type { EngineContext } from '../../protocol/types/engine.ts'
import { APIConnectionError, APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { Usage } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Clock } from '../clock.ts'
import type { Candidate } from './candidates.ts'
import { reasonOf, Refusal } from './failure.ts'

export type Event = MessageStreamEvent | PingEvent

export interface AttemptOptions {
  /** Milliseconds until the first event. Undefined: no limit. */
  timeoutMs: number | undefined
  clock: Clock
  /** Whether to hold back `message_start` until the next event tells whether the model refuses. */
  watchesRefusal: boolean
}

/** Sends a request to an engine, and waits for the beginning of the reply. Throws a `Refusal` if it watches for one. */
export async function beginReply(
  candidate: Candidate,
  params: MessageCreateParams,
  context: EngineContext,
  { timeoutMs, clock, watchesRefusal }: AttemptOptions,
): Promise<AsyncGenerator<Event>> {
  const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs, context.signal, clock)
  const { model, engine, health } = candidate
  try {
    const own = deadline ? { ...context, signal: deadline.signal } : context
    const iterator = engine(model === params.model ? params : { ...params, model }, own)[Symbol.asyncIterator]()
    const beginning = firstEvents(iterator, watchesRefusal)
    const held = await (deadline ? deadline.race(beginning) : beginning)
    const reply = rest(held, iterator, { candidate, deadline, signal: context.signal })
    const usage = refusalOf(held)
    if (usage !== undefined) throw new Refusal(await Array.fromAsync(reply), usage)
    health.succeeded(model)
    return reply
  } catch (error) {
    deadline?.end()
    const failure = deadline?.isOver ? new APIConnectionTimeoutError() : error
    const reason = context.signal?.aborted ? undefined : reasonOf(failure)
    if (reason === undefined) health.left()
    else health.failed(model, reason, failure)
    throw context.signal?.aborted ? error : failure
  }
}

/** The events up to the first one that decides: any, or the first that shows whether the model refuses. */
async function firstEvents(iterator: AsyncIterator<Event>, watchesRefusal: boolean): Promise<Event[]> {
  const held: Event[] = []
  for (;;) {
    const { done, value } = await iterator.next()
    if (done) break
    held.push(value)
    if (!watchesRefusal || (value.type !== 'message_start' && value.type !== 'ping')) return held
  }
  throw new APIConnectionError({ message: 'The reply ended before it began.' })
}

function refusalOf(held: readonly Event[]): Usage | undefined {
  const last = held.at(-1)
  if (last?.type !== 'message_delta' || last.delta.stop_reason !== 'refusal') return undefined
  const start = held.find((event) => event.type === 'message_start')
  return { ...start!.message.usage, output_tokens: last.usage.output_tokens }
}

interface Progress {
  candidate: Candidate
  deadline: Deadline | undefined
  signal: AbortSignal | undefined
}

/** The events that were held back and those that follow. Closes the engine's iterator if the reader leaves. */
async function* rest(
  held: readonly Event[],
  iterator: AsyncIterator<Event>,
  { candidate: { health, model }, deadline, signal }: Progress,
): AsyncGenerator<Event> {
  let isOpen = true
  try {
    yield* held
    for (;;) {
      const next = await iterator.next()
      isOpen = next.done !== true
      if (next.done) break
      yield next.value
    }
    health.completed()
  } catch (error) {
    isOpen = false
    const reason = signal?.aborted ? undefined : reasonOf(error)
    if (reason !== undefined) health.failed(model, reason, error)
    throw error
  } finally {
    if (isOpen) await iterator.return?.()
    deadline?.end()
  }
}

/** The time that an engine has until its first event. Aborts its signal afterwards, or when the caller aborts. */
class Deadline {
  readonly #own = new AbortController()
  readonly #timer = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #over: Promise<never>
  readonly #abort = (): void => this.#own.abort(this.#caller?.reason)
  isOver = false

  constructor(ms: number, caller: AbortSignal | undefined, clock: Clock) {
    this.#caller = caller
    if (caller?.aborted) this.#abort()
    caller?.addEventListener('abort', this.#abort, { once: true })
    const { promise, reject } = Promise.withResolvers<never>()
    this.#over = promise
    promise.catch(() => {})
    clock.wait(ms, this.#timer.signal).then(
      () => {
        this.isOver = true
        this.#own.abort()
        reject(new APIConnectionTimeoutError())
      },
      // The first event came in time.
      () => {},
    )
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  /** Rejects when the time is over, even if the engine does not stop. */
  async race<Result>(result: Promise<Result>): Promise<Result> {
    result.catch(() => {})
    const first = await Promise.race([result, this.#over])
    this.#timer.abort()
    return first
  }

  end(): void {
    this.#timer.abort()
    this.#caller?.removeEventListener('abort', this.#abort)
  }
}
