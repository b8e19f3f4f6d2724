import { AnthropicError } from '../../protocol/types/error.ts'
import { nearMiss } from '../../protocol/json/near-miss.ts'
import type { HeadersLike } from './headers.ts'
import type { Logger } from './log.ts'

/** Timeouts and retries. Times are in milliseconds; 0 means no limit. */
export interface TimeoutAndRetryOptions {
  /**
   * The time for one attempt: until the headers of a streamed response, or the end of any other response. Default: 10 minutes.
   * An attempt that takes longer fails with `APIConnectionTimeoutError`, and is retried.
   */
  timeout?: number | undefined
  /** The longest silence of a stream, which is noticed up to a 64th later. Pings end a silence. Default 60,000. */
  idleTimeout?: number | undefined
  /** The time for the whole request: attempts, waits and the response. Default 0. */
  totalTimeout?: number | undefined
  /** The most attempts after the first. Default 2. */
  maxRetries?: number | undefined
  /** The longest wait between attempts, at most 24 days. If the API asks for a longer one, its error is thrown at once. Default 60,000. */
  maxRetryDelay?: number | undefined
  /** Called before each retry. An error that it throws ends the request. */
  onRetry?: OnRetry | undefined
}

/** A retry that is about to be made, as `onRetry` receives it. */
export interface Retry {
  /** 1 for the second attempt of the request; 0 for the request that continues a reply that broke off. */
  retry: number
  maxRetries: number
  delayMs: number
  /** Why the attempt before failed. */
  error: Error
}

/** A function that is called before each retry. */
export type OnRetry = (retry: Retry) => void

/** The fallback that the requests of a conversation begin with. */
export interface FallbackState {
  /** The place in the list of fallbacks; undefined or -1 is the request's own model. */
  index?: number
}

/** The trace of one request. */
export interface OpenTelemetryRequestOptions {
  /** Links the spans of one conversation, as `gen_ai.conversation.id`. Not sent to the API. */
  conversationId?: string | undefined
}

/** The outcome of a loop whose request is aborted. */
export type AbortedLoops = 'throw' | 'end'

/** Options of one request, which every method takes after its parameters. */
export interface RequestOptions extends TimeoutAndRetryOptions {
  /** Headers, which replace those of the client. `null` removes a header. */
  headers?: HeadersLike | null | undefined
  query?: object | null | undefined
  /** Aborts the request at any stage, with an `APIUserAbortError`. */
  signal?: AbortSignal | null | undefined
  /** Values of `anthropic-beta`. */
  betas?: readonly string[] | undefined
  /** Whether a stream includes `ping` events. Default false. */
  pings?: boolean | undefined
  /**
   * Continues a reply that breaks off after its first event, so that the reader sees one message. Tool inputs and thinking then
   * arrive in one piece. Default: a break is an `APIStreamError`.
   */
  recover?: RecoverOptions | undefined
  fetchOptions?: RequestInit | undefined
  /** Runs inside the middleware of the client. */
  middleware?: readonly Middleware[] | undefined
  /** The fallback that `betaRefusalFallbackMiddleware` begins with, which it changes when a model refuses. */
  fallbackState?: FallbackState | undefined
  /**
   * How to handle half of a surrogate pair, which a cut emoji leaves behind and the API refuses: `replace` it by U+FFFD, or
   * `refuse` the request with an error that names its place. Default `replace`.
   */
  loneSurrogates?: 'replace' | 'refuse' | undefined
  /**
   * Whether a loop over `create({ stream: true })` throws an `APIUserAbortError` when the request is aborted, or ends as if the
   * reply had ended. Default `throw`.
   */
  abortedLoops?: AbortedLoops | undefined
  /** The trace of the request, if OpenTelemetry collects traces. */
  openTelemetry?: OpenTelemetryRequestOptions | undefined
  /** The base URL, unless the client has one other than the default. */
  defaultBaseURL?: string | undefined
  /** Replaces the path of the method that is called. */
  path?: string | undefined
  /** Replaces the HTTP method of the method that is called. */
  method?: FinalRequestOptions['method'] | undefined
  /** Replaces the body that the parameters make. An object is sent as JSON, a string or bytes as they are. */
  body?: unknown
  /** Whether `post()` and `request()` return a `Stream` of events. Other methods go by their parameters. */
  stream?: boolean | undefined
  /** @deprecated Has no effect: the API does not support idempotency keys. */
  idempotencyKey?: string | undefined
}

/** Options for continuing a stream that breaks off. */
export interface RecoverOptions {
  /** The most times a stream is continued. */
  attempts: number
  /** Whether the model continues an assistant message at the end. Default: true for Claude models up to 4.5 without thinking. */
  prefill?: boolean | undefined
}

/** The options of `client.request()`. */
export interface FinalRequestOptions extends RequestOptions {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** A path that begins with `/v1`, or a whole URL. */
  path: string
}

/** The fields of an object that are not undefined. */
export function definedFields<Value extends object>(value: Value): Partial<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<Value>
}

