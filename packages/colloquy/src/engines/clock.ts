import { APIUserAbortError } from '../protocol/types/error.ts'
import { longestTimerMs } from '../tools/timer.ts'

/** The time source of the engines, which tests can replace. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `ms` milliseconds. Rejects with `APIUserAbortError` when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = { now: Date.now, wait }

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(abortError(signal))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A wait that is longer than a timer allows never ends by itself: only the signal ends it.
  const timer = ms > longestTimerMs ? setInterval(() => {}, longestTimerMs) : setTimeout(resolve, ms)
  const onAbort = (): void => reject(abortError(signal))
  signal?.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  })
}

/** Makes the error that an engine throws when its signal aborts. */
export function abortError(signal: AbortSignal | undefined): APIUserAbortError {
  return new APIUserAbortError({ cause: signal?.reason })
}

/** Throws `APIUserAbortError` if the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}
