import type { Receiver } from './receiver.ts'

/** One HTTP request, as it travels. */
export interface WireRequest {
  method: string
  url: string
  /** By lower-case name. */
  headers: Record<string, string>
  /** A list is sent in order, as one body: bytes that were kept from an earlier turn need no copy. */
  body: string | Uint8Array | readonly Uint8Array[] | undefined
}

/** Sends requests. There are two: Node's own sockets, and `fetch`. */
export interface Transport {
  (request: WireRequest): Sending
  /** The JSON of a body, where the transport has a better way than one string. */
  encode?: (body: object) => string | readonly Uint8Array[]
}

export interface Sending {
  /** Settles when the answer's headers came. Rejects with `APIConnectionError`, or with what `cancel` was given. */
  reply: Promise<Reply>
  /** Gives the request up and closes its connection. Does nothing once the reply is there. */
  cancel(error: Error): void
}

/** An answer whose headers came and whose body is read piece by piece. */
export interface Reply {
  readonly status: number
  readonly url: string
  /** A header by its lower-case name. */
  header(name: string): string | null
  /** All of them, as the web's class: made when first asked for, since on Node that loads all of `fetch`. */
  headers(): Headers
  /** The next bytes, or undefined at the end. Rejects when the connection breaks, or with what `cancel` was given. */
  read(): Promise<Uint8Array | undefined>
  /** The same for as long as the receiver wants more, where the transport can do without a promise for each chunk. */
  feed?(receiver: Receiver<Uint8Array>): void
  /** Gives the rest of the body up and closes the connection. */
  cancel(error: Error): void
  /** The answer as the web's class. Whoever asks for it reads the body from there. */
  response(): Response
}

/** The body of a reply as a web stream. */
export function streamOf(reply: Reply): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await reply.read()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel() {
      reply.cancel(new Error('The response body was cancelled'))
    },
  })
}
