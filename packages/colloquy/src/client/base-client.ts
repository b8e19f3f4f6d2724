import { AnthropicError } from '../protocol/types/error.ts'
import type { ListPage } from '../protocol/types/page.ts'
import { APIPromise } from './request/api-promise.ts'
import { fetchTransport } from './transport/fetch-transport.ts'
import { mergeHeaders, redacted, type HeadersLike } from './request/headers.ts'
import { withMiddleware } from './request/middleware.ts'
import { isLogLevel, logAt, type Log, type Logger, type LogLevel, redactedUrl } from './request/log.ts'
import { nodeTransport } from './transport/node-transport.ts'
import { checkClientOptions, type ApiKeySetter, type ClientOptions } from './options.ts'
import { checkRequestOptions, type FinalRequestOptions, type RequestOptions } from './request/options.ts'
import { Page, PagePromise, type AskPage } from './resources/page.ts'
import type { ResourceClient } from './resources/resource-client.ts'
import { readJson, type Parse } from './request/reply.ts'
import { buildUrl, checkBaseUrl, encodeBody, versionFor, type Query } from './request/request.ts'
import { Call, type Patience } from './request/retry.ts'
import { environment, isBrowser, isNode } from './transport/runtime.ts'
import type { Transport, WireRequest } from './transport/transport.ts'
import { version } from './request/version.ts'

const minute = 60_000

/** What every method of the client is built on: one request, with the client's options. */
export class BaseAnthropic implements ResourceClient {
  apiKey: string | null
  authToken: string | null
  baseURL: string
  maxRetries: number
  timeout: number
  logger: Logger
  logLevel: LogLevel

  readonly #options: ClientOptions
  readonly #apiKeySetter: ApiKeySetter | undefined
  readonly #customHeaders = customHeaders()
  #transport: Transport | undefined

  constructor(options: ClientOptions = {}) {
    checkClientOptions(options)
    if (isBrowser() && !options.dangerouslyAllowBrowser) {
      throw new AnthropicError(
        'Cannot run in a browser, where everybody who opens the page can read the API key, unless dangerouslyAllowBrowser is true',
      )
    }
    const { apiKey, authToken } = credentialsOf(options)
    this.#options = options
    this.#apiKeySetter = typeof apiKey === 'function' ? apiKey : undefined
    this.apiKey = typeof apiKey === 'string' ? apiKey : null
    this.authToken = authToken
    this.baseURL = checkBaseUrl(options.baseURL || environment('ANTHROPIC_BASE_URL') || 'https://api.anthropic.com')
    this.maxRetries = options.maxRetries ?? 2
    this.timeout = options.timeout ?? 10 * minute
    this.logger = options.logger ?? console
    this.logLevel = options.logLevel ?? 'warn'
    if (options.logLevel === undefined) this.#readLogLevel()
  }

  /** The `timeout` that was asked for; undefined where it is the default. */
  get givenTimeout(): number | undefined {
    return this.#options.timeout
  }

  /** A client like this one, with some options changed. */
  withOptions(options: ClientOptions): this {
    const credentials =
      options.apiKey !== undefined || options.authToken !== undefined
        ? { apiKey: null, authToken: null }
        : { apiKey: this.#apiKeySetter ?? this.apiKey, authToken: this.authToken }
    const current = {
      baseURL: this.baseURL,
      maxRetries: this.maxRetries,
      logger: this.logger,
      logLevel: this.logLevel,
      ...credentials,
    }
    return new (this.constructor as new (options: ClientOptions) => this)({ ...this.#options, ...current, ...options })
  }

  get<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request({ ...options, method: 'get', path })
  }

  post<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request({ ...options, method: 'post', path })
  }

  delete<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request({ ...options, method: 'delete', path })
  }

  /** A list, read page by page from where the query says. */
  list<Item>(path: string, query: Query, options: RequestOptions = {}): PagePromise<Item> {
    const ask: AskPage<Item> = (cursor) =>
      this.list(path, { ...query, before_id: undefined, after_id: undefined, ...cursor }, options)
    const call = this.#call({ ...options, method: 'get', path, query: { ...query, ...options.query } })
    return new PagePromise(call, async (call, reply) => {
      const page = (await readJson(call, reply)) as ListPage<Item>
      return new Page(page, ask, query['before_id'] !== undefined)
    })
  }

  /**
   * Any request to the API. Every other method comes down to this one. A request that makes a failure good is waited with as
   * a retry is.
   */
  request<Result>(options: FinalRequestOptions, parse?: Parse<Result>, failure?: Error): APIPromise<Result> {
    const call = this.#call(options)
    return new APIPromise(call, parse ?? (readJson as Parse<Result>), failure ? call.again(failure) : call.open())
  }

