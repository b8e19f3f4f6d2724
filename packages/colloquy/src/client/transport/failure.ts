import { APIConnectionError, APIError } from '../../protocol/types/error.ts'
import type { Message, Usage } from '../../protocol/types/message.ts'

/** What the stream had given when it failed. */
export interface StreamProgress {
  partial: Message | undefined
  headers: Headers | undefined
}

/**
 * A stream broke off: the connection was cut, fell silent, or the API sent an error after the stream began. `type` and `error`
 * are the API's where it sent one. Whatever had arrived is here, to keep or to go on from.
 */
export class APIStreamError extends APIConnectionError {
  override name = 'APIStreamError'
  /** The message so far; undefined when not even its start had arrived. */
  readonly partial: Message | undefined
  /** Tokens as last reported: the input is exact, the output a lower bound. */
  readonly usage: Usage | undefined

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

/** The API answered with success and a body that cannot be read: no JSON, or cut. */
export class APIResponseError extends APIError<number> {
  override name = 'APIResponseError'
}

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
