import { pipe } from '../../client/transport/pipe.ts'
import type { Sink } from '../../client/transport/sink.ts'
import type { TransportResponse } from '../../client/transport/transport.ts'
import type { ReceivedBytes } from './received-bytes.ts'

/** A response whose bytes are kept while they are read. */
export class TappedResponse implements TransportResponse {
  readonly #response: TransportResponse
  readonly #received: ReceivedBytes

  constructor(response: TransportResponse, received: ReceivedBytes) {
    this.#response = response
    this.#received = received
  }

  get status(): number {
    return this.#response.status
  }

  get url(): string {
    return this.#response.url
  }

  get fields(): readonly string[] | undefined {
    return this.#response.fields
  }

  header(name: string): string | null {
    return this.#response.header(name)
  }

  headers(): Headers {
    return this.#response.headers()
  }

  async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#response.read()
    if (chunk) this.#received.push(chunk)
    return chunk
  }

  pipe(sink: Sink<Uint8Array>): void {
    pipe(this.#response, {
      write: (chunk) => {
        if (chunk) this.#received.push(chunk)
        return sink.write(chunk)
      },
      fail: (error) => sink.fail(error),
    })
  }

  cancel(error: Error): void {
    this.#response.cancel(error)
  }

  response(): Response {
    return this.#response.response()
  }
}
