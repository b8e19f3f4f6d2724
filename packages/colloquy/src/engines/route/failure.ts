import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  type ErrorBody,
  type ErrorType,
} from '../../protocol/types/error.ts'
import type { Usage } from '../../protocol/types/message.ts'
import { statusByType } from '../../protocol/types/error-response.ts'

/**
 * A reason to try the next engine:
 *
 * - `overload`: it is overloaded or at its rate limit (429, 503, 529).
 * - `timeout`: it did not begin to reply in time (408, 504).
 * - `error`: it failed, could not be reached, or does not accept the key that it was given.
 * - `refusal`: the model declined to reply, before any content.
 * - `request`: it does not take the request: an unknown model, an unsupported part, a prompt that is too long (400, 404, 413).
 */
export type FallbackReason = 'overload' | 'timeout' | 'error' | 'refusal' | 'request'

/** The model declined to reply, before any content. */
export class Refusal extends Error {
  override name = 'Refusal'
  /** The whole reply, in the form in which the attempt would have returned it. */
  readonly reply: unknown
  readonly usage: Usage

  constructor(reply: unknown, usage: Usage) {
    super('The model declined to reply.')
    this.reply = reply
    this.usage = usage
  }
}

/** The failure of one engine. */
export interface Failure {
  /** The engine's name, with its place if there are several of the name. */
  label: string
  error: unknown
  /** Why the engine was not tried. Absent if it was. */
  skipped?: string
  /** Milliseconds until it may be tried again, if known. */
  retryAfterMs?: number | null
}

const reasons = new Map<string | number, FallbackReason>([
  ['overloaded_error', 'overload'],
  ['rate_limit_error', 'overload'],
  ['timeout_error', 'timeout'],
  ['invalid_request_error', 'request'],
  ['not_found_error', 'request'],
  ['request_too_large', 'request'],
  ['conflict_error', 'request'],
  [429, 'overload'],
  [503, 'overload'],
  [529, 'overload'],
  [408, 'timeout'],
  [504, 'timeout'],
  [401, 'error'],
  [402, 'error'],
  [403, 'error'],
])

/** The reason that an error gives to try another engine; undefined for an abort. */
export function reasonOf(error: unknown): FallbackReason | undefined {
  if (error instanceof APIUserAbortError) return undefined
  if (error instanceof Refusal) return 'refusal'
  if (error instanceof APIConnectionTimeoutError) return 'timeout'
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return 'error'
  const { type, status } = error
  return reasons.get(type ?? '') ?? reasons.get(status ?? 0) ?? (isRequestStatus(status) ? 'request' : 'error')
}

function isRequestStatus(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500
}

/**
 * The error for a request that no engine of the route answered. The error of a single engine is kept as it is. A refusal
 * is kept too: it is a reply, and no other engine had one.
 */
export function failureOf(model: string, route: string, failures: readonly Failure[]): unknown {
  const refused = failures.find(({ error }) => error instanceof Refusal)
  if (refused !== undefined) return refused.error
  if (failures.length === 1 && failures[0]!.skipped === undefined) return failures[0]!.error
  const type = typeOf(failures)
  const message = `Cannot answer ${model} by the route ${route}: ${failures.map(describe).join('; ')}`
  const body: ErrorBody = { type: 'error', error: { type, message } }
  const error = APIError.generate(statusByType.get(type), body, undefined, headersOf(failures))
  error.cause = new AggregateError(
    failures.map((failure) => failure.error),
    message,
  )
  return error
}

/** The type that makes clients do the most useful thing: wait, if waiting may help. */
function typeOf(failures: readonly Failure[]): ErrorType {
  const statuses = failures.map(({ error }) => (error instanceof APIError ? error.status : undefined))
  if (statuses.every((status) => status === 429)) return 'rate_limit_error'
  const found = new Set(failures.map(({ error, skipped }) => (skipped ? 'overload' : reasonOf(error))))
  if (found.has('overload')) return 'overloaded_error'
  if (found.has('timeout')) return 'timeout_error'
  return found.has('error') ? 'api_error' : 'invalid_request_error'
}

function headersOf(failures: readonly Failure[]): Headers {
  const waits = failures.flatMap(({ retryAfterMs, error }) => {
    const wait = retryAfterMs ?? (error instanceof APIError ? error.retryAfterMs : null)
    return wait === null ? [] : [wait]
  })
  return new Headers(waits.length === 0 ? {} : { 'retry-after': String(Math.ceil(Math.min(...waits) / 1000)) })
}

/** Names no host and repeats no text of an error that is not the API's: it may hold a path or an address. */
function describe({ label, error, skipped }: Failure): string {
  return [label, skipped, textOf(error)].filter((part) => part !== undefined).join(': ')
}

function textOf(error: unknown): string {
  if (error instanceof APIConnectionTimeoutError) return 'no reply in time'
  if (error instanceof APIConnectionError)
    return `the connection failed${error.code === undefined ? '' : ` (${error.code})`}`
  if (!(error instanceof APIError)) return 'internal error'
  return [error.status, error.apiMessage ?? error.type ?? 'an error without a message'].filter(Boolean).join(' ')
}
