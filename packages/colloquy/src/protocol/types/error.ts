/** The error types of the API. Messages may change; the type, the status and `details.error_code` do not. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'api_error'
  | 'timeout_error'
  | 'overloaded_error'
  | (string & {})

/** An error as the API describes it. */
export interface ErrorObject {
  type: ErrorType
  message: string
  details?: ErrorDetails | null
}

/** Additional fields of some errors. */
export interface ErrorDetails {
  /** The stable name of the error, such as `thread_not_found`. */
  error_code?: string
  [field: string]: unknown
}

/** The body of every response that is not 2xx, and the data of a stream's `error` event. */
export interface ErrorBody {
  type: 'error'
  error: ErrorObject
  request_id?: string | null
}

/** The base class of the errors that this library throws. */
export class AnthropicError extends Error {
  override name = 'AnthropicError'
}

/** The API or the connection to it failed. `status` is undefined if no response arrived or the stream had begun. */
export class APIError<Status extends number | undefined = number | undefined> extends AnthropicError {
  override name = 'APIError'
  declare readonly status: Status
  /** The headers of the response. Empty for an error that an engine made, undefined if there was no response. */
  declare readonly headers: Status extends number ? Headers : Headers | undefined
  /** The body of the response, parsed if it was JSON. An `ErrorBody` if the API sent it. */
  declare readonly error: unknown
  declare readonly type: ErrorType | null
  declare readonly details: ErrorDetails | null
  declare readonly errorCode: string | null
  /** The message of the API, without the status. */
  declare readonly apiMessage: string | null
  declare readonly requestID: string | null
  declare readonly workspaceID: string | null
  /** Milliseconds that the API asks to wait before the next attempt; `null` if it does not say. */
  declare readonly retryAfterMs: number | null
  /** The option that kept the client from making another attempt; undefined if a retry would not have helped. */
  notRetriedBecause: 'maxRetries' | 'maxRetryDelay' | 'totalTimeout' | undefined = undefined

  constructor(
    status: Status,
    error: unknown,
    message: string | undefined,
    headers: Headers | undefined,
    options?: { cause?: unknown },
  ) {
    super(errorMessage(status, error, message), options)
    const body = fieldsOf(error)
    const object = fieldsOf(body['error'])
    this.status = status
    this.headers = (headers ?? (status === undefined ? undefined : new Headers())) as this['headers']
    this.error = error
    this.type = stringOf(object['type'])
    this.details = (object['details'] as ErrorDetails | undefined) ?? null
    this.errorCode = stringOf(fieldsOf(this.details)['error_code'])

    this.apiMessage = stringOf(object['message'])
    this.requestID = headers?.get('request-id') ?? stringOf(body['request_id'])
    this.workspaceID = headers?.get('anthropic-workspace-id') ?? null
    this.retryAfterMs = headers ? retryAfterMs(headers) : null
  }

  /** Makes an error of the class for the status. */
  static generate(
    status: number | undefined,
    error: unknown,
    message: string | undefined,
    headers: Headers | undefined,
  ): APIError {
    return new (classOf(status))(status as never, error, message, headers)
  }
}

/** The caller aborted the request. */
export class APIUserAbortError extends APIError<undefined> {
  override name = 'APIUserAbortError'

  constructor({ message = 'Request was aborted.', cause }: { message?: string; cause?: unknown } = {}) {
    super(undefined, undefined, message, undefined, { cause })
  }
}

/** No response arrived: the host could not be reached, or the connection broke. */
export class APIConnectionError extends APIError<undefined> {
  override name = 'APIConnectionError'
  /** The host that could not be reached, with its port if that is not the default; undefined if not known. */
  declare readonly host: string | undefined
  /** The system's name for the failure, such as `ECONNREFUSED`; undefined if it has none. */
  declare readonly code: string | undefined

  /** Pass `error` and `headers` if the connection broke after a response had begun. */
  constructor({ message = 'Connection error.', error, headers, cause, host }: ConnectionFailure = {}) {
    super(undefined, error, message, headers, { cause })
    this.host = host
    this.code = codeOf(cause)
  }
}

interface ConnectionFailure {
  message?: string | undefined
  error?: unknown
  headers?: Headers | undefined
  cause?: unknown
  host?: string | undefined
}

/** The first code in a chain of causes. */
function codeOf(cause: unknown): string | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return undefined
}

/** No response arrived in time. */
export class APIConnectionTimeoutError extends APIConnectionError {
  override name = 'APIConnectionTimeoutError'

