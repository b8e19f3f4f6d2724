import { AnthropicError } from '../../protocol/types/error.ts'
import { nearMiss } from '../../protocol/json/near-miss.ts'
import type { HeadersLike } from './headers.ts'
import type { Logger } from './log.ts'

/** How long to wait and how often to try. All times in milliseconds. */
export interface PatienceOptions {
  /**
   * How long one try may take until the headers of a streamed reply came, or all of any other reply. Default: 10 minutes.
   * A try that takes longer fails with `APIConnectionTimeoutError` and is retried. 0, here and below, is any time.
   */
  timeout?: number | undefined
  /** How long a stream may be silent; pings count as a sign of life. Default 60,000. */
  idleTimeout?: number | undefined
  /** How long a call may take in all: tries, waits and the reply. Default: no limit of its own. */
  totalTimeout?: number | undefined
  /** Tries after the first. Default 2. */
  maxRetries?: number | undefined
  /** The longest wait between tries, at most 24 days. When the API asks for a longer one its error is thrown at once. Default 60,000. */
  maxRetryDelay?: number | undefined
  /** Told before each retry. What it throws ends the call. */
  onRetry?: OnRetry | undefined
}

/** A retry that is about to be made, as `onRetry` receives it. */
export interface Retry {
  /** 1 for the second attempt of the request. */
  retry: number
  maxRetries: number
  delayMs: number
  /** Why the attempt before failed. */
  error: Error
}

export type OnRetry = (retry: Retry) => void

/** What each call takes after its parameters. */
export interface RequestOptions extends PatienceOptions {
  /** Sent over the client's headers; `null` removes one. */
  headers?: HeadersLike | null | undefined
  query?: Record<string, unknown> | null | undefined
  /** Aborts the call at any stage: whoever waits for it gets `APIUserAbortError`. */
  signal?: AbortSignal | null | undefined
  /** Values of `anthropic-beta`. */
  betas?: readonly string[] | undefined
  /** Hands out the `ping` events of a stream too. Default false. */
  pings?: boolean | undefined
  /**
   * Goes on with a reply that breaks off after its first event: the reader sees one message. Tool inputs and thinking then
   * come in one piece. Default: a break is an `APIStreamError`.
   */
  recover?: RecoverOptions | undefined
  fetchOptions?: RequestInit | undefined
  /** Inside the client's. */
  middleware?: readonly Middleware[] | undefined
  /** @deprecated Does nothing: the API knows no idempotency keys. */
  idempotencyKey?: string | undefined
}

export interface RecoverOptions {
  /** How often a stream is taken up again. */
  attempts: number
  /** Whether the model goes on with an assistant message at the end. Default: yes for Claude models up to 4.5 without thinking. */
  prefill?: boolean | undefined
}

/** What `client.request()` takes. */
export interface FinalRequestOptions extends RequestOptions {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Begins with `/v1`, or is a whole URL. */
  path: string
  /** An object is sent as JSON. */
  body?: unknown
  /** Reads the reply as server-sent events. */
  stream?: boolean | undefined
}

/** A try of a request, as a middleware sees and may change it. */
export interface APIRequest {
  url: string
  method: string
  headers: Headers
  body?: string | Uint8Array | readonly Uint8Array[] | undefined
}

export type MiddlewareNext = (request: APIRequest) => Promise<Response>

export interface MiddlewareContext {
  /** What the call was made with. */
  readonly options: FinalRequestOptions
  readonly logger: Logger
}

/**
 * Wraps one try of a request. It may change the request, answer by itself, ask `next` again, and replace the response; to look
 * into a body it reads a `clone()`. What it throws goes to the caller as it is, unless it is an `APIError` that is retried; a
 * `RetryableError` always is.
 */
export type Middleware = (request: APIRequest, next: MiddlewareNext, context: MiddlewareContext) => Promise<Response>

export const patienceNames: readonly (keyof PatienceOptions)[] = [
  'timeout',
  'idleTimeout',
  'totalTimeout',
  'maxRetries',
  'maxRetryDelay',
  'onRetry',
]

const requestNames: readonly string[] = [
  ...patienceNames,
  ...([
    'headers',
    'query',
    'signal',
    'betas',
    'pings',
    'recover',
    'fetchOptions',
    'middleware',
    'idempotencyKey',
    'method',
    'path',
    'body',
    'stream',
  ] satisfies (keyof FinalRequestOptions)[]),
]

// The official client has these; saying nothing would leave a program without the credentials it means to use.
const notOffered: readonly string[] = [
  'credentials',
  'config',
  'profile',
  'webhookKey',
  'openTelemetry',
  'fallbackState',
  'defaultBaseURL',
]

export function checkRequestOptions(options: RequestOptions): void {
  checkNames(options, requestNames, 'request option')
  checkPatience(options)
}

export function checkNames(options: object, known: readonly string[], kind: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name) || value === undefined || value === null) continue
    if (notOffered.includes(name)) {
      if (value === false) continue
      throw new AnthropicError(`Cannot use the ${kind} ${name}: it is not offered here`)
    }
    const near = nearMiss(name, known)
    throw new AnthropicError(
      `Cannot use the ${kind} ${name}: ${near ? `did you mean ${near}?` : `the options are ${known.join(', ')}`}`,
    )
  }
}

export function checkPatience(options: PatienceOptions): void {
  for (const name of patienceNames) {
    const value: unknown = options[name]
    if (value === undefined || name === 'onRetry') continue
    if (typeof value !== 'number' || !(value >= 0) || (name === 'maxRetries' && !Number.isInteger(value))) {
      throw new AnthropicError(
        `Cannot use ${name} as it must be ${name === 'maxRetries' ? 'a whole number' : 'a number of milliseconds'} from 0: found ${JSON.stringify(value)}`,
      )
    }
  }
}
