import { connectionError } from '../failures/connection-error.ts'
import { FetchResponse } from '../fetch-response.ts'
import { pipe } from '../pipe.ts'
import { readOne, type Sink } from '../sink.ts'
import { nodeBuffer } from './node-buffer.ts'
import { bodyStream, type TransportResponse } from '../transport.ts'

/** The number of unread bytes of a response at which its source is paused. */
const highWaterBytes = 256 * 1024

/** Delivers the body of a response. */
export interface BodySource {
  /** Called once, before the first piece is read. A source may deliver earlier. */
  start?(response: BufferedResponse): void
  pause(): void
  resume(): void
  /** Closes the connection. */
  destroy(): void
}

export interface ReceivedHead {
  readonly status: number
  /** Names in lower case and values alternately, in the order of arrival. */
  readonly fields: readonly string[]
}

/** A response whose source delivers the body piece by piece. Pieces wait here until they are read. */
export class BufferedResponse implements TransportResponse {
  readonly status: number
  readonly url: string
  readonly fields: readonly string[]
  readonly #source: BodySource
  #isStarted = false
  #chunks: Uint8Array[] = []
  #unreadBytes = 0
  #isPaused = false
  #isEnded = false
  #failure: Error | undefined
  #sink: Sink<Uint8Array> | undefined
  /** The piece that the sink is being given, if its memory is the source's. */
  #lent: Uint8Array | undefined
  #response: Response | undefined
  /** Reads the body through the `Response` that the caller was given, so that it finds the body used. */
  #web: FetchResponse | undefined

  constructor({ status, fields }: ReceivedHead, url: string, source: BodySource) {
    this.status = status
    this.url = url
    this.fields = fields
    this.#source = source
  }

  header(name: string): string | null {
    return fieldIn(this.fields, name)
  }

  headers(): Headers {
    const headers = new Headers()
    for (let i = 0; i < this.fields.length; i += 2) headers.append(this.fields[i]!, this.fields[i + 1]!)
    return headers
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#web) return this.#web.read()
    return this.#read()
  }

  /** Spares short responses, which arrive with their head, a timer and the promises of `read()`. */
  arrivedText(): string | undefined {
    if (!this.#isEnded || this.#isStarted || this.#web || this.#chunks.length > 1) return undefined
    this.#isStarted = true
    return decoder.decode(this.#chunks.pop())
  }

  pipe(sink: Sink<Uint8Array>): void {
    if (this.#web) pipe(this.#web, sink)
    else this.#pipe(sink)
  }

  cancel(error: Error): void {
    if (this.#isEnded) return
    this.#chunks = []
    this.fail(error)
    this.#source.destroy()
  }

  response(): Response {
    return (this.#response ??= this.#toResponse())
  }

  /** Takes a piece of the body. With `isLent`, the memory is the source's again when the call returns. */
  push(chunk: Uint8Array, isLent = false): void {
    if (this.#failure) return
    const sink = this.#takeSink()
    if (!sink) return this.#keep(isLent ? copyOf(chunk) : chunk)
    this.#lent = isLent ? chunk : undefined
    const wantsMore = sink.write(chunk)
    this.#lent = undefined
    if (wantsMore) this.#pipe(sink)
  }

  /** Ends the body. */
  end(): void {
    this.#isEnded = true
    // The connection may serve another response now.
    this.#isPaused = false
    this.#takeSink()?.write(undefined)
  }

  /** Breaks the body off. The pieces that have arrived can still be read. */
  fail(error: Error): void {
    this.#failure ??= connectionError(this.url, error, 'read')
    this.#takeSink()?.fail(this.#failure)
  }

  #toResponse(): Response {
    const { status } = this
    const init = { status, headers: this.headers() }
    if (status === 204 || status === 205 || status === 304) return this.#withUrl(new Response(null, init))
    if (this.#isStarted) {
      // `fetch` too would leave a body that was read as used.
      const response = new Response('', init)
      void response.body?.cancel()
      return this.#withUrl(response)
    }
    const body = bodyStream({ read: () => this.#read(), cancel: (error) => this.cancel(error) })
    const response = this.#withUrl(new Response(body, init))
    this.#web = new FetchResponse(response, this.url)
    return response
  }

  #withUrl(response: Response): Response {
    return Object.defineProperty(response, 'url', { value: this.url })
  }

  #read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#pipe(readOne((chunk) => resolve(chunk && chunk === this.#lent ? copyOf(chunk) : chunk), reject))
    })
  }

  #pipe(sink: Sink<Uint8Array>): void {
    this.#start()
    if (this.#chunks.length > 0) {
      // Yield between buffered chunks, so that the sink's reader sees them as if they had arrived apart.
      if (sink.write(this.#takeChunk())) queueMicrotask(() => this.#pipe(sink))
    } else if (this.#failure) sink.fail(this.#failure)
    else if (this.#isEnded) sink.write(undefined)
    else this.#sink = sink
  }

  #start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#source.start?.(this)
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
    if (this.#isPaused || this.#unreadBytes <= highWaterBytes) return
    this.#isPaused = true
    this.#source.pause()
  }

  #takeChunk(): Uint8Array {
    const chunk = this.#chunks.shift()!
    this.#unreadBytes -= chunk.length
    if (this.#isPaused && this.#unreadBytes === 0) {
      this.#isPaused = false
      this.#source.resume()
    }
    return chunk
  }

  #takeSink(): Sink<Uint8Array> | undefined {
    const sink = this.#sink
    this.#sink = undefined
    return sink
  }
}

/** A copy in memory that Node shares between small buffers: to allocate some for each costs as much as decoding it. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return nodeBuffer().from(bytes)
}

const decoder = new TextDecoder()

/** The values of a field, joined as the web's `Headers` joins them; null if the list does not have it. */
export function fieldIn(fields: readonly string[], name: string): string | null {
  let value: string | null = null
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) value = value === null ? fields[i + 1]! : `${value}, ${fields[i + 1]}`
  }
  return value
}
