/**
 * Makes a request whose signal is the given one. In Node the signal of a `Request` only follows the one that it was made with,
 * and no longer after garbage collection: an engine that streams holds the signal alone, and would miss the abort.
 */
export function requestOf(input: Request | URL | string, init?: RequestInit): Request {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
  const request = new Request(input, { ...init, signal: null })
  return signal ? Object.defineProperty(request, 'signal', { value: signal }) : request
}
