import { StoreError } from 'colloquy/conversation/errors'
import {
  apiError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  type ErrorBody,
  errorResponse,
  isErrorBody,
  isRetryableStatus,
} from 'colloquy/protocol'
import { rateLimitHeaders } from './rate-limit-headers.ts'

export interface ErrorAnswer {
  status: number
  headers: Headers
  body: ErrorBody
}

/**
 * The response for an error, with the headers that clients of the API know.
 *
 * Hides the database and the upstream of an engine: errors of their connections may name a host, and responses of gateways may
 * be HTML.
 */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  const { status, headers, body } = errorResponse(withoutUpstream(withoutStore(error)), requestId)
  const given = error instanceof APIError ? error.error : undefined
  if (!headers.has('x-should-retry')) headers.set('x-should-retry', String(isRetryableStatus(status)))
  headers.set('content-type', 'application/json')
  if (error instanceof APIError && error.headers) {
    for (const [name, value] of Object.entries(rateLimitHeaders(error.headers))) headers.set(name, value)
    const allow = error.headers.get('allow')
    if (allow !== null) headers.set('allow', allow)
  }
  return { status, headers, body: isErrorBody(given) ? { ...given, ...body } : body }
}

/** The API's 529 in place of an error of the database, as it may soon be back. Other errors are returned unchanged. */
export function withoutStore(error: unknown): unknown {
  return error instanceof StoreError ? apiError('overloaded_error', 'Overloaded') : error
}

function withoutUpstream(error: unknown): unknown {
  if (error instanceof APIConnectionTimeoutError) return new APIConnectionTimeoutError()
  if (error instanceof APIConnectionError && error.host !== undefined) return new APIConnectionError()
  if (!(error instanceof APIError) || error.status === undefined || isErrorBody(error.error)) return error
  // Neither a success that cannot be read nor a redirect is the status of an error.
  const status = error.status < 400 ? 502 : error.status
  return APIError.generate(status, undefined, 'The upstream did not answer as the API does', error.headers)
}
