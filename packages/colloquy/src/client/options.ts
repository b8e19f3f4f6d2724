import { AnthropicError } from '../protocol/types/error.ts'
import { nearMiss } from '../protocol/json/near-miss.ts'
import type { Fetch } from './transport/fetch-transport.ts'
import type { HeadersLike } from './request/headers.ts'
import type { Logger, LogLevel } from './request/log.ts'
import type { Middleware } from './request/middleware.ts'
import type { OnRetry } from './request/retry.ts'

/** Returns the API key; asked before every request, so that a key may be rotated. */
export type ApiKeySetter = () => Promise<string> | string

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

/** What `new Anthropic()` takes. */
export interface ClientOptions extends PatienceOptions {
  /** Sent as `x-api-key`. Default: `ANTHROPIC_API_KEY`. */
  apiKey?: string | ApiKeySetter | null | undefined
  /** Sent as `Authorization: Bearer`. Default: `ANTHROPIC_AUTH_TOKEN`, where there is no API key. */
  authToken?: string | null | undefined
  /** What `/v1/…` is appended to. Default: `ANTHROPIC_BASE_URL`, or `https://api.anthropic.com`. */
  baseURL?: string | null | undefined
  /** Sent with every request, over the client's own; `null` removes one. `ANTHROPIC_CUSTOM_HEADERS` (lines `Name: value`) stand below them. */
  defaultHeaders?: HeadersLike | undefined
  /** Appended to every URL. */
  defaultQuery?: Record<string, string | undefined> | undefined
  /** Sends the requests. Default: Node's own sockets on Node, the global `fetch` elsewhere. */
  fetch?: Fetch | undefined
  /** Passed to `fetch`, which is then used on Node too. */
  fetchOptions?: RequestInit | undefined
  /** Node only: PEM certificates to trust instead of the built-in ones. */
  ca?: string | readonly string[] | undefined
  /** Node only: the URL of a proxy, or `false` for none. Default: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  proxy?: string | false | undefined
  /** Wraps every try of every request, the first outermost. */
  middleware?: readonly Middleware[] | undefined
  /** Lets the client run in a browser, where everybody who opens the page can read the key. Default false. */
  dangerouslyAllowBrowser?: boolean | undefined
  /** Default `console`. */
  logger?: Logger | undefined
  /** Default: `ANTHROPIC_LOG`, or `warn`. */
  logLevel?: LogLevel | undefined
}

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

const patienceNames: readonly (keyof PatienceOptions)[] = [
  'timeout',
  'idleTimeout',
  'totalTimeout',
  'maxRetries',
  'maxRetryDelay',
  'onRetry',
]

const clientNames: readonly string[] = [
  ...patienceNames,
  ...([
    'apiKey',
    'authToken',
    'baseURL',
    'defaultHeaders',
    'defaultQuery',
    'fetch',
    'fetchOptions',
    'ca',
    'proxy',
    'middleware',
    'dangerouslyAllowBrowser',
    'logger',
    'logLevel',
  ] satisfies (keyof ClientOptions)[]),
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

export function checkClientOptions(options: ClientOptions): void {
  checkNames(options, clientNames, 'client option')
  checkPatience(options)
  if (options.apiKey != null && options.authToken != null) {
    throw new TypeError('Cannot use both apiKey and authToken: pass one of them')
  }
}

export function checkRequestOptions(options: RequestOptions): void {
  checkNames(options, requestNames, 'request option')
  checkPatience(options)
}

function checkNames(options: object, known: readonly string[], kind: string): void {
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

function checkPatience(options: PatienceOptions): void {
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
