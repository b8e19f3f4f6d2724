import type { TransportResponse } from './transport.ts'

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
