import type { Log } from '../request/log.ts'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from '../../protocol/types/error.ts'
import { isAbort } from './abort.ts'
import { StreamFailure } from './observed-response.ts'
import type { Attribute, Span } from './open-telemetry.ts'

/** Records that an operation succeeded. */
export function setSucceeded(span: Span): void {
  span.setStatus({ code: 1 })
}

/** Records that an operation failed, unless the application itself ended it. */
export function setFailed(span: Span, error: unknown, type: string = errorType(error)): void {
  if (isAbort(error)) return
  span.setStatus({ code: 2 })
  span.setAttribute('error.type', type)
}

/** The attribute of the conversation that the application named. */
export function conversation(id: string | undefined): Record<string, Attribute> {
  return id === undefined ? {} : { 'gen_ai.conversation.id': id }
}

/** Runs code of OpenTelemetry. Its errors never reach the request. */
export function attempted<Result>(log: Log, run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    log('debug')?.('Cannot record telemetry', error)
    return undefined
  }
}

function errorType(error: unknown): string {
  if (error instanceof StreamFailure) return error.type
  if (error instanceof APIConnectionTimeoutError) return 'client_timeout_error'
  if (error instanceof APIError && error.type) return error.type
  if (error instanceof APIConnectionError) return 'connection_error'
  return error instanceof APIError && error.status !== undefined ? String(error.status) : 'client_error'
}
