import { APIConnectionError, APIError } from '../../protocol/types/error.ts'

/** The error for a request or response that the connection lost. An error of the client's own stays as it is. */
export function connectionError(url: string, cause: unknown): Error {
  if (cause instanceof APIError) return cause
  const { host, origin } = new URL(url)
  const message = `Connection error: cannot reach ${origin} (${reasonOf(cause)})`
  return new APIConnectionError({ message, cause, host })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.message
}
