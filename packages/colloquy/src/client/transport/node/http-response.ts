import { BufferedResponse, fieldIn, type BodySource } from './buffered-response.ts'
import { decoderOf, encodingsOf } from './content-encoding.ts'
import type { NodeIncoming, NodeReadable } from './modules.ts'

/** The response of an `IncomingMessage`, of which nothing is read before the first `read()` or `pipe()`. */
export function httpResponse(incoming: NodeIncoming, url: string): BufferedResponse {
  const fields = incoming.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text))
  const source = new IncomingBody(incoming, encodingsOf(fieldIn(fields, 'content-encoding')))
  const response = new BufferedResponse({ status: incoming.statusCode, fields }, url, source)
  // Also before the first read: an 'error' event without a listener ends the process.
  incoming.on('error', (error) => response.fail(error))
  return response
}

/** The body of an `IncomingMessage`, decoded. */
class IncomingBody implements BodySource {
  readonly #incoming: NodeIncoming
  readonly #encodings: readonly string[]
  /** The stream at the end of the decoders. */
  #body: NodeReadable

  constructor(incoming: NodeIncoming, encodings: readonly string[]) {
    this.#incoming = incoming
    this.#encodings = encodings
    this.#body = incoming
  }

  start(response: BufferedResponse): void {
    if (this.#encodings.length === 0) this.#deliver(response)
    else this.#decode(response)
  }

  pause(): void {
    this.#body.pause()
  }

  resume(): void {
    this.#body.resume()
  }

  destroy(): void {
    this.#body.destroy()
    this.#incoming.destroy()
  }

  #deliver(response: BufferedResponse): void {
    this.#body.on('data', (chunk) => response.push(chunk))
    this.#body.on('end', () => response.end())
  }

  /** The client asks for no encoding, but a proxy may add some. Decoding starts with the first bytes, as an empty body has none. */
  #decode(response: BufferedResponse): void {
    const incoming = this.#incoming
    const endOfEmpty = (): void => response.end()
    incoming.once('end', endOfEmpty)
    incoming.once('data', (first) => {
      incoming.off('end', endOfEmpty)
      incoming.pause()
      for (const [index, encoding] of this.#encodings.entries()) {
        const decoder = decoderOf(encoding, index === 0 ? first : undefined)
        // At any time: a decoder finds that its input was cut only after the input has ended.
        decoder.on('error', (error) => response.fail(error))
        if (index === 0) decoder.write(first)
        this.#body = this.#body.pipe(decoder)
      }
      this.#deliver(response)
    })
  }
}
