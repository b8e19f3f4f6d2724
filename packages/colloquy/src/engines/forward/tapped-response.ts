import { PassedResponse } from '../../client/transport/passed-response.ts'
import { pipe } from '../../client/transport/pipe.ts'
import type { Sink } from '../../client/transport/sink.ts'
import type { TransportResponse } from '../../client/transport/transport.ts'
import type { ReceivedBytes } from './received-bytes.ts'

/** A response whose bytes are kept while they are read. */
export class TappedResponse extends PassedResponse {
  readonly #received: ReceivedBytes

  constructor(given: TransportResponse, received: ReceivedBytes) {
    super(given)
    this.#received = received
  }

  override async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.given.read()
    if (chunk) this.#received.push(chunk)
    return chunk
  }

  pipe(sink: Sink<Uint8Array>): void {
    pipe(this.given, {
      write: (chunk) => {
        if (chunk) this.#received.push(chunk)
        return sink.write(chunk)
      },
      fail: (error) => sink.fail(error),
    })
  }
}
