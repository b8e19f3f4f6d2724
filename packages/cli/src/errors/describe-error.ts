import type { APIStreamError } from 'colloquy'
import { ContentError } from 'colloquy/conversation/errors'
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
} from 'colloquy/protocol'
import { unreachableServer } from '../engine/engine-kind.ts'
import { errorWords, withFoundWords, wordsOfConnection } from './error-words.ts'
import { ExitCode, ExitError } from '../exit.ts'
import { oneLine, withPeriod } from '../format.ts'

/** An error in the words of the program. */
export interface ErrorDescription {
  /** The exit code if the error ends the program. */
  exitCode: number
  /** The API's error type, or the name of the class. */
  type: string
  sentence: string
  requestId: string | undefined
  /** The sentence, with the API's error type and the request id. */
  line: string
  /** Advice on the next step; empty if the sentence alone can tell. */
  advice: string
}

/** Describes an error in one line: a sentence, the API's error type and the request id. */
export function describeError(error: unknown): ErrorDescription {
  const type = typeOf(error)
  const advice = adviceOf(error, type)
  const said = sentenceOf(error, type)
  // The advice is another sentence.
  const sentence = advice === '' ? said : withPeriod(said)
  const requestId = error instanceof APIError ? (error.requestID ?? undefined) : undefined
  const notes = error instanceof APIError && !isOfThisMachine(error) ? [error.type, requestId] : []
  const known = notes.filter((note) => note !== null && note !== undefined)
  const line = known.length === 0 ? sentence : `${sentence} (${known.join(', ')})`
  return { exitCode: exitCodeOf(error, type), type, sentence, requestId, line, advice }
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
  if (!(error instanceof APIError)) return withFoundWords(oneLine(error.message))
  if (isTooLong(error)) return 'The reply took longer than --timeout allows.'
  if (error instanceof APIConnectionError && error.type === null) return connectionSentence(error)
  if (isOfThisMachine(error)) return withPeriod(withFoundWords(oneLine(error.apiMessage ?? error.message)))
  if (error.type === null && error.status !== undefined)
    return foreignSentence(error.status, findingsIn(error.error) ?? error.message)
  const said = oneLine(error.apiMessage ?? error.message)
  const words = errorWords[error instanceof AuthenticationError ? 'authentication_error' : type]
  const sentence = withPeriod(words === undefined ? said : `${words.opening}: ${said}`)
  const { retryAfterMs: waitMs } = error
  return waitMs === null || waitMs <= 0 ? sentence : `${sentence} Try again in ${Math.ceil(waitMs / 1000)} s.`
}

function adviceOf(error: unknown, type: string): string {
  if (type === 'WindowError') return 'Send less, use fewer tools, or choose a model with a larger window.'
  if (!(error instanceof APIError) || error instanceof APIUserAbortError) return ''
  if (isTooLong(error) || error instanceof APIConnectionTimeoutError) return '--timeout allows more seconds.'
  if (error.errorCode === unreachableServer) return wordsOfConnection(undefined, error.message)?.advice ?? ''
  if (isOfThisMachine(error)) return ''
  if (hasNoEvent(error)) return notTheApi
  if (error instanceof APIConnectionError && error.type === null)
    return wordsOfConnection(error.code, error.message)?.advice ?? 'Look at the address and at your network.'
  if (error.type === null) return isServerFailure(error) ? 'Try again.' : notTheApi
  if (type === 'not_found_error' && !/\bmodel\b/i.test(error.message)) return notTheApi
  if (isPromptTooLong(error, type)) return 'Send less, or choose a model with a larger window.'
  return (error.retryAfterMs ?? 0) > 0 ? '' : (errorWords[type]?.advice ?? '')
}

const notTheApi = 'Look at the address: it may be wrong.'

/** Whether a response ended by itself before its first event: it is not a stream of the API. */
function hasNoEvent(error: APIError): boolean {
  const { partial, code, cause } = error as Partial<APIStreamError>
  return (
    'partial' in error && partial === undefined && code === undefined && !(cause instanceof APIConnectionTimeoutError)
  )
}

function isServerFailure({ status }: APIError): boolean {
  return status !== undefined && status >= 500
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

/** Whether the prompt is longer than the window. The API has only words for it: `prompt is too long: 9 tokens > 8 maximum`. */
export function isPromptTooLong(error: APIError, type: string): boolean {
  return type === 'invalid_request_error' && /too long/i.test(error.message)
}

/** A response in another form than the API's errors. A proxy answers with a page, of which the title is enough. */
function foreignSentence(status: number, message: string): string {
  if (/<(?:!doctype|html)\b/i.test(message)) {
    const title = /<title>\s*([^<]+?)\s*<\/title>/i.exec(message)?.[1]
    return withPeriod(
      `The server answered with status ${status} and a web page${title === undefined ? '' : `: ${title}`}`,
    )
  }
  const said = oneLine(message.replace(`${status} `, ''))
  const isEmpty = said === 'status code (no body)'
  return withPeriod(`The server answered with status ${status}${isEmpty ? ' and nothing else' : `: ${said}`}`)
}

/** The findings of FastAPI, which many gateways are made with, in a request: `messages.0: Field required`. */
function findingsIn(body: unknown): string | undefined {
  const { detail } = (body ?? {}) as { detail?: { loc?: unknown; msg?: unknown }[] }
  if (!Array.isArray(detail) || !detail.every((each) => Array.isArray(each?.loc))) return undefined
  const places = detail.map(({ loc }) => (loc as unknown[]).filter((part) => part !== 'body').join('.'))
  return detail.map(({ msg }, index) => `${places[index]}: ${String(msg)}`).join('; ')
}

function connectionSentence(error: APIConnectionError): string {
  const { host, code, cause, message } = error
  if (error instanceof APIConnectionTimeoutError) return 'The server did not answer in time.'
  if (host === undefined) {
    const lost = message.replace(/^Stream broke off/, 'The reply broke off').replace('Connection error: ', '')
    return withPeriod(withFoundWords(oneLine(lost)))
  }
  const reason = code ?? (cause instanceof Error ? oneLine(cause.message) : undefined)
  return withPeriod(withFoundWords(`Can't reach ${host}${reason === undefined ? '' : ` (${reason})`}`))
}

/** The exit codes of statuses, the API's error types and the errors of conversations. */
const exitCodes: Readonly<Record<string, number>> = {
  401: ExitCode.key,
  403: ExitCode.key,
  429: ExitCode.busy,
  529: ExitCode.busy,
  authentication_error: ExitCode.key,
  permission_error: ExitCode.key,
  rate_limit_error: ExitCode.busy,
  overloaded_error: ExitCode.busy,
  invalid_request_error: ExitCode.rejected,
  request_too_large: ExitCode.rejected,
  not_found_error: ExitCode.rejected,
  WindowError: ExitCode.rejected,
  BudgetError: ExitCode.budget,
}

function exitCodeOf(error: unknown, type: string): number {
  if (error instanceof ExitError) return error.exitCode
  if (error instanceof APIUserAbortError) return ExitCode.interrupted
  const { status = 0, errorCode } = error instanceof APIError ? error : {}
  const isUnreached = error instanceof APIConnectionError && error.type === null
  if (isUnreached || errorCode === unreachableServer) return ExitCode.network
  return exitCodes[status] ?? exitCodes[type] ?? (status >= 400 && status < 500 ? ExitCode.rejected : ExitCode.failed)
}
