// Loaded for a `fetch` whose responses have no web stream as their body, or no body that can be read.

import { AnthropicError } from '../../protocol/types/error.ts'

/** The part of a body's reader that is used. */
export interface BodyReader {
  read(): Promise<{ value?: Uint8Array | undefined; done: boolean }>
  cancel(): Promise<void>
}

/** Reads a body that can be iterated, such as a Node stream, or else that of a response with `text()` or `json()` alone. */
export function readerOf(response: Response): BodyReader {
  if (response.bodyUsed || response.body?.locked)
    throw new AnthropicError('Cannot read the response: its body was read before')
  const body: unknown = response.body
  const iterator = isAsyncIterable(body) ? body[Symbol.asyncIterator]() : onePiece(response)
  return {
    async read() {
      const { value, done } = await iterator.next()
      return done ? { done: true } : { done: false, value: bytesOf(value) }
    },
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

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece)
  return new TextEncoder().encode(String(piece))
}
