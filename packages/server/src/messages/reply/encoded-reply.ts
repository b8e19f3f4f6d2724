import { APIError, type ErrorBody } from 'colloquy/protocol'

/** Encodes a reply or a part of it. Throws the API's 500 for one that `JSON.stringify()`, which is recursive, cannot encode. */
export function encodedReply<T>(encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    throw error instanceof RangeError ? tooDeep(error) : error
  }
}

/** An error that it does not help to retry. */
function tooDeep(cause: RangeError): APIError {
  const message = 'Cannot send the reply: it is nested too deep for JSON'
  const body: ErrorBody = { type: 'error', error: { type: 'api_error', message } }
  const error = APIError.generate(500, body, undefined, new Headers({ 'x-should-retry': 'false' }))
  return Object.assign(error, { cause })
}
