import type { RequestHeaders } from '../../access/request-headers.ts'

/** The body of a request, before it has arrived. */
export interface BodySource {
  /** Hands the body over, piece by piece. May be called once. */
  pipe(sink: BodySink): void
  /** Hands over nothing more: the rest is not wanted. */
  stop(): void
  /** The body as a stream of the web, instead of `pipe()`. */
  stream(): ReadableStream<Uint8Array>
}

/** Takes the pieces of a body. */
export interface BodySink {
  write(chunk: Uint8Array): void
  end(): void
  fail(error: unknown): void
}

/** A request whose body has not been read. */
export interface IncomingRequest {
  headers: RequestHeaders
  body: BodySource | undefined
  signal: AbortSignal
}

/** A request of the web, whose body has not been read. */
export function incomingOf({ headers, body, signal }: Request): IncomingRequest {
  // The stream that Node makes of a form ends the process if it is cancelled.
  const isCancelled = !/^multipart\//i.test(headers.get('content-type') ?? '')
  return { headers, body: body ? webBody(body, isCancelled) : undefined, signal }
}

/** The body of a request of the web. @param isCancelled whether a body whose rest is not wanted is cancelled. Default true. */
export function webBody(stream: ReadableStream<Uint8Array>, isCancelled = true): BodySource {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let isStopped = false
  async function run(sink: BodySink): Promise<void> {
    try {
      reader = stream.getReader()
      for (let next = await reader.read(); !isStopped; next = await reader.read()) {
        if (next.done) return sink.end()
        sink.write(next.value)
      }
    } catch (error) {
      sink.fail(error)
    }
  }
  return {
    pipe: (sink) => void run(sink),
    stop: () => {
      isStopped = true
      // Not awaited: a body that stalls may never answer.
      if (isCancelled) reader?.cancel().catch(() => {})
    },
    stream: () => stream,
  }
}
