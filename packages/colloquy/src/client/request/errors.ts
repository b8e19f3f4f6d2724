import { APIConnectionError, APIError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { Message, Usage } from '../../protocol/types/message.ts'
import { isRetryableStatus } from '../../protocol/status.ts'
import { isLasting } from '../transport/failures/failure-codes.ts'

/** The part of a stream that had arrived when it broke. */
export interface StreamProgress {
  partial: Message | undefined
  headers: Headers | undefined
}

/**
 * A stream broke off: the connection was cut, fell silent, or the API sent an error after the stream began. `type` and `error`
 * are the API's if it sent an error. `partial` has the part that had arrived, to be shown or continued.
 */
export class APIStreamError extends APIConnectionError {
  override name = 'APIStreamError'
  /** The message so far; undefined if the stream broke before `message_start`. */
  declare readonly partial: Message | undefined
  /** Tokens as last reported: the input is exact, the output a lower bound. */
  declare readonly usage: Usage | undefined

  constructor({
    message,
    error,
    cause,
    partial,
    headers,
  }: StreamProgress & { message?: string; error?: unknown; cause?: unknown }) {
    super({ message, error, headers, cause })
    this.partial = partial
    this.usage = partial?.usage
  }
}

/** The API answered with a success status and a body that cannot be read: it is not JSON, or was cut. */
export class APIResponseError extends APIError<number> {
  override name = 'APIResponseError'
}

/** Thrown by a middleware to have its attempt made again, if `maxRetries` allows another one. */
export class RetryableError extends APIConnectionError {
  override name = 'RetryableError'

  constructor(message: string = 'Retryable error.', { cause }: { cause?: unknown } = {}) {
    super({ message, cause })
  }
}

// Limits of a user, a contract or a linked organisation: a retry fails until someone raises them.
const spendLimit = /spend_limit_reached$/

const passingTypes = /^(overloaded|rate_limit|api|timeout)_error$/

/** The causes of an error that are looked at. */
const maxCauses = 10

/** Whether the failure may pass with time. An error that is not an `APIError`, as of a middleware, is judged by its causes. */
export function isRetryable(error: unknown, causes: number = 0): boolean {
  if (error instanceof APIUserAbortError || causes > maxCauses) return false
  if (!(error instanceof APIError)) return error instanceof Error && isRetryable(error.cause, causes + 1)
  if (spendLimit.test(error.errorCode ?? '')) return false
  // By name, so that a bundle without middleware does not contain the class.
  if (error.name === 'RetryableError') return true
  const { status, type } = error
  if (status === undefined) {
    const code = gatewayStatus(error.error)
    if (code >= 400) return isRetryableStatus(code)
    if (type !== null) return passingTypes.test(type)
    return error instanceof APIConnectionError && !isLasting(error.code)
  }
  if (error instanceof APIResponseError) return true
  const advice = error.headers?.get('x-should-retry')
  if (advice === 'true' || advice === 'false') return advice === 'true'
  return isRetryableStatus(status)
}

/** The HTTP status that some gateways put into an error of a stream, as a number or as text. */
function gatewayStatus(body: unknown): number {
  return Number((body as { error?: { code?: unknown } } | undefined)?.error?.code)
}
