import type { Fetch } from './transport/fetch-transport.ts'
import type { HeadersLike } from './request/headers.ts'
import type { Logger, LogLevel } from './request/log.ts'
import { checkNames, checkPatience, type Middleware, type PatienceOptions, patienceNames } from './request/options.ts'

/** Returns the API key; asked before every request, so that a key may be rotated. */
export type ApiKeySetter = () => Promise<string> | string

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

export function checkClientOptions(options: ClientOptions): void {
  checkNames(options, clientNames, 'client option')
  checkPatience(options)
  if (options.apiKey != null && options.authToken != null) {
    throw new TypeError('Cannot use both apiKey and authToken: pass one of them')
  }
}