  constructor({ message = 'Request timed out.', cause }: { message?: string; cause?: unknown } = {}) {
    super({ message, cause })
  }
}

export class BadRequestError extends APIError<400> {
  override name = 'BadRequestError'
}
export class AuthenticationError extends APIError<401> {
  override name = 'AuthenticationError'
}
export class PaymentRequiredError extends APIError<402> {
  override name = 'PaymentRequiredError'
}
export class PermissionDeniedError extends APIError<403> {
  override name = 'PermissionDeniedError'
}
export class NotFoundError extends APIError<404> {
  override name = 'NotFoundError'
}
export class RequestTimeoutError extends APIError<408> {
  override name = 'RequestTimeoutError'
}
export class ConflictError extends APIError<409> {
  override name = 'ConflictError'
}
export class PreconditionFailedError extends APIError<412> {
  override name = 'PreconditionFailedError'
}
export class ContentTooLargeError extends APIError<413> {
  override name = 'ContentTooLargeError'
}
export class UnprocessableEntityError extends APIError<422> {
  override name = 'UnprocessableEntityError'
}
export class RateLimitError extends APIError<429> {
  override name = 'RateLimitError'
}
export class RequestHeaderFieldsTooLargeError extends APIError<431> {
  override name = 'RequestHeaderFieldsTooLargeError'
}
export class ClientClosedRequestError extends APIError<499> {
  override name = 'ClientClosedRequestError'
}
/** The API failed: any status of 500 and above without a class of its own. */
export class InternalServerError extends APIError<number> {
  override name = 'InternalServerError'
}
export class NotImplementedError extends InternalServerError {
  override name = 'NotImplementedError'
}
export class ServiceUnavailableError extends InternalServerError {
  override name = 'ServiceUnavailableError'
}
export class GatewayTimeoutError extends InternalServerError {
  override name = 'GatewayTimeoutError'
}
export class OverloadedError extends InternalServerError {
  override name = 'OverloadedError'
}

type StatusErrorClass = new (
  status: never,
  error: unknown,
  message: string | undefined,
  headers: Headers | undefined,
) => APIError

const classByStatus = new Map<number, StatusErrorClass>([
  [400, BadRequestError],
  [401, AuthenticationError],
  [402, PaymentRequiredError],
  [403, PermissionDeniedError],
  [404, NotFoundError],
  [408, RequestTimeoutError],
  [409, ConflictError],
  [412, PreconditionFailedError],
  [413, ContentTooLargeError],
  [422, UnprocessableEntityError],
  [429, RateLimitError],
  [431, RequestHeaderFieldsTooLargeError],
  [499, ClientClosedRequestError],
  [501, NotImplementedError],
  [503, ServiceUnavailableError],
  [504, GatewayTimeoutError],
  [529, OverloadedError],
])

// Not in the class: bundlers rename a class that names itself, and its name is seen in stack traces.
function classOf(status: number = 0): StatusErrorClass {
  return classByStatus.get(status) ?? (status >= 500 ? InternalServerError : APIError)
}

/**
 * Reads `retry-after-ms`, then `retry-after` (seconds or a date). `null` if neither asks for a wait.
 *
 * @example
 * ```ts
 * import { retryAfterMs } from 'colloquy/protocol'
 *
 * console.log(retryAfterMs(new Headers({ 'retry-after': '2' }))) // 2000
 * ```
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | null {
  const milliseconds = Number.parseFloat(headers.get('retry-after-ms') ?? '')
  if (milliseconds > 0) return milliseconds
  const after = headers.get('retry-after') ?? ''
  const seconds = Number.parseFloat(after)
  const wait = Number.isNaN(seconds) ? Date.parse(after) - now : seconds * 1000
  return wait > 0 ? wait : null
}

function errorMessage(status: number | undefined, error: unknown, message: string | undefined): string {
  const text = (error == null ? undefined : bodyMessage(error)) || message
  return status == null ? text || '(no status code or body)' : `${status} ${text || 'status code (no body)'}`
}

function bodyMessage(error: unknown): string | undefined {
  const text = fieldsOf(error)['message'] || error
  try {
    // A gateway may repeat the whole request in it.
    return (typeof text === 'string' ? text : JSON.stringify(text)).slice(0, 10_000)
  } catch {
    // It is nested too deep, or has no JSON.
    return undefined
  }
}

/** The fields of a value, none if it is not an object. Gateways do not always send errors in the API's shape. */
function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value) as Record<string, unknown>
}

function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
