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
