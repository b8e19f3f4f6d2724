import type { Caller } from '../access/access.ts'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { RequestLog } from '../operate/request-log.ts'
import type { BodySource } from './request/body-source.ts'

/** A request to one of the routes of messages: the parts that its answer depends on, whatever it arrived by. */
export interface MessagesRequest {
  headers: RequestHeaders
  /** The query of the URL with its question mark; empty without one. */
  query: string
  body: BodySource | undefined
  /** Aborted when the client leaves. Aborts the engine. */
  controller: AbortController
}

/** A request that is being answered. */
export interface Exchange extends MessagesRequest {
  log: RequestLog
  /** The sender. Undefined if the server has no `access`. */
  caller: Caller | undefined
}

/** The response to a request, as both `fetch` and Node's server send it. */
export interface Answer {
  status: number
  /** By lower-case name. */
  headers: Record<string, string>
  /** Sent at once, or piece by piece. */
  body: string | Uint8Array | AnswerStream | undefined
}

/** A body that is sent piece by piece, no faster than the client takes it. */
export interface AnswerStream {
  /** Writes the pieces to a connection until the end. May be called once. */
  pipe(sink: PieceSink): void
  /** Ends the stream: with an error that the client is told, or without a word because the client left. */
  leave(error?: Error): void
}

/** The connection to a client. Callbacks, as a promise for each piece would take more memory than an open stream itself. */
export interface PieceSink {
  /** Writes a piece. Returns a promise if the client is behind, which resolves when it may be sent more; it never rejects. */
  write(piece: Uint8Array): Promise<void> | undefined
  /** Ends the body. */
  end(): void
  /** Breaks the connection, after what was written. */
  fail(error: unknown): void
}

export function jsonAnswer(value: unknown, headers: Record<string, string> = {}): Answer {
  return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

/** The answer as the web's class. */
export function toResponse({ status, headers, body }: Answer): Response {
  if (typeof body !== 'object' || body instanceof Uint8Array)
    return new Response((body as string | Uint8Array<ArrayBuffer> | undefined) ?? null, { status, headers })
  return new Response(toReadable(body), { status, headers })
}

function toReadable(stream: AnswerStream): ReadableStream<Uint8Array> {
  let isPiped = false
  let pulled: PromiseWithResolvers<void>
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const before = pulled
        pulled = Promise.withResolvers()
        if (isPiped) return before.resolve()
        isPiped = true
        stream.pipe({
          write(piece) {
            controller.enqueue(piece)
            return pulled.promise
          },
          end: () => controller.close(),
          fail: (error) => controller.error(error),
        })
      },
      cancel: () => stream.leave(),
    },
    // Read nothing ahead of the client.
    { highWaterMark: 0 },
  )
}
