import { connectionError } from '../connection-error.ts'
import { decoderOf, encodingsOf } from './content-encoding.ts'
import { FetchResponse } from '../fetch-response.ts'
import type { NodeIncoming, NodeReadable } from './modules.ts'
import { pipe } from '../pipe.ts'
import { readOne, type Sink } from '../sink.ts'
import { bodyStream, type TransportResponse } from '../transport.ts'

/** The number of unread bytes of a response at which its socket is paused. */
const highWaterBytes = 256 * 1024

/** Reads an `IncomingMessage`, and nothing of it before the first `read()` or `pipe()`. */
export class NodeResponse implements TransportResponse {
  readonly url: string
  readonly #incoming: NodeIncoming
  #body: NodeReadable | undefined
  #chunks: Uint8Array[] = []
  #unreadBytes = 0
  #paused = false
  #ended = false
  #failure: Error | undefined
  #sink: Sink<Uint8Array> | undefined
  #response: Response | undefined
  /** Reads the body through the `Response` that the caller was given, so that it finds the body used. */
  #web: FetchResponse | undefined

  constructor(incoming: NodeIncoming, url: string) {
    this.#incoming = incoming
    this.url = url
    // Also before the first read: an 'error' event without a listener ends the process.
    incoming.on('error', (error) => this.#fail(error))
  }

  get status(): number {
    return this.#incoming.statusCode
  }

  header(name: string): string | null {
    const value = this.#incoming.headers[name]
    return (Array.isArray(value) ? value.join(', ') : value) ?? null
  }

  headers(): Headers {
    const headers = new Headers()
    const { rawHeaders } = this.#incoming
    for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
    return headers
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#web) return this.#web.read()
    return this.#read()
  }

  pipe(sink: Sink<Uint8Array>): void {
    if (this.#web) pipe(this.#web, sink)
    else this.#pipe(sink)
  }

  cancel(error: Error): void {
    if (this.#ended) return
    this.#chunks = []
    this.#fail(error)
    this.#body?.destroy()
    this.#incoming.destroy()
  }

  response(): Response {
    return (this.#response ??= this.#toResponse())
  }

  #toResponse(): Response {
    const { status } = this
    const init = { status, headers: this.headers() }
    if (status === 204 || status === 205 || status === 304) return this.#withUrl(new Response(null, init))
    if (this.#body) {
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
    return new Promise((resolve, reject) => this.#pipe(readOne(resolve, reject)))
  }

  #pipe(sink: Sink<Uint8Array>): void {
    this.#body ??= this.#start()
    if (this.#chunks.length > 0) {
      // Yield between buffered chunks, so that the sink's reader sees them as if they had arrived apart.
      if (sink.write(this.#takeChunk())) queueMicrotask(() => this.#pipe(sink))
    } else if (this.#failure) sink.fail(this.#failure)
    else if (this.#ended) sink.write(undefined)
    else this.#sink = sink
  }

  #start(): NodeReadable {
    const encodings = encodingsOf(this.header('content-encoding'))
    if (encodings.length === 0) this.#receiveFrom(this.#incoming)
    else this.#decode(encodings)
    return this.#incoming
  }

  #receiveFrom(body: NodeReadable): void {
    body.on('data', (chunk) => this.#receive(chunk))
    body.on('end', () => this.#end())
  }

  /** The client asks for no encoding, but a proxy may add some. Decoding starts with the first bytes, as an empty body has none. */
  #decode(encodings: readonly string[]): void {
    const incoming = this.#incoming
    const endOfEmpty = (): void => this.#end()
    incoming.once('end', endOfEmpty)
    incoming.once('data', (first) => {
      incoming.off('end', endOfEmpty)
      incoming.pause()
      let body: NodeReadable = incoming
      for (const [index, encoding] of encodings.entries()) {
        const decoder = decoderOf(encoding, index === 0 ? first : undefined)
        // At any time: a decoder finds that its input was cut only after the input has ended.
        decoder.on('error', (error) => this.#fail(error))
        if (index === 0) decoder.write(first)
        body = body.pipe(decoder)
      }
      this.#body = body
      this.#receiveFrom(body)
    })
  }

  #receive(chunk: Uint8Array): void {
    const sink = this.#takeSink()
    if (sink) {
      if (sink.write(chunk)) this.#pipe(sink)
      return
    }
    if (this.#failure) return
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
    if (this.#unreadBytes > highWaterBytes) {
      this.#paused = true
      this.#body?.pause()
    }
  }

  #takeChunk(): Uint8Array {
    const chunk = this.#chunks.shift()!
    this.#unreadBytes -= chunk.length
    if (this.#paused && this.#unreadBytes === 0) {
      this.#paused = false
      this.#body!.resume()
    }
    return chunk
  }

  #end(): void {
    this.#ended = true
    this.#takeSink()?.write(undefined)
  }

  #fail(error: Error): void {
    this.#failure ??= connectionError(this.url, error)
    this.#takeSink()?.fail(this.#failure)
  }

  /** Clears the sink before it is written to, because it may read on or cancel while it is. */
  #takeSink(): Sink<Uint8Array> | undefined {
    const sink = this.#sink
    this.#sink = undefined
    return sink
  }
}
