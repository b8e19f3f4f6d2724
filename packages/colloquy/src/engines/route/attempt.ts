import type { EngineContext } from '../../protocol/types/engine.ts'
import { APIConnectionError, APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { Usage } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Clock } from '../clock.ts'
import type { Candidate } from './candidates.ts'
import { Deadline } from './deadline.ts'
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
  options: AttemptOptions,
): Promise<AsyncGenerator<Event>> {
  const { model, engine } = candidate
  return attempted(candidate, context, options, async (own, deadline) => {
    const iterator = engine(model === params.model ? params : { ...params, model }, own)[Symbol.asyncIterator]()
    const held = await within(deadline, firstEvents(iterator, options.watchesRefusal))
    const reply = rest(held, iterator, { candidate, deadline, signal: context.signal })
    const usage = refusalOf(held)
    if (usage !== undefined) throw new Refusal(await Array.fromAsync(reply), usage)
    return reply
  })
}

/** Makes an attempt within its time, and remembers how it went. The deadline ends with the reply, or when the attempt fails. */
export async function attempted<Result>(
  candidate: Candidate,
  context: EngineContext,
  { timeoutMs, clock }: AttemptOptions,
  work: (context: EngineContext, deadline: Deadline | undefined) => Promise<Result>,
): Promise<Result> {
  const { health } = candidate
  const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs, context.signal, clock)
  try {
    const result = await work(deadline ? { ...context, signal: deadline.signal } : context, deadline)
    health.succeeded(candidate)
    return result
  } catch (error) {
    deadline?.end()
    const failure = deadline?.isOver ? new APIConnectionTimeoutError() : error
    const reason = context.signal?.aborted ? undefined : reasonOf(failure)
    if (reason === undefined) health.left(candidate)
    else health.failed(candidate, reason, failure)
    throw context.signal?.aborted ? error : failure
  }
}

/** Waits for a result, at most until the deadline. */
export function within<Result>(deadline: Deadline | undefined, result: Promise<Result>): Promise<Result> {
  return deadline ? deadline.race(result) : result
}

/** The events up to the first one that decides: any, or the first that shows whether the model refuses. */
async function firstEvents(iterator: AsyncIterator<Event>, watchesRefusal: boolean): Promise<Event[]> {
  const held: Event[] = []
  for (;;) {
    const { done, value } = await iterator.next()
    if (done) break
    held.push(value)
    if (!watchesRefusal || isDecisive(value)) return held
  }
  throw new APIConnectionError({ message: 'The reply ended before it began.' })
}

/** The usage, if the model refused before any content. */
export function refusalOf(events: readonly Event[]): Usage | undefined {
  const first = events.find(isDecisive)
  if (first?.type !== 'message_delta' || first.delta.stop_reason !== 'refusal') return undefined
  const start = events.find((event) => event.type === 'message_start')
  return { ...start!.message.usage, output_tokens: first.usage.output_tokens }
}

/** Whether an event shows that the reply has content, or that it has none. */
export function isDecisive({ type }: Event): boolean {
  return type !== 'message_start' && type !== 'ping'
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
  { candidate, deadline, signal }: Progress,
): AsyncGenerator<Event> {
  const { health } = candidate
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
    if (reason !== undefined) health.failed(candidate, reason, error)
    throw error
  } finally {
    if (isOpen) await iterator.return?.()
    deadline?.end()
  }
}
