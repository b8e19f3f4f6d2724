import { APIConnectionTimeoutError, APIUserAbortError } from '../../protocol/types/error.ts'
import { startTimer } from '../../tools/timer.ts'

/** A request or a stream that an abort or a time limit can end. */
export interface Cancellable {
  cancel(error: Error): void
}

/**
 * Carries an abort or a time limit to whatever a request is doing: an attempt, a wait, the reading of a response. A request
 * does one thing at a time, so there is one target.
 */
export class Cancellation implements Cancellable {
  /** When the whole request must be over, in `performance.now()` time. */
  declare readonly endsAt: number
  #error: Error | undefined
  #target: Cancellable | undefined
  #unsubscribe: (() => void) | undefined

  /** `totalTimeout` in ms; 0 means no limit. */
  constructor(signal: AbortSignal | null | undefined, totalTimeout: number) {
    this.endsAt = timeAfter(totalTimeout)
    if (signal?.aborted) this.#error = new APIUserAbortError({ cause: signal.reason })
    else if (typeof signal?.addEventListener === 'function')
      this.#unsubscribe = onAbort(signal, (reason) => this.cancel(abortError(reason)))
  }

  /** Why the request was cancelled. */
  get error(): Error | undefined {
    return this.#error
  }

  cancel(error: Error): void {
    this.#error ??= error
    this.#unsubscribe?.()
    this.#target?.cancel(this.#error)
  }

  /** Directs a cancellation to the target from now on. */
  setTarget(target: Cancellable): void {
    this.#target = target
    if (this.#error) target.cancel(this.#error)
  }

  /** Awaits work that is cancelled by an abort, or at a time. */
  async guard<Result>(target: Cancellable, work: Promise<Result>, endsAt: number): Promise<Result> {
    this.setTarget(target)
    const timer = startTimer(() => target.cancel(new APIConnectionTimeoutError()), endsAt - performance.now())
    try {
      return await work
    } catch (error) {
      throw this.#error ?? error
    } finally {
      clearTimeout(timer)
      this.#target = undefined
    }
  }

  /** As `setTarget()`, for a target that outlives the request. Returns a function that ends it; undefined without a signal. */
  lend(target: Cancellable): (() => void) | undefined {
    this.setTarget(target)
    return this.#unsubscribe
  }

  /** Holds on to nothing any more, as the request is over. */
  release(): void {
    this.#target = undefined
    this.#unsubscribe?.()
  }
}

function abortError(cause: unknown): APIUserAbortError {
  const error = new APIUserAbortError({ cause })
  // Until the stack of an error is read, V8 keeps the functions that were running, and all they refer to, alive with it.
  void error.stack
  void (cause as { stack?: unknown } | null | undefined)?.stack
  return error
}

/** The time some milliseconds from now; 0 is never. */
export function timeAfter(ms: number): number {
  return ms === 0 ? Infinity : performance.now() + ms
}

type Callback = (reason: unknown) => void

interface Watch {
  callbacks: Set<Callback>
  tell: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/**
 * Calls back when the signal aborts; returns a function that ends this. All requests on a signal share one listener, which is
 * removed with the last of them: Node warns of many listeners, and each would keep its request alive as long as the signal.
 */
export function onAbort(signal: AbortSignal, callback: Callback): () => void {
  const { callbacks, tell } = watches.get(signal) ?? watch(signal)
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    watches.delete(signal)
    signal.removeEventListener('abort', tell)
  }
}

function watch(signal: AbortSignal): Watch {
  const callbacks = new Set<Callback>()
  const tell = (): void => {
    watches.delete(signal)
    for (const callback of callbacks) callback(signal.reason)
  }
  signal.addEventListener('abort', tell, { once: true })
  const made = { callbacks, tell }
  watches.set(signal, made)
  return made
}
