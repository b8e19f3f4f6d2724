import { AnthropicError } from '../protocol/types/error.ts'
import type { ListPage } from '../protocol/types/resources/page.ts'
import type { AccessTokenProvider } from './credentials/access-token.ts'
import { authenticationHeaders, credentialsOf, customHeaders, TokenUse } from './credentials/authentication.ts'
import type { TokenSource } from './credentials/token-source.ts'
import { checkClientOptions, credentialNames, type ApiKeySetter, type ClientOptions } from './options.ts'
import { APIPromise, readJson, readObject } from './request/api-promise.ts'
import { mergeHeaders, type HeadersLike } from './request/headers.ts'
import { isLogLevel, logAt, maskHeaders, maskUrl, type Log, type Logger, type LogLevel } from './request/log.ts'
import {
  checkRequestOptions,
  requestTo,
  type FinalRequestOptions,
  type Middleware,
  type MiddlewareContext,
  type RequestOptions,
} from './request/options.ts'
import { buildUrl, checkBaseUrl, encodeBody, isWebBody, version, versionFor, type Query } from './request/request.ts'
import { RetryingRequest, type Parse } from './request/retrying-request.ts'
import type { RetryPolicy } from './request/retry.ts'
import type { EncodedBody } from './request/web-body.ts'
import { Page, PagePromise, type RequestPage } from './resources/page.ts'
import { FetchResponse } from './transport/fetch-response.ts'
import { fetchTransport } from './transport/fetch-transport.ts'
import { nodeTransport } from './transport/node/node-transport.ts'
import { environment, isBrowser, isNode } from './transport/runtime.ts'
import type { Transport, WireRequest } from './transport/transport.ts'

const minute = 60_000

/** Sends requests with the options of the client. Every method of the client is built on it. */
export class BaseAnthropic {
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
  readonly #isBaseUrlGiven: boolean
  /** Finds the access tokens, which copies of this client share. */
  readonly #findTokens: () => Promise<TokenSource | undefined>
  #tokens: TokenSource | undefined
  #transport: Transport | undefined

  constructor(options: ClientOptions & { [sharedTokens]?: () => Promise<TokenSource | undefined> } = {}) {
    checkClientOptions(options)
    if (isBrowser() && !options.dangerouslyAllowBrowser) {
      throw new AnthropicError(
        'Cannot run in a browser, where everyone who opens the page can read the API key, unless dangerouslyAllowBrowser is true',
      )
    }
    const { apiKey, authToken } = credentialsOf(options)
    this.#options = options
    this.#apiKeySetter = typeof apiKey === 'function' ? apiKey : undefined
    this.apiKey = typeof apiKey === 'string' ? apiKey : null
    this.authToken = authToken
    const baseURL = options.baseURL || environment('ANTHROPIC_BASE_URL')
    this.#isBaseUrlGiven = baseURL !== undefined
    this.baseURL = checkBaseUrl(baseURL ?? 'https://api.anthropic.com')
    this.#findTokens = options[sharedTokens] ?? onceLoaded(() => this.#loadTokens())
    this.maxRetries = options.maxRetries ?? 2
    this.timeout = options.timeout ?? 10 * minute
    this.logger = options.logger ?? console
    this.logLevel = options.logLevel ?? 'warn'
    if (options.logLevel === undefined) this.#readLogLevel()
  }

  /**
   * The `timeout` that the caller set; undefined if it is the default.
   *
   * @internal
   */
  get givenTimeout(): number | undefined {
    return this.#options.timeout
  }

  /** Returns access tokens, if the client has neither a key nor a token. Null before the first request found it. */
  get credentials(): AccessTokenProvider | null {
    return this.#options.credentials ?? this.#tokens?.provider ?? null
  }

