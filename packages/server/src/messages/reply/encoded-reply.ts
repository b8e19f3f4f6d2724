import { apiError } from 'colloquy/protocol'
import { finalError } from '../http-error.ts'

/** Encodes a reply or a part of it. Throws the API's 500 for one that `JSON.stringify()`, which is recursive, cannot encode. */
export function encodedReply<T>(encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    throw error instanceof RangeError ? tooDeep(error) : error
  }
}

function tooDeep(cause: RangeError): Error {
  const error = apiError('api_error', 'Cannot send the reply: it is nested too deep for JSON')
  return Object.assign(finalError(500, error), { cause })
}
