// Loaded with the first request of a subclass.
import { AnthropicError, APIError } from '../../protocol/types/error.ts'
import { withMiddleware } from '../middleware/with-middleware.ts'
import type { ClientOptions } from '../options.ts'
import { mergeHeaders, type HeadersLike, type MergedHeaders } from '../request/headers.ts'
import { statusError, withQuery } from '../request/on-demand/uncommon-parts.ts'
import type { FinalRequestOptions, Middleware } from '../request/options.ts'
import { urlUnder, prepareRequest, type ClientParts } from '../request/prepare.ts'
import { isWebBody, version } from '../request/request.ts'
import type { LazyParts, RequestParts } from '../request/retrying-request.ts'
import type { Transport, WireRequest } from '../transport/transport.ts'
import type { NullableHeaders, Overridable } from './overridable.ts'

/** The parts of one request that a client gives. */
export interface GivenParts extends Omit<RequestParts, 'prepare'> {
  options: FinalRequestOptions
  client: ClientParts
  /** The transport without middleware. */
  sender: Transport
}

/** The default authentication of a request. */
interface Authentication {
  findHeaders: () => HeadersLike | Promise<HeadersLike>
  failure?: Error
}

// By the options, as `authHeaders()` gets nothing else.
const authentications = new WeakMap<FinalRequestOptions, Authentication>()

const Base = Object as unknown as typeof Overridable

/** A client with methods that a subclass may override. Here is what `super` does, for the class of all clients. */
class OverridingClient extends Base {
  declare readonly apiKey: string | null
  declare readonly authToken: string | null
  declare readonly baseURL: string
  declare readonly middleware: readonly Middleware[]
  declare readonly _options: ClientOptions

  /** The parts of a request that the methods of a client change. */
  static partsOf(client: OverridingClient, given: GivenParts): LazyParts {
    const options = { ...given.options }
    const middleware = this.#middleware(client, options)
    const isWrapped = client.middleware.length + middleware.length > 0
    const authenticate = async (headers: MergedHeaders): Promise<HeadersLike> => {
      authentications.set(options, { findHeaders: () => given.client.authenticate(headers) })
      return this.#authenticate(client, options, headers)
    }
    const { log, policy, sender } = given
    // Middleware reads the body, which the transport would encode in pieces.
    const parts = { ...given.client, authenticate, ...(isWrapped && { encode: undefined }) }
    return {
      prepare: this.#prepare(client, options, parts),
      transport: () => {
        if (!isWrapped) return sender
        const outer = { middleware: client.middleware, log, timeoutMs: policy.timeout }
        return withMiddleware(sender, { ...options, middleware }, outer)
      },
      failed: (error) => this.#errorOf(client, error),
    }
  }