/** The options of a request with a method to a path, unless the caller's own options have others. */
export function requestTo(
  method: FinalRequestOptions['method'],
  path: string,
  options: RequestOptions | null | undefined,
): FinalRequestOptions {
  const own = ownOptions(options)
  return { ...own, method: own.method ?? method, path: own.path ?? path }
}

/** The options, in which a name that they lack is undefined, even if other code has put it on `Object.prototype`. */
export function ownOptions<Options extends object = RequestOptions>(options: Options | null | undefined): Options {
  let own = options ?? ({} as Options)
  for (const name in Object.prototype) if (!Object.hasOwn(own, name)) own = { ...own, [name]: undefined }
  return own
}

/** One attempt of a request, as a middleware sees it and may change it. */
export interface APIRequest {
  url: string
  method: string
  headers: Headers
  body?: string | Uint8Array | readonly Uint8Array[] | undefined
  /** Ends the request that is sent. A cancelled call ends it anyway. */
  signal?: AbortSignal | undefined
}

/** Sends the request to the next middleware, or to the network. */
export type MiddlewareNext = (request: APIRequest) => Promise<Response>

/** The context of a middleware call. */
export interface MiddlewareContext {
  /** The options of the request. Undefined for a request that the client makes itself, for an access token. */
  readonly options: FinalRequestOptions | undefined
  /** Writes only the levels that the client logs. */
  readonly logger: Logger
  /**
   * Reads a response as the client does, without consuming it: the value of JSON, text, a `Stream` of the events of a reply
   * that streams, or the `Response` itself of a download. Parses each response once, but a stream as often as it is called.
   */
  parse<Result = unknown>(response: Response): Promise<Result>
}

/**
 * Wraps one attempt of a request. It may change the request, return a response of its own, call `next` several times, and
 * replace the response; to read a body it calls `context.parse()` or reads a `clone()`. Its errors reach the caller unchanged,
 * but an error that is a connection error or a `RetryableError`, or has one in its causes, is retried first. The time limit of
 * an attempt does not count the middleware's own time.
 */
export type Middleware = (request: APIRequest, next: MiddlewareNext, context: MiddlewareContext) => Promise<Response>

const numberNames = ['timeout', 'idleTimeout', 'totalTimeout', 'maxRetries', 'maxRetryDelay'] as const

/** The options that a client and a request take. */
export const sharedNames: readonly string[] = [
  ...numberNames,
  ...([
    'onRetry',
    'fetchOptions',
    'middleware',
    'openTelemetry',
    'loneSurrogates',
    'abortedLoops',
  ] satisfies (keyof RequestOptions)[]),
]

export const requestNames: readonly string[] = [
  ...sharedNames,
  ...([
    'headers',
    'query',
    'signal',
    'betas',
    'pings',
    'recover',
    'fallbackState',
    'idempotencyKey',
    'defaultBaseURL',
    'method',
    'path',
    'body',
    'stream',
  ] satisfies (keyof FinalRequestOptions)[]),
]

export function checkRequestOptions(options: RequestOptions): void {
  checkNames(options, requestNames, 'request option')
  checkSharedOptions(options)
  for (const name of ['method', 'path'] as const) if (typeof options[name] !== 'string') refuse(name, 'text')
  // Any signal with this method will do, such as that of a polyfill.
  if (options.signal && !('addEventListener' in Object(options.signal))) refuse('signal', 'an AbortSignal')
}

interface SharedOptions extends Omit<TimeoutAndRetryOptions, 'onRetry'> {
  middleware?: readonly unknown[] | undefined
  onRetry?: unknown
  loneSurrogates?: string | undefined
  abortedLoops?: string | undefined
}

/** The values of the options that have a choice. */
const choices = { loneSurrogates: 'replace or refuse', abortedLoops: 'throw or end' }

function refuse(name: string, kind: string): never {
  throw new AnthropicError(`Cannot use ${name} as it must be ${kind}`)
}

export function checkNames(options: object, known: readonly string[], kind: string): void {
  for (const name of Object.keys(options)) {
    if ((options as Record<string, unknown>)[name] == null || known.includes(name)) continue
    const near = nearMiss(name, known)
    throw new AnthropicError(
      `Cannot use the ${kind} ${name}: ${near ? `did you mean ${near}?` : `the options are ${known.join(', ')}`}`,
    )
  }
}

/** Checks the values of options that a client and a request take. */
export function checkSharedOptions(options: SharedOptions): void {
  if (options.middleware && !options.middleware.every?.(isFunction)) refuse('middleware', 'a list of functions')
  checkFunction('onRetry', options.onRetry)
  for (const [name, texts] of Object.entries(choices) as Array<[keyof typeof choices, string]>)
    if (options[name] && !texts.split(' or ').includes(options[name])) refuse(name, texts)
  for (const name of numberNames) {
    const value: unknown = options[name]
    if (value == null) continue
    const isCount = name === 'maxRetries'
    if (typeof value === 'number' && value >= 0 && (!isCount || Number.isInteger(value))) continue
    refuse(
      name,
      `a ${isCount ? 'whole number' : 'number of milliseconds'} from 0: found ${typeof value} ${String(value)}`,
    )
  }
}

export function checkFunction(name: string, value: unknown): void {
  if (value && !isFunction(value)) refuse(name, 'a function')
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
