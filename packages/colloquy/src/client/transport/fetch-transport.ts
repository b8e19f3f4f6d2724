import { connectionError } from './connection-error.ts'
import type { TransportResponse, PendingRequest, Transport, WireRequest } from './transport.ts'

/** The part of `fetch` that the client uses. A server's handler fits as it is. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response> | Response

/** Sends through a `fetch`. */
export function fetchTransport(fetch: Fetch, fetchOptions?: RequestInit): Transport {
  return ({ method, url, headers, body }) => {
    const controller = new AbortController()
    let cancel!: (error: Error) => void
    const response = new Promise<TransportResponse>((resolve, reject) => {
      let cancelled = false
      // A `fetch` may ignore the signal: reject at once, and close a response that comes late.
      cancel = (error) => {
        cancelled = true
        controller.abort(error)
        reject(error)
      }
      callFetch(fetch, url, { ...fetchOptions, method, headers, ...bodyOf(body), signal: controller.signal }).then(
        (response) => {
          if (cancelled) response.body?.cancel().catch(ignore)
          else resolve(new FetchResponse(response, url, controller))
        },
        (error: unknown) => reject(connectionError(url, error)),
      )
    })
    return { response, cancel } satisfies PendingRequest
  }
}

async function callFetch(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init)
}

// Only the DOM's types have the names `BodyInit` and `BlobPart`.
function bodyOf(body: WireRequest['body']): Pick<RequestInit, 'body'> {
  if (body === undefined) return {}
  const parts = Array.isArray(body) ? new Blob(body as ConstructorParameters<typeof Blob>[0]) : body
  return { body: parts as NonNullable<RequestInit['body']> }
}

/** Reads a `Response`. */
export class FetchResponse implements TransportResponse {
  readonly url: string
  readonly #response: Response
  readonly #controller: AbortController | undefined
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
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
    return this.#response.headers.get(name)
  }

  headers(): Headers {
    return this.#response.headers
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#failure) return Promise.reject(this.#failure)
    const { body } = this.#response
    if (!body) return Promise.resolve(undefined)
    const reader = (this.#reader ??= body.getReader())
    return new Promise((resolve, reject) => {
      this.#reject = reject
      reader.read().then(
        ({ value, done }) => resolve(done ? undefined : value),
        (error: unknown) => reject(this.#failure ?? connectionError(this.url, error)),
      )
    })
  }

  cancel(error: Error): void {
    this.#failure ??= error
    this.#reject?.(this.#failure)
    this.#controller?.abort(error)
    const { body } = this.#response
    if (this.#reader) this.#reader.cancel().catch(ignore)
    else if (body && !body.locked) body.cancel().catch(ignore)
  }

  response(): Response {
    return this.#response
  }
}

function ignore(): void {}