  static #prepare(client: OverridingClient, options: FinalRequestOptions, parts: ClientParts): RequestParts['prepare'] {
    let prepared: RequestParts['prepare'] | undefined
    return async (attempt) => {
      if (isOverridden(client, 'prepareOptions')) {
        await client.prepareOptions(options)
        // A body that is not JSON can be read only once.
        if (!isWebBody(options.body)) prepared = undefined
      }
      prepared ??= prepareRequest(options, parts)
      return this.#changed(client, options, await prepared(attempt))
    }
  }

  /** A request with the URL and the name of a client. */
  static #changed(client: OverridingClient, options: FinalRequestOptions, request: WireRequest): WireRequest {
    const { headers } = request
    if (isOverridden(client, 'getUserAgent') && headers['user-agent'] === ownUserAgent)
      headers['user-agent'] = client.getUserAgent()
    if (!isOverridden(client, 'buildURL') && !isOverridden(client, 'defaultQuery')) return request
    return { ...request, url: client.buildURL(options.path, options.query, options.defaultBaseURL) }
  }

  /** The middleware of a request, with that of a client, which is the innermost. */
  static #middleware(client: OverridingClient, options: FinalRequestOptions): Middleware[] {
    const prepare: Middleware = async (request, next) => {
      const { url, ...init } = request
      const prepared = { ...init, headers: new Headers(init.headers) } as RequestInit
      await client.prepareRequest(prepared, { url, options })
      return next({ ...request, ...prepared, headers: new Headers(prepared.headers) } as typeof request)
    }
    const own = [...client.backendMiddleware(), ...(isOverridden(client, 'prepareRequest') ? [prepare] : [])]
    return [...(options.middleware ?? []), ...own]
  }

  static async #authenticate(
    client: OverridingClient,
    options: FinalRequestOptions,
    { values, removed }: MergedHeaders,
  ): Promise<HeadersLike> {
    const found: NullableHeaders | HeadersLike | undefined = await client.authHeaders(options)
    const own = mergeHeaders(isNullable(found) ? found.values : found)
    const nulls = isNullable(found) ? found.nulls : own.removed
    const isGiven = (name: string): boolean => values[name] !== undefined || removed.includes(name)
    const added = Object.entries(own.values).filter(
      ([name]) => !isGiven(name) && !(name === 'x-api-key' && isGiven('authorization')),
    )
    const { failure } = authentications.get(options)!
    if (failure && !isOverridden(client, 'validateHeaders')) throw failure
    const all = new Headers([...Object.entries(values), ...added])
    client.validateHeaders({ values: all, nulls: new Set([...removed, ...nulls]) })
    return added
  }

  /** The error that a client makes of an error of the API. */
  static #errorOf(client: OverridingClient, error: unknown): unknown {
    if (!(error instanceof APIError) || !isOverridden(client, 'makeStatusError')) return error
    const { status, error: body, apiMessage, headers } = error
    if (status === undefined || status < 300) return error
    const text = typeof body === 'object' ? undefined : (apiMessage ?? error.message.replace(`${status} `, ''))
    return client.makeStatusError(status, body, text, headers!)
  }

  protected override async prepareOptions(_: FinalRequestOptions): Promise<void> {}

  protected override async prepareRequest(_: RequestInit, _context: object): Promise<void> {}

  protected override backendMiddleware(): readonly Middleware[] {
    return []
  }

  protected override async authHeaders(options: FinalRequestOptions): Promise<NullableHeaders | undefined> {
    if (this.authToken !== null || this.apiKey !== null)
      return (await this.bearerAuth(options)) ?? this.apiKeyAuth(options)
    const authentication = authentications.get(options)
    const isFunction = typeof this._options.apiKey === 'function'
    if (!authentication || (!isFunction && !this._shouldResolveDefaultCredentials())) return undefined
    try {
      return nullable(asTokenOf(this, await authentication.findHeaders()))
    } catch (error) {
      // Thrown by `validateHeaders()`, which may be overridden.
      authentication.failure = error as Error
      return undefined
    }
  }

  protected override async apiKeyAuth(_: FinalRequestOptions): Promise<NullableHeaders | undefined> {
    return this.apiKey === null ? undefined : nullable(asTokenOf(this, { 'x-api-key': this.apiKey }))
  }

  protected override async bearerAuth(_: FinalRequestOptions): Promise<NullableHeaders | undefined> {
    return this.authToken === null ? undefined : nullable({ authorization: `Bearer ${this.authToken}` })
  }

  protected override validateHeaders({ values, nulls }: NullableHeaders): void {
    const names = ['authorization', 'x-api-key']
    if (names.some((name) => values.has(name) || nulls.has(name))) return
    throw new AnthropicError('Cannot authenticate: authHeaders() returned neither a key nor a token')
  }

  protected override defaultQuery(): Record<string, string | undefined> | undefined {
    return this._options.defaultQuery
  }

  protected override buildURL(path: string, query: object | null | undefined, defaultBaseURL?: string): string {
    const isImplied = this.baseURL === 'https://api.anthropic.com'
    const { href } = urlUnder((isImplied && defaultBaseURL) || this.baseURL, path)
    return withQuery(href, this.defaultQuery(), query)
  }

  protected override getUserAgent(): string {
    return ownUserAgent
  }

  protected override makeStatusError(
    status: number,
    error: unknown,
    message: string | undefined,
    headers: Headers,
  ): APIError {
    return statusError(status, error, message, headers)
  }

  protected override _shouldResolveDefaultCredentials(): boolean {
    return true
  }
}

/** The parts of a request of a client. Adds what `super` does to the class of all clients. */
export function partsOf(client: object, given: GivenParts): LazyParts {
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(OverridingClient.prototype)
  const prototype = rootOf(client)
  if (!('prepareOptions' in prototype)) Object.defineProperties(prototype, methods)
  return OverridingClient.partsOf(client as OverridingClient, given)
}

const ownUserAgent = `colloquy/${version}`

function isOverridden(client: OverridingClient, name: string): boolean {
  return Reflect.get(client, name) !== Reflect.get(OverridingClient.prototype, name)
}

/** The headers of a key: as a token if the client has `authHeaders()` of its own, as its server expects that of `super`. */
function asTokenOf(client: OverridingClient, headers: HeadersLike): HeadersLike {
  const { 'x-api-key': key, ...others } = mergeHeaders(headers).values
  return key !== undefined && isOverridden(client, 'authHeaders')
    ? { ...others, authorization: `Bearer ${key}` }
    : headers
}

// The official packages for other platforms look for it.
const brand = Symbol.for('brand.privateNullableHeaders')

function nullable(headers: HeadersLike): NullableHeaders {
  const { values, removed } = mergeHeaders(headers)
  return { values: new Headers(values), nulls: new Set(removed), [brand]: true } as NullableHeaders
}

function isNullable(headers: NullableHeaders | HeadersLike | undefined): headers is NullableHeaders {
  return headers !== undefined && brand in headers
}

/** The last prototype before that of all objects. */
function rootOf(object: object): object {
  const prototype = Object.getPrototypeOf(object) as object
  return prototype === Object.prototype ? object : rootOf(prototype)
}
