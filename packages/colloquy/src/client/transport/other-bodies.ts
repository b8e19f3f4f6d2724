// Loaded for a `fetch` whose responses have no web stream of bytes as their body, or no body that can be read.

import { AnthropicError } from '../../protocol/types/error.ts'

/** The part of a body's reader that is used. */
export interface BodyReader {
  /** The next piece: bytes, or what `bytesOf()` takes. */
  read(): Promise<{ value?: unknown; done?: boolean | undefined }>
  cancel(): Promise<void>
}

/** Reads a body that can be iterated, such as a Node stream, or else that of a response with `text()` or `json()` alone. */
export function readerOf(response: Response): BodyReader {
  if (response.bodyUsed || response.body?.locked)
    throw new AnthropicError('Cannot read the response: its body was read before')
  const body: unknown = response.body
  const iterator = isAsyncIterable(body) ? body[Symbol.asyncIterator]() : onePiece(response)
  return {
    read: () => iterator.next(),
    async cancel() {
      await iterator.return?.()
    },
  }
}

/** The error of a `fetch` that returns nothing, as mocks do. */
export function noResponse(): AnthropicError {
  return new AnthropicError('Cannot read the response: fetch returned none')
}

async function* onePiece(response: Response): AsyncGenerator {
  if (response.body) yield response.body
  else if (typeof response.text === 'function') yield await response.text()
  else if (typeof response.arrayBuffer === 'function') yield await response.arrayBuffer()
  else if (typeof response.json === 'function') yield JSON.stringify(await response.json())
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** A piece of a body as bytes: mocks and polyfills also give text, a buffer or another view. */
export function bytesOf(piece: unknown): Uint8Array {
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece)
  return new TextEncoder().encode(String(piece))
}
