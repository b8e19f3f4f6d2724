import type { Sink } from './sink.ts'

/** One HTTP request, as it is sent. */
export interface WireRequest {
  method: string
  url: string
  /** By lower-case name. */
  headers: Record<string, string>
  /** The pieces of a list are sent in order as one body: bytes encoded for an earlier request need no copy. */
  body: string | Uint8Array | readonly Uint8Array[] | undefined
  /** Whether a `fetch` receives the body as a stream, as the caller gave it. */
  isStream?: boolean | undefined
}

/** Sends HTTP requests: through Node's own sockets, or through `fetch`. */
export interface Transport {
  (request: WireRequest): PendingRequest
  /** Encodes a body as JSON, if the transport has a better way than one string. */
  encode?: (body: object) => string | readonly Uint8Array[]
}

/** A request whose response has not begun. */
export interface PendingRequest {
  /** Settles when the response's headers have arrived. Rejects with an `APIConnectionError`, or with the error given to `cancel`. */
  response: Promise<TransportResponse>
  /** Gives up the request and closes its connection. Does nothing once the response has begun. */
  cancel(error: Error): void
  /** When the request was sent, in `performance.now()` time. Present if that may be later, and the request limits its own time. */
  beganAt?(): number
}

/** A response whose headers have arrived and whose body is read piece by piece. */
export interface TransportResponse {
  readonly status: number
  readonly url: string
  /** A header by its lower-case name. */
  header(name: string): string | null
  /** All headers as the web's class. Made on the first call, because on Node the class loads all of `fetch`. */
  headers(): Headers
  /** As `headers()`: names in lower case and values alternately. Present if the transport has them without that class. */
  readonly fields?: readonly string[] | undefined
  /** The next bytes, or undefined at the end. Rejects when the connection breaks, or with the error given to `cancel`. */
  read(): Promise<Uint8Array | undefined>
  /** Takes the whole body, if it has arrived in one piece and was not read. Present if the transport can tell. */
  arrivedText?(): string | undefined
  /** Writes the next bytes to the sink, for as long as it wants more. Present if the transport needs no promise per chunk. */
  pipe?(sink: Sink<Uint8Array>): void
  /** Gives up the rest of the body and closes the connection. */
  cancel(error: Error): void
  /** The response as the web's class. A caller that takes it reads the body from there. */
  response(): Response
}

/** The body of a response as a web stream. */
export function bodyStream(response: Pick<TransportResponse, 'read' | 'cancel'>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await response.read()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel() {
      response.cancel(new Error('The response body was cancelled'))
    },
  })
}
