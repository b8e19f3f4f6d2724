import type { AccessTokenProvider, AnthropicConfig } from './credentials/access-token.ts'
import type { OpenTelemetryOptions } from './tracing/open-telemetry.ts'
import type { Fetch } from './transport/fetch-transport.ts'
import type { HeadersLike } from './request/headers.ts'
import type { Logger, LogLevel } from './request/log.ts'
import {
  type AbortedLoops,
  checkFunction,
  checkNames,
  checkSharedOptions,
  type Middleware,
  type TimeoutAndRetryOptions,
  sharedNames,
} from './request/options.ts'

/** Returns the API key. Called before every attempt, so that a key may be rotated. */
export type ApiKeySetter = () => Promise<string> | string

/** The options of `new Anthropic()`. */
export interface ClientOptions extends TimeoutAndRetryOptions {
  /** Sent as `x-api-key`. Default: `ANTHROPIC_API_KEY`. */
  apiKey?: string | ApiKeySetter | null | undefined
  /** Sent as `Authorization: Bearer`. Default: `ANTHROPIC_AUTH_TOKEN`, if there is no API key. */
  authToken?: string | null | undefined
  /** Returns access tokens. Without any credentials, a profile or workload identity of the environment is used. */
  credentials?: AccessTokenProvider | null | undefined
  /** A configuration, as a profile's file holds it. Only its identity token may come from the environment. */
  config?: AnthropicConfig | null | undefined
  /** The name of a profile. Default: `ANTHROPIC_PROFILE`. */
  profile?: string | null | undefined
  /** The URL that `/v1/…` is appended to. Default: `ANTHROPIC_BASE_URL`; without it, or if null, `https://api.anthropic.com`. */
  baseURL?: string | null | undefined
  /**
   * Headers of every request. They replace the client's own headers and those of `ANTHROPIC_CUSTOM_HEADERS` (lines of
   * `Name: value`); `null` removes a header.
   */
  defaultHeaders?: HeadersLike | null | undefined
  /** Query parameters of every URL. */
  defaultQuery?: Record<string, string | undefined> | undefined
  /** Sends the requests. Default: Node's own sockets on Node, the global `fetch` elsewhere. */
  fetch?: Fetch | undefined
  /** Passed to `fetch`, which is then used on Node too. */
  fetchOptions?: RequestInit | undefined
  /** Node only: PEM certificates to trust instead of the built-in ones. */
  ca?: string | readonly string[] | undefined
  /** Node only: the URL of a proxy, or `false` for none. Default: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  proxy?: string | false | undefined
  /**
   * Node only: `'node'` sends every request through `node:http` and `node:https`. Default `'sockets'`: the client reads HTTP
   * from Node's sockets itself, and uses those modules only for proxies, for requests with headers for the connection, and
   * when the process watches or replaces those modules, as tracers and mocks do. A replaced or watched `fetch` is used too.
   */
  transport?: 'sockets' | 'node' | undefined
  /** Wraps every attempt of every request. The first is the outermost. */
  middleware?: readonly Middleware[] | undefined
  /**
   * The traces that OpenTelemetry collects; `false` is none. Default: spans without text, once the application registered a
   * tracer provider; the environment variables `ANTHROPIC_OPEN_TELEMETRY…` change that.
   */
  openTelemetry?: OpenTelemetryOptions | false | null | undefined
  /** Lets the client run in a browser, where everyone who opens the page can read the key. Default false. */
  dangerouslyAllowBrowser?: boolean | undefined
  /** As in the options of a request. */
  loneSurrogates?: 'replace' | 'refuse' | undefined
  /** As in the options of a request. */
  abortedLoops?: AbortedLoops | undefined
  /** Default `console`. */
  logger?: Logger | undefined
  /** Default: `ANTHROPIC_LOG`, or `warn`. */
  logLevel?: LogLevel | undefined
}

/** The options that are credentials. A client takes one of them. */
export const credentialNames = ['apiKey', 'authToken', 'credentials', 'config', 'profile'] as const

export const clientNames: readonly string[] = [
  ...sharedNames,
  ...credentialNames,
  ...([
    'baseURL',
    'defaultHeaders',
    'defaultQuery',
    'fetch',
    'ca',
    'proxy',
    'transport',
    'dangerouslyAllowBrowser',
    'logger',
    'logLevel',
  ] satisfies (keyof ClientOptions)[]),
]

/** The credentials among the options that are set. */
export function givenCredentials(options: ClientOptions): string[] {
  return credentialNames.filter((name) => options[name] != null)
}

/** Checks the options of a client. A subclass may have further options. */
export function checkClientOptions(options: ClientOptions, isSubclass: boolean): void {
  if (!isSubclass) checkNames(options, clientNames, 'client option')
  checkSharedOptions(options)
  checkFunction('fetch', options.fetch)
  const given = givenCredentials(options)
  if (given.length > 1) throw new TypeError(`Cannot use both ${given.join(' and ')}`)
}
