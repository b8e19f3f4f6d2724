import { ContentError } from 'colloquy/conversation/errors'
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  PermissionDeniedError,
} from 'colloquy/protocol'
import { unreachableServer } from './engine/engine-kind.ts'
import { ExitCode, ExitError } from './exit.ts'
import { oneLine } from './format.ts'

/** An error in the words of the program. */
export interface ErrorDescription {
  /** The exit code if the error ends the program. */
  exitCode: number
  /** The API's error type, or the name of the class. */
  type: string
  sentence: string
  requestId: string | undefined
  /** The sentence, with type and request id. */
  line: string
}

const openings: Record<string, string> = {
  invalid_request_error: 'The request was rejected',
  authentication_error: 'The key was not accepted',
  billing_error: 'There is a problem with the billing of this account',
  permission_error: 'This key may not do that',
  not_found_error: 'Not found',
  conflict_error: 'Something else changed at the same time',
  request_too_large: 'The request is too large',
  rate_limit_error: 'Too many requests',
  overloaded_error: 'The API is overloaded',
  api_error: 'The API failed',
  timeout_error: 'The API took too long',
}

/** Describes an error in one line: a sentence, the API's error type and the request id. */
export function describeError(error: unknown): ErrorDescription {
  const type = typeOf(error)
  const sentence = sentenceOf(error, type)
  const requestId = error instanceof APIError ? (error.requestID ?? undefined) : undefined
  const notes =
    error instanceof APIError && !isOfThisMachine(error) ? [type, ...(requestId === undefined ? [] : [requestId])] : []
  const line = notes.length === 0 ? sentence : `${sentence} (${notes.join(', ')})`
  return { exitCode: exitCodeOf(error, type), type, sentence, requestId, line }
}

function typeOf(error: unknown): string {
  if (error instanceof APIConnectionTimeoutError || isTooLong(error)) return 'timeout_error'
  if (error instanceof APIError && error.type !== null) return error.type
  if (error instanceof APIConnectionError) return 'connection_error'
  return error instanceof Error ? error.name : 'Error'
}

function sentenceOf(error: unknown, type: string): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof APIUserAbortError) return 'Stopped.'
  if (error instanceof ContentError && error.waitingCalls.length > 0)
    return 'The last reply waits for results of tools, and there are none here: /undo in the chat takes it back.'
  if (!(error instanceof APIError)) return oneLine(error.message)
  if (isTooLong(error)) return 'The reply took longer than --timeout allows.'
  const said = oneLine(error.apiMessage ?? withoutPage(error))
  if (error instanceof APIConnectionError && error.type === null) return connectionSentence(error)
  const opening = isOfThisMachine(error) ? undefined : openings[type]
  const sentence = withPeriod(opening === undefined ? said : `${opening}: ${said}`)
  const { retryAfterMs: waitMs } = error
  return waitMs === null || waitMs <= 0 ? sentence : `${sentence} Try again in ${Math.ceil(waitMs / 1000)} s.`
}

/** Whether the engine in this process cannot use its file or reach its server. No request reached an API. */
function isOfThisMachine(error: APIError): boolean {
  return error.errorCode === 'unusable_model_file' || error.errorCode === unreachableServer
}

/** Whether the time of `--timeout` was over, also in the middle of a reply. */
function isTooLong(error: unknown): boolean {
  if (error instanceof APIConnectionTimeoutError) return error.notRetriedBecause === 'totalTimeout'
  return error instanceof APIError && isTooLong(error.cause)
}

/** The message of a response in another form than the API's errors. A proxy answers with a page, of which the title is enough. */
function withoutPage({ status, message }: APIError): string {
  if (status === undefined || !/<(?:!doctype|html)\b/i.test(message)) return message
  const title = /<title>\s*([^<]+?)\s*<\/title>/i.exec(message)?.[1]
  return `The server answered with status ${status} and a web page${title === undefined ? '' : `: ${title}`}`
}

function connectionSentence({ host, code, cause, message }: APIConnectionError): string {
  if (host === undefined) return withPeriod(oneLine(message))
  const reason = code ?? (cause instanceof Error ? oneLine(cause.message) : undefined)
  return `Can't reach ${host}${reason === undefined ? '' : ` (${reason})`}.`
}

function exitCodeOf(error: unknown, type: string): number {
  if (error instanceof ExitError) return error.exitCode
  if (error instanceof APIUserAbortError) return ExitCode.interrupted
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError) return ExitCode.key
  if (type === 'authentication_error' || type === 'permission_error') return ExitCode.key
  if (type === 'rate_limit_error' || type === 'overloaded_error') return ExitCode.busy
  if (type === 'BudgetError') return ExitCode.budget
  if (!(error instanceof APIError)) return ExitCode.failed
  if (error.status === 429 || error.status === 529) return ExitCode.busy
  if (error instanceof APIConnectionError && error.type === null) return ExitCode.network
  if (error.errorCode === unreachableServer) return ExitCode.network
  if (error.status !== undefined && error.status >= 400 && error.status < 500) return ExitCode.rejected
  return ['invalid_request_error', 'request_too_large', 'not_found_error'].includes(type)
    ? ExitCode.rejected
    : ExitCode.failed
}

function withPeriod(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
}
