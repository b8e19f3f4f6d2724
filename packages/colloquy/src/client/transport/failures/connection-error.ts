import { AnthropicError, APIConnectionError } from '../../../protocol/types/error.ts'
import { reasonIn } from './failure-codes.ts'

/** The error for a request or response that the connection lost. An error of the client's own stays as it is. */
export function connectionError(
  url: string,
  cause: unknown,
  failed: 'reach' | 'read' = 'reach',
  through: string = '',
): Error {
  if (cause instanceof AnthropicError) return cause
  const { host, origin } = new URL(url)
  const reason = reasonOf(cause)
  const message = `Connection error: cannot ${failed} ${origin}${through} (${reason})`
  return new APIConnectionError({ message, cause: cause instanceof Error ? cause : new Error(reason), host })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? reasonOf(error.cause) : reasonIn(error)
}
