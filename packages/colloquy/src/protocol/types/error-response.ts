import {
  APIError,
  APIConnectionError,
  APIConnectionTimeoutError,
  type ErrorBody,
  type ErrorDetails,
  type ErrorObject,
  type ErrorType,
} from './error.ts'

/** The HTTP status of each type of error. */
export const statusByType: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['conflict_error', 409],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/**
 * Makes an error for an engine or server to throw, with the class and status of the type.
 *
 * @example
 * ```ts
 * import { apiError } from 'colloquy/protocol'
 *
 * const error = apiError('rate_limit_error', 'Too many requests.')
 * console.log(error.name, error.status) // RateLimitError 429
 * ```
 */
export function apiError(type: ErrorType, message: string, details?: ErrorDetails): APIError {
  const error: ErrorObject = details === undefined ? { type, message } : { type, message, details }
  return APIError.generate(
    statusByType.get(type) ?? 500,
    { type: 'error', error } satisfies ErrorBody,
    undefined,
    undefined,
  )
}

/** A response that reports an error. */
export interface ErrorResponse {
  /** Undefined for an `error` event inside a stream. */
  status: number | undefined
  headers?: Headers | undefined
  body: unknown
}

/**
 * Makes the error that a response reports. The inverse of `errorResponse`.
 *
 * @example
 * ```ts
 * import { errorFrom } from 'colloquy/protocol'
 *
 * const body = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
 * const error = errorFrom({ status: 529, headers: new Headers({ 'request-id': 'req_1' }), body })
 * console.log(error.name, error.requestID) // OverloadedError req_1
 * ```
 */
export function errorFrom({ status, headers, body }: ErrorResponse): APIError {
  return APIError.generate(status, body, undefined, headers)
}

/**
 * Makes the response that reports an error. An error that is not an `APIError` becomes a 500 that hides the cause.
 *
 * @example
 * ```ts
 * import { apiError, errorResponse } from 'colloquy/protocol'
 *
 * const { status, headers, body } = errorResponse(apiError('not_found_error', 'No such file.'), 'req_1')
 * const response = Response.json(body, { status, headers })
 * console.log(response.status) // 404
 * ```
 */
export function errorResponse(
  error: unknown,
  requestId: string,
): ErrorResponse & { status: number; headers: Headers; body: ErrorBody } {
  const { status, object } = toErrorObject(error)
  const headers = new Headers({ 'request-id': requestId })
  if (error instanceof APIError) {
    for (const name of ['retry-after', 'retry-after-ms', 'x-should-retry']) {
      const value = error.headers?.get(name)
      if (value != null) headers.set(name, value)
    }
  }
  return { status, headers, body: { type: 'error', error: object, request_id: requestId } }
}

function toErrorObject(error: unknown): { status: number; object: ErrorObject } {
  if (error instanceof APIConnectionTimeoutError)
    return { status: 504, object: { type: 'timeout_error', message: error.message } }
  if (error instanceof APIError && isErrorBody(error.error)) {
    const object = error.error.error
    return { status: error.status ?? statusByType.get(object.type) ?? 500, object }
  }
  if (error instanceof APIConnectionError) return { status: 502, object: { type: 'api_error', message: error.message } }
  // Not the status of a success whose body could not be read.
  if (error instanceof APIError && error.status !== undefined && error.status >= 400) {
    return { status: error.status, object: { type: typeOf(error.status), message: error.message } }
  }
  return { status: 500, object: { type: 'api_error', message: 'Internal server error' } }
}

function typeOf(status: number): ErrorType {
  const known = [...statusByType].find(([, each]) => each === status)
  return known?.[0] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

/** Whether a value is an error body of the API. */
export function isErrorBody(value: unknown): value is ErrorBody {
  const error = (value as Partial<ErrorBody> | null | undefined)?.error
  return (
    typeof error === 'object' && error !== null && typeof error.type === 'string' && typeof error.message === 'string'
  )
}
