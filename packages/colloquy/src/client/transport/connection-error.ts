import { APIConnectionError, APIError } from '../../protocol/types/error.ts'

/** The error for a request or an answer that the connection lost. An error of the client's own passes. */
export function connectionError(url: string, cause: unknown): Error {
  if (cause instanceof APIError) return cause
  const reason = cause instanceof Error ? reasonOf(cause) : String(cause)
  return new APIConnectionError({ message: `Connection error: cannot reach ${originOf(url)} (${reason})`, cause })
}

function reasonOf(error: Error): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  if (cause instanceof Error) return reasonOf(cause)
  return typeof code === 'string' ? code : error.message
}

function originOf(url: string): string {
  return new URL(url).origin
}
