import { connectionError } from './failures/connection-error.ts'
import type { BodyReader } from './other-bodies.ts'
import type { TransportResponse } from './transport.ts'

/** Reads a `Response`, or an object like one as some `fetch` implementations and mocks return. */
export class FetchResponse implements TransportResponse {
  declare readonly url: string
  readonly #response: Response
  readonly #controller: AbortController | undefined
  #reader: BodyReader | undefined
  #failure: Error | undefined
  #reject: ((error: Error) => void) | undefined

  constructor(response: Response, url: string, controller?: AbortController) {
    this.#response = response
    this.url = url
    this.#controller = controller
  }

  get status(): number {
    return this.#response.status
  }

  header(name: string): string | null {
    return this.headers().get(name)
  }

  headers(): Headers {
    const { headers } = this.#response
    return 'get' in Object(headers) ? headers : new Headers(headers)
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (!this.#reader) return this.#open().then(() => this.read())
    const reader = this.#reader
    return new Promise((resolve, reject) => {
      this.#reject = reject
      reader.read().then(
        ({ value, done }) => resolve(done ? undefined : value instanceof Uint8Array ? value : otherBytes(value)),
        (error: unknown) => reject(this.#failure ?? connectionError(this.url, error, 'read')),
      )
    })
  }

  cancel(error: Error): void {
    this.#failure ??= error
    this.#reject?.(this.#failure)
    // Before the abort, which breaks a body off that could have been closed in order.
    if (this.#reader) this.#reader.cancel().catch(ignore)
    else closeBody(this.#response)
    this.#controller?.abort(error)
  }

  response(): Response {
    return this.#response
  }

  async #open(): Promise<void> {
    const { body, bodyUsed } = this.#response
    const reader = bodyUsed || body?.locked ? undefined : body?.getReader?.()
    this.#reader = reader ?? (await import('./other-bodies.ts')).readerOf(this.#response)
  }
}

async function otherBytes(value: unknown): Promise<Uint8Array> {
  return (await import('./other-bodies.ts')).bytesOf(value)
}

/** Closes the body of a response that is not read. */
export function closeBody({ body }: Response): void {
  // The body of a `fetch` that is not the platform's may have no `cancel()`.
  if (!body?.locked) body?.cancel?.().catch(ignore)
}

function ignore(): void {}
