import { APIUserAbortError } from 'colloquy/protocol'

export function abortError(signal: AbortSignal | undefined): APIUserAbortError {
  return new APIUserAbortError({ cause: signal?.reason })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/** Waits for work that cannot end early, or throws as soon as the signal aborts. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(abortError(signal))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
