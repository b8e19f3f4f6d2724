import { AnthropicError } from '../protocol/types/error.ts'
import type { ListPage } from '../protocol/types/resources/page.ts'
import type { AccessTokenProvider } from './credentials/access-token.ts'
import { authenticationHeaders, credentialsOf } from './credentials/authentication.ts'
import type { TokenSource, TokenUse } from './credentials/token-source.ts'
import { checkClientOptions, credentialNames, type ApiKeySetter, type ClientOptions } from './options.ts'
import { APIPromise, readObject } from './request/api-promise.ts'
import type { MergedHeaders } from './request/headers.ts'
import { logLevelOf, logAt, type Log, type Logger, type LogLevel } from './request/log.ts'
import {
  definedFields,
  ownOptions,
  requestTo,
  type FinalRequestOptions,
  type Middleware,
  type RequestOptions,
} from './request/options.ts'
import { prepareRequest } from './request/prepare.ts'
import { checkBaseUrl, version } from './request/request.ts'
import { RetryingRequest, withLazyParts, type LazyParts, type Parse } from './request/retrying-request.ts'
import { retryPolicy } from './request/retry.ts'
import { Page, PagePromise, type RequestPage } from './resources/page.ts'
import { HttpMethods } from './subclass/http-methods.ts'
import type { GivenParts } from './subclass/overrides.ts'
import { loadStreaming } from './stream/message-stream.ts'
import { wrapTransport } from './middleware/wrap-transport.ts'
import { traceParts } from './tracing/trace-parts.ts'
import { createTransport } from './transport/create-transport.ts'
import { environment, isBrowser } from './transport/runtime.ts'
import type { Transport } from './transport/transport.ts'

/** 10 minutes. */
export const defaultTimeout = 600_000

/** Sends requests with the options of the client. Every method of the client is built on it. */
export class BaseClient extends HttpMethods {
  apiKey: string | null
  authToken: string | null
  declare baseURL: string
  declare maxRetries: number
  declare timeout: number
  declare logger: Logger
  declare logLevel: LogLevel
  declare readonly abortedLoops: ClientOptions['abortedLoops']
  /** Wraps every attempt of every request. The first is the outermost. */
  declare readonly middleware: readonly Middleware[]

  /** Whether the class is one of the program, or of a package such as `@anthropic-ai/bedrock-sdk`. */
  readonly #isSubclass = (this.constructor as { Anthropic?: unknown }).Anthropic !== this.constructor
  readonly #options: ClientOptions
  readonly #apiKeySetter: ApiKeySetter | undefined
  readonly #customHeaders = environment('ANTHROPIC_CUSTOM_HEADERS')
  /** The base URL that is used unless the caller sets another. Undefined if the caller gave one to the constructor. */
  #impliedBaseURL: string | undefined
  /** Finds the access tokens, which copies of this client share. */
  readonly #findTokens: () => Promise<TokenSource>
  #tokens: TokenSource | undefined
  readonly #transport: Transport

