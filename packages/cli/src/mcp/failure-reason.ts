import { SdkError, SdkErrorCode, SdkHttpError, SseError, UnauthorizedError } from '@modelcontextprotocol/client'
import { systemReason } from '../errors/system-error.ts'
import { wordsOfConnection } from '../errors/error-words.ts'
import { oneLine } from '../format.ts'

/**
 * The reason why the server of this name cannot be used, from the error and the last words of its program, as the end of a
 * sentence.
 */
export function failureReason(name: string, error: unknown, lastWords: string): string {
  if (isUnauthorized(error))
    return `it wants a sign-in: /mcp login ${name} in the chat opens the browser for it, or ${headerAdvice}`
  if (error instanceof SdkHttpError)
    return httpReason(error.status, '; an older one may need "type": "sse" in the file')
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout)
    return `it did not list its tools in time${lastWords === '' ? '' : `: ${oneLine(lastWords)}`}`
  if (error instanceof SseError && error.code !== undefined) return httpReason(error.code, '')
  if (lastWords !== '') return oneLine(lastWords)
  const { cause } = error as Error
  return connectionReason(cause) ?? oneLine(systemReason(cause instanceof Error ? cause : withReadableMessage(error)))
}

function connectionReason(cause: unknown): string | undefined {
  return cause instanceof Error ? wordsOfConnection((cause as NodeJS.ErrnoException).code)?.found : undefined
}

const headerAdvice = 'put a token into its headers in the file, such as {"authorization": "Bearer ${TOKEN}"}'

function httpReason(status: number, ifNone: string): string {
  if (status === 401 || status === 403) {
    return `it refused the request (status ${status}): ${headerAdvice}`
  }
  if (status === 404 || status === 405) return `there is no MCP server at its url (status ${status})${ifNone}`
  return `it answered with status ${status}`
}

/** Whether the server wants a sign-in, and no token in the file replaces it. */
export function isUnauthorized(error: unknown): boolean {
  const isRefusedAgain = error instanceof SdkError && error.code === SdkErrorCode.ClientHttpAuthentication
  return error instanceof UnauthorizedError || isRefusedAgain
}

/** Whether the connection ended before the answer. */
export function isClosed(error: unknown): boolean {
  return error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed
}

/** The error of a call with what was found: at the address, or first in an answer of the wrong form, which has all in JSON. */
export function withReadableMessage(error: unknown): unknown {
  const reason = connectionReason((error as Error).cause)
  if (reason !== undefined) return new Error(reason, { cause: error })
  if (!(error instanceof SdkError) || error.code !== SdkErrorCode.InvalidResult) return error
  const [, method, findings] = /^Invalid result for (\S+): (\[[^]*\])$/.exec(error.message) ?? []
  if (findings === undefined) return error
  const [finding] = JSON.parse(findings) as { path?: unknown[]; message?: string }[]
  const place = finding?.path?.length ? `${finding.path.join('.')}: ` : ''
  return new Error(`its answer to ${method} has the wrong form: ${place}${finding?.message ?? findings}`)
}

/** The first line that names an error, as stacks of calls and advice follow it, or else the last line. */
export function failureIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /(?:error|exception)\b.*:/i.test(line)) ?? lines.at(-1) ?? ''
}