  /** A copy of this client with some options changed. Other credentials replace those of this client, whatever their kind. */
  withOptions(options: ClientOptions): this {
    const others = credentialNames.filter((name) => options[name] !== undefined)
    const current = {
      ...(this.#isBaseUrlGiven && { baseURL: this.baseURL }),
      maxRetries: this.maxRetries,
      logger: this.logger,
      logLevel: this.logLevel,
      apiKey: this.#apiKeySetter ?? this.apiKey,
      authToken: this.authToken,
      [sharedTokens]: others.length === 0 ? this.#findTokens : undefined,
      ...(others.length > 0 && Object.fromEntries(credentialNames.map((name) => [name, null]))),
    }
    const given = Object.fromEntries(
      Object.entries(options).filter(([name, value]) => value !== undefined || !isCredential(name)),
    )
    return new (this.constructor as new (options: ClientOptions) => this)({ ...this.#options, ...current, ...given })
  }

  /** Sends a GET request to a path of the API. */
  get<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request(requestTo('get', path, options))
  }

  /** Sends a POST request to a path of the API. */
  post<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request(requestTo('post', path, options))
  }

  /** Sends a DELETE request to a path of the API. */
  delete<Result>(path: string, options?: RequestOptions & { body?: unknown }): APIPromise<Result> {
    return this.request(requestTo('delete', path, options))
  }

  /** A list, read page by page, from the cursor of the query on. */
  list<Item>(path: string, query: Query, options: RequestOptions = {}): PagePromise<Item> {
    const requestPage: RequestPage<Item> = (cursor) =>
      this.list(path, { ...query, before_id: undefined, after_id: undefined, ...cursor }, options)
    const request = this.#open(requestTo('get', path, { ...options, query: { ...query, ...options.query } }))
    const parse: Parse<Page<Item>> = async (response) => {
      const page = (await readObject(response, request)) as ListPage<Item>
      return new Page(page, requestPage, query['before_id'] !== undefined)
    }
    return new PagePromise(request, (response) => request.read(response, parse))
  }

  /** Sends any request to the API. Every other method comes down to this one. */
  request<Result>(options: FinalRequestOptions): APIPromise<Result> {
    return this.sendRequest(options, readJson as Parse<Result>)
  }

  /**
   * Sends a request and reads its response with `parse`. After a `failure`, waits first as a retry does.
   *
   * @internal
   */
  sendRequest<Result>(options: FinalRequestOptions, parse: Parse<Result>, failure?: Error): APIPromise<Result> {
    const request = this.#open(options)
    const sent = failure ? request.sendAfter(failure) : request.send()
    return new APIPromise(request, (response) => request.read(response, parse), sent)
  }

  #open(options: FinalRequestOptions): RetryingRequest {
    const { middleware: inner = [], fetchOptions: _, ...given } = options
    const middleware = [...(this.#options.middleware ?? []), ...inner]
    const log = logAt(this.logger, this.logLevel)
    const transport = this.#transportFor(options)
    const tokens = new TokenUse(() => this.#adoptTokens())
    return new RetryingRequest({
      prepare: this.#preparation(options, log, tokens, middleware.length === 0 ? transport.encode : undefined),
      transport: () =>
        middleware.length === 0 ? transport : wrap(transport, middleware, { options: given, logger: this.logger }),
      policy: { ...this.#policy(options), hasOtherCredentials: (error) => tokens.mayReplace(error) },
      signal: options.signal,
      log,
    })
  }

  /** Checks and encodes the request once, now. Returns a function that adds what differs between attempts. */
  #preparation(
    options: FinalRequestOptions,
    log: Log,
    tokens: TokenUse,
    encode: Transport['encode'],
  ): (attempt: number) => Promise<WireRequest> {
    try {
      checkRequestOptions(options)
      const { method, path, query, body, headers, betas } = options
      const webBody = isWebBody(body) ? readWebBody(body) : undefined
      const encoded = webBody ? undefined : encodeBody(body, encode)
      const own: HeadersLike = {
        accept: 'application/json',
        'user-agent': `colloquy/${version}`,
        'anthropic-version': versionFor(body),
        'anthropic-dangerous-direct-browser-access': this.#options.dangerouslyAllowBrowser ? 'true' : undefined,
        'content-type': encoded === undefined ? undefined : 'application/json',
      }
      return async (attempt) => {
        const read = await webBody
        const given = [
          this.#customHeaders,
          this.#options.defaultHeaders,
          { 'anthropic-beta': betas?.join(',') },
          headers,
        ]
        const apiKey = this.apiKey ?? this.#apiKeySetter ?? null
        const credentials = { apiKey, authToken: this.authToken, findTokens: () => tokens.find() }
        const merged = mergeHeaders(...given)
        const authentication = await authenticationHeaders(credentials, merged)
        // Only now, as a profile may say where the API is.
        const url = buildUrl(this.baseURL, path, this.#options.defaultQuery, query)
        const { values } = mergeHeaders(
          own,
          { 'x-stainless-retry-count': String(attempt), 'content-type': read?.contentType ?? undefined },
          ...given,
          authentication,
        )
        log('debug')?.(`${method} ${maskUrl(url)}`, maskHeaders(values))
        return { method: method.toUpperCase(), url, headers: values, body: read?.bytes ?? encoded }
      }
    } catch (error) {
      // Thrown by the promise, like every other failure of a request.
      return async () => {
        if (error instanceof AnthropicError) throw error
        const { encodingError } = await import('./request/rare-bodies.ts')
        throw encodingError(options.body, error)
      }
    }
  }

  async #adoptTokens(): Promise<TokenSource | undefined> {
    this.#tokens = await this.#findTokens()
    const { baseURL } = this.#tokens ?? {}
    if (baseURL && !this.#isBaseUrlGiven) this.baseURL = checkBaseUrl(baseURL)
    return this.#tokens
  }

  async #loadTokens(): Promise<TokenSource | undefined> {
    const { tokenSource } = await import('./credentials/token-source.ts')
    const { middleware = [] } = this.#options
    const log = logAt(this.logger, this.logLevel)
    const transport = this.#transportFor({ method: 'post', path: '' })
    const context = { options: { method: 'post', path: '' }, logger: this.logger } as const
    return tokenSource(this.#options, {
      baseURL: this.baseURL,
      userAgent: `colloquy/${version}`,
      send: middleware.length === 0 ? transport : await wrap(transport, middleware, context),
      warn: (message) => log('warn')?.(message),
      debug: (message, error) => log('debug')?.(message, error),
    })
  }

  #transportFor({ fetchOptions }: FinalRequestOptions): Transport {
    if (fetchOptions === undefined) return (this.#transport ??= createTransport(this.#options))
    return createTransport({ ...this.#options, fetchOptions: { ...this.#options.fetchOptions, ...fetchOptions } })
  }

  #policy(options: FinalRequestOptions): RetryPolicy {
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

/** Hands the access tokens of a client to its copies. */
const sharedTokens: unique symbol = Symbol('shared tokens')

function isCredential(name: string): boolean {
  return (credentialNames as readonly string[]).includes(name)
}

/** Loads a value once, and again only after a failure. */
function onceLoaded<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined
  const forget = (): void => void (loaded = undefined)
  return () => {
    if (loaded) return loaded
    loaded = load()
    loaded.catch(forget)
    return loaded
  }
}

/** Node's own sockets on Node; `fetch` elsewhere, and if the options contain `fetch` or `fetchOptions`. */
function createTransport({ fetch, fetchOptions, ca, proxy }: ClientOptions): Transport {
  // Undefined in a bundle for browsers: see `browser` in package.json.
  if (nodeTransport && isNode() && fetch === undefined && fetchOptions === undefined)
    return nodeTransport({ ca, proxy })
  return fetchTransport(fetch ?? ((url, init) => globalThis.fetch(url, init)), fetchOptions)
}

/** Reads a body that is not sent as JSON. A failure is thrown where the body is awaited. */
function readWebBody(body: unknown): Promise<EncodedBody> {
  const read = import('./request/web-body.ts').then(({ encodeWebBody }) => encodeWebBody(body))
  read.catch(() => {})
  return read
}

/** Loads the code for middleware, which few programs use. */
async function wrap(
  transport: Transport,
  middleware: readonly Middleware[],
  context: MiddlewareContext,
): Promise<Transport> {
  const { withMiddleware } = await import('./request/middleware.ts')
  return withMiddleware(transport, middleware, context, (response, url) => new FetchResponse(response, url))
}