  #call(options: FinalRequestOptions): Call {
    const log = logAt(this.logger, this.logLevel)
    const transport = this.#transportFor(options)
    return new Call({
      prepare: this.#preparation(options, log, transport),
      transport,
      patience: this.#patience(options),
      signal: options.signal,
      log,
    })
  }

  /** Checks and encodes the request once, now; what differs from try to try is added later. */
  #preparation(
    options: FinalRequestOptions,
    log: Log,
    transport: Transport,
  ): (attempt: number) => Promise<WireRequest> {
    try {
      checkRequestOptions(options)
      const { method, path, query, body, headers, betas } = options
      const encoded = encodeBody(body, transport.encode)
      const url = buildUrl(this.baseURL, path, this.#options.defaultQuery, query)
      const own: HeadersLike = {
        accept: 'application/json',
        'user-agent': `colloquy/${version}`,
        'anthropic-version': versionFor(body),
        'anthropic-dangerous-direct-browser-access': this.#options.dangerouslyAllowBrowser ? 'true' : undefined,
        'content-type': encoded === undefined ? undefined : 'application/json',
      }
      return async (attempt) => {
        const asked = [
          this.#customHeaders,
          this.#options.defaultHeaders,
          { 'anthropic-beta': betas?.join(',') },
          headers,
        ]
        const given = mergeHeaders(...asked)
        const merged = mergeHeaders(
          own,
          { 'x-stainless-retry-count': String(attempt) },
          await this.#authentication(given),
          ...asked,
        )
        log('debug')?.(`${method} ${redactedUrl(url)}`, redacted(merged.values))
        return { method: method.toUpperCase(), url, headers: merged.values, body: encoded }
      }
    } catch (error) {
      // Thrown by the promise, like everything else that may go wrong with a call.
      return async () => {
        if (error instanceof AnthropicError) throw error
        const { unencodable } = await import('./request/unencodable.ts')
        throw unencodable(options.body, error)
      }
    }
  }

  /** The header that says who asks, unless the caller's own headers say it or decline to. */
  async #authentication({ values, removed }: ReturnType<typeof mergeHeaders>): Promise<HeadersLike> {
    if (['x-api-key', 'authorization'].some((name) => values[name] !== undefined || removed.has(name))) return {}
    if (this.#apiKeySetter && this.apiKey === null) return { 'x-api-key': await askForKey(this.#apiKeySetter) }
    if (this.apiKey !== null) return { 'x-api-key': this.apiKey }
    if (this.authToken !== null) return { authorization: `Bearer ${this.authToken}` }
    throw new AnthropicError(
      'Cannot ask the API without an API key: set ANTHROPIC_API_KEY or pass apiKey, or authToken for a bearer token',
    )
  }

  #transportFor({ fetchOptions, middleware = [], ...options }: FinalRequestOptions): Transport {
    const transport =
      fetchOptions === undefined
        ? (this.#transport ??= createTransport(this.#options))
        : createTransport({ ...this.#options, fetchOptions: { ...this.#options.fetchOptions, ...fetchOptions } })
    const chain = [...(this.#options.middleware ?? []), ...middleware]
    return chain.length === 0 ? transport : withMiddleware(transport, chain, { options, logger: this.logger })
  }

  #patience(options: FinalRequestOptions): Patience {
    return {
      timeout: options.timeout ?? this.timeout,
      idleTimeout: options.idleTimeout ?? this.#options.idleTimeout ?? minute,
      totalTimeout: options.totalTimeout ?? this.#options.totalTimeout ?? 0,
      maxRetries: options.maxRetries ?? this.maxRetries,
      maxRetryDelay: options.maxRetryDelay ?? this.#options.maxRetryDelay ?? minute,
      onRetry: options.onRetry ?? this.#options.onRetry,
    }
  }

  #readLogLevel(): void {
    const level = environment('ANTHROPIC_LOG')
    if (level === undefined) return
    if (isLogLevel(level)) this.logLevel = level
    else
      this.logger.warn(
        `Cannot use ANTHROPIC_LOG as it is none of off, error, warn, info, debug: found ${JSON.stringify(level)}`,
      )
  }
}

/** Node's own sockets on Node; `fetch` everywhere else, and where a `fetch` or options for one are given. */
function createTransport({ fetch, fetchOptions, ca, proxy }: ClientOptions): Transport {
  // A bundle for browsers has none: see `browser` in package.json.
  if (nodeTransport && isNode() && fetch === undefined && fetchOptions === undefined)
    return nodeTransport({ ca, proxy })
  return fetchTransport(fetch ?? ((url, init) => globalThis.fetch(url, init)), fetchOptions)
}

function credentialsOf({ apiKey, authToken }: ClientOptions): {
  apiKey: string | ApiKeySetter | null
  authToken: string | null
} {
  // A credential that is passed is the only one: the environment could belong to somebody else.
  if (apiKey != null || authToken != null) return { apiKey: apiKey ?? null, authToken: authToken ?? null }
  const key = apiKey === undefined ? environment('ANTHROPIC_API_KEY') : undefined
  const token = authToken === undefined && key === undefined ? environment('ANTHROPIC_AUTH_TOKEN') : undefined
  return { apiKey: key ?? null, authToken: token ?? null }
}

async function askForKey(apiKey: ApiKeySetter): Promise<string> {
  let key: unknown
  try {
    key = await apiKey()
  } catch (cause) {
    throw new AnthropicError(`Cannot get the API key: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  if (typeof key === 'string' && key !== '') return key
  throw new AnthropicError(`Cannot get the API key: apiKey() returned ${key === '' ? 'an empty string' : typeof key}`)
}

/** `ANTHROPIC_CUSTOM_HEADERS`: a header on each line. */
function customHeaders(): Record<string, string> {
  const lines = environment('ANTHROPIC_CUSTOM_HEADERS')?.split('\n') ?? []
  const pairs = lines.map((line) => line.split(/:(.*)/s, 2).map((part) => part.trim()))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair.length === 2 && pair[0] !== ''))
}
