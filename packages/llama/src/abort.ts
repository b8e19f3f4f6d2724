import { APIUserAbortError } from 'colloquy/protocol'

export function abortError(signal: AbortSignal | undefined): APIUserAbortError {
  return new APIUserAbortError({ cause: signal?.reason })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}