  constructor(given?: (ClientOptions & { [sharedTokens]?: () => Promise<TokenSource> }) | null) {
    super()
    const options = ownOptions(given)
    checkClientOptions(options, this.#isSubclass)
    checkBrowser(options)
    const { apiKey, authToken } = credentialsOf(options)
    // Not printed.
    const hidden = { enumerable: false }
    Object.defineProperties(this, { apiKey: hidden, authToken: hidden })
    this.#options = options
    this.#transport = createTransport(options)
    this.middleware = [...(options.middleware ?? [])]
    this.#apiKeySetter = typeof apiKey === 'function' ? apiKey : undefined
    this.apiKey = typeof apiKey === 'string' ? apiKey : null
    this.authToken = typeof authToken === 'string' ? authToken : null
    const { baseURL = environment('ANTHROPIC_BASE_URL') } = options
    this.baseURL = baseURL
      ? checkBaseUrl(baseURL, this.#isSubclass)
      : (this.#impliedBaseURL = 'https://api.anthropic.com')
    this.#findTokens = options[sharedTokens] ?? onceLoaded(() => this.#loadTokens())
    this.maxRetries = options.maxRetries ?? 2
    this.timeout = options.timeout ?? defaultTimeout
    this.logger = options.logger ?? console
    this.abortedLoops = options.abortedLoops
    this.logLevel = logLevelOf(this.logger, options.logLevel)
  }

  /** @internal The options of the constructor. Subclasses of the official client read them. */
  get _options(): ClientOptions {
    return this.#options
  }

  /** @internal The `timeout` that the caller set; undefined if it is the default. */
  get givenTimeout(): number | undefined {
    return this.#options.timeout == null && this.timeout === defaultTimeout ? undefined : this.timeout
  }

  /** @internal The logger's methods up to the client's level. */
  get log(): Log {
    return logAt(this.logger, this.logLevel)
  }

  get fetchOptions(): RequestInit | undefined {
    return this.#options.fetchOptions
  }

  /** The option, as it was given. */
  get openTelemetry(): ClientOptions['openTelemetry'] {
    return this.#options.openTelemetry
  }

  /** Returns access tokens, if the client has neither a key nor a token. Null before the first request found it. */
  get credentials(): AccessTokenProvider | null {
    return this.#options.credentials ?? this.#tokens?.provider ?? null
  }

  /** A copy of this client with some options changed. Other credentials replace those of this client, whatever their kind. */
  withOptions(given?: ClientOptions | null): this {
    const options = ownOptions(given)
    const areReplaced = credentialNames.some((name) => options[name] != null)
    const { maxRetries, logger, logLevel, middleware, authToken, baseURL, givenTimeout: timeout } = this
    const copied = {
      ...this.#options,
      maxRetries,
      logger,
      logLevel,
      middleware,
      authToken,
      timeout,
      apiKey: this.#apiKeySetter ?? this.apiKey,
      ...(baseURL !== this.#impliedBaseURL && { baseURL }),
      ...definedFields(options),
      ...(areReplaced && onlyCredentials(options)),
      [sharedTokens]: areReplaced ? undefined : this.#findTokens,
    }
    return new (this.constructor as new (options: ClientOptions) => this)(copied)
  }

  /** A list, read page by page, from the cursor of the query on. */
  list<Item>(path: string, query: Record<string, unknown>, options?: RequestOptions | null): PagePromise<Item> {
    const requestPage: RequestPage<Item> = (cursor) =>
      this.list(path, { ...query, before_id: undefined, after_id: undefined, ...cursor }, options)
    const own = requestTo('get', path, options)
    const request = this.#open({ ...own, query: { ...query, ...own.query } })
    const parse: Parse<Page<Item>> = async (response) => {
      const page = (await readObject(response, request)) as ListPage<Item>
      return new Page(page, requestPage, query['before_id'] !== undefined)
    }
    return new PagePromise(request, (response) => request.read(response, parse))
  }

  /** As `list()`, by its official name. The class of the pages is ignored: every page is a `Page`. */
  getAPIList<Item>(path: string, _page: typeof Page, options?: RequestOptions | null): PagePromise<Item> {
    return this.list(path, {}, options)
  }

  /** As `getAPIList()`, with the path in the options. */
  requestAPIList<Item>(_page: typeof Page, options: FinalRequestOptions): PagePromise<Item> {
    return this.list(options.path, {}, options)
  }

  /** Sends any request to the API. Its result is a `Stream` of events with the option `stream`. */
  override request<Result>(given: FinalRequestOptions): APIPromise<Result> {
    const options = ownOptions(given)
    return this.sendRequest(options, readAs({ abortedLoops: this.abortedLoops, ...options }) as Parse<Result>)
  }

  /** @internal Sends a request and reads its response with `parse`. After a `failure`, waits first as a retry does. */
  sendRequest<Result>(options: FinalRequestOptions, parse: Parse<Result>, failure?: Error): APIPromise<Result> {
    const request = this.#open(options)
    return new APIPromise(request, (response) => request.read(response, parse), failure && request.sendAfter(failure))
  }

  #open(options: FinalRequestOptions): RetryingRequest {
    const { log } = this
    const transport = this.#transportFor(options)
    let tokens: TokenUse | undefined
    const findTokens = async (): Promise<TokenUse> => (tokens ??= (await this.#adoptTokens()).use())
    const policy = retryPolicy(options, this.#options, this, (error) => tokens?.mayReplace(error) ?? false)
    const isPlain = this.middleware.length === 0 && !options.middleware?.length
    const client = {
      ...this.#options,
      baseURL: this.baseURL,
      customHeaders: this.#customHeaders,
      encode: isPlain ? transport.encode : undefined,
      authenticate: (given: MergedHeaders) =>
        authenticationHeaders(
          { apiKey: this.apiKey ?? this.#apiKeySetter, authToken: this.authToken, findTokens },
          given,
        ),
      findBaseUrl: (implied?: string) =>
        implied && this.baseURL === this.#impliedBaseURL ? checkBaseUrl(implied) : this.baseURL,
      log,
    }
    const parts = {
      policy,
      signal: options.signal,
      log,
      options,
      client,
      sender: transport,
      transport: isPlain ? () => transport : this.#wrap.bind(this, transport, options, policy.timeout),
    }
    const whole = this.#isSubclass
      ? withLazyParts(parts, overriddenParts(this, parts))
      : { ...parts, prepare: prepareRequest(options, client) }
    return new RetryingRequest(traceParts(whole, options, client))
  }

  async #adoptTokens(): Promise<TokenSource> {
    const { baseURL } = (this.#tokens = await this.#findTokens())
    if (baseURL && this.baseURL === this.#impliedBaseURL) this.baseURL = this.#impliedBaseURL = checkBaseUrl(baseURL)
    return this.#tokens
  }

  async #loadTokens(): Promise<TokenSource> {
    const { tokenSource } = await import('./credentials/token-source.ts')
    return tokenSource(this.#options, {
      baseURL: this.baseURL,
      userAgent: `colloquy/${version}`,
      send: this.middleware.length === 0 ? this.#transport : await this.#wrap(this.#transport, undefined, 0),
      log: this.log,
    })
  }

  #wrap(transport: Transport, options: FinalRequestOptions | undefined, timeoutMs: number): Promise<Transport> {
    return wrapTransport(transport, options, { middleware: this.middleware, log: this.log, timeoutMs })
  }

  #transportFor({ fetchOptions }: FinalRequestOptions): Transport {
    if (fetchOptions == null) return this.#transport
    return createTransport({ ...this.#options, fetchOptions: { ...this.fetchOptions, ...fetchOptions } })
  }
}

/** Reads any response, as the options say. */
function readAs(options: RequestOptions): Parse<unknown> {
  return async (response, request) => (await loadStreaming()).readAny(response, request, options)
}

// A function of its own: a closure in `#open()` would keep the request for as long as its stream.
async function overriddenParts(client: BaseClient, given: GivenParts): Promise<LazyParts> {
  return (await import('./subclass/overrides.ts')).partsOf(client, given)
}

/** Hands the access tokens of a client to its copies. */
const sharedTokens: unique symbol = Symbol('tokens')

/** Loads a value once, and again only after a failure. */
function onceLoaded<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined
  return () => {
    loaded ??= load()
    loaded.catch(() => (loaded = undefined))
    return loaded
  }
}

function checkBrowser({ dangerouslyAllowBrowser }: ClientOptions): void {
  if (dangerouslyAllowBrowser || !isBrowser()) return
  throw new AnthropicError('Cannot run in a browser without dangerouslyAllowBrowser')
}

/** The credentials of the options, and null for every other kind. */
function onlyCredentials(options: ClientOptions): ClientOptions {
  return Object.fromEntries(credentialNames.map((name) => [name, options[name] ?? null]))
}
