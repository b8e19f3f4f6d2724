import { APIUserAbortError } from '../../protocol/types/error.ts'

/** Runs one call after another, in the order in which they arrive. */
export class CallQueue {
  #last: Promise<void> = Promise.resolve()

  /** Runs the work when all earlier work has ended. A call whose signal aborts before does not wait any longer. */
  run<Result>(signal: AbortSignal | null | undefined, work: () => Promise<Result>): Promise<Result> {
    const earlier = this.#last
    const result = untilAborted(earlier, signal).then(work)
    // Without the results, which the queue would keep.
    this.#last = Promise.allSettled([earlier, result]).then(() => {})
    return result
  }

  /** Waits for all work that was accepted so far. */
  ended(): Promise<void> {
    return this.#last
  }
}

async function untilAborted(work: Promise<unknown>, signal: AbortSignal | null | undefined): Promise<void> {
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new APIUserAbortError({ cause: signal?.reason }))
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', onAbort!)
  }
}

/** Throws an `APIUserAbortError` once the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal?.aborted) throw new APIUserAbortError({ cause: signal.reason })
}
