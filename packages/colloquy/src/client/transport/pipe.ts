import type { Sink } from './sink.ts'
import type { TransportResponse } from './transport.ts'

/** Writes each chunk of the body to the sink, for as long as it wants more. */
export function pipe(response: TransportResponse, sink: Sink<Uint8Array>): void {
  if (response.pipe) return response.pipe(sink)
  response.read().then(
    (chunk) => {
      if (sink.write(chunk)) pipe(response, sink)
    },
    (error: Error) => sink.fail(error),
  )
}

/** How long a body may take to end after its last useful byte, before its connection is closed instead of reused. */
const drainMs = 500

/** Reads the rest of a body, so that its connection can serve the next request. */
export async function drain(response: TransportResponse): Promise<void> {
  const timer = setTimeout(() => response.cancel(new Error('The stream is over')), drainMs)
  try {
    while ((await response.read()) !== undefined);
  } catch {
    // The message is complete, so an error of its connection changes nothing.
  } finally {
    clearTimeout(timer)
  }
}
