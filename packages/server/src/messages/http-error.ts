import { APIError } from 'colloquy/protocol'

/** An error of the API with a status or headers that do not follow from its type. */
export function httpError(status: number, { error }: APIError, headers?: Headers | Record<string, string>): APIError {
  return APIError.generate(status, error, undefined, new Headers(headers))
}

/** An error that it does not help to retry. */
export function finalError(status: number, error: APIError): APIError {
  return httpError(status, error, { 'x-should-retry': 'false' })
}
