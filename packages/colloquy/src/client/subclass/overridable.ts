import type { APIError } from '../../protocol/types/error.ts'
import type { FinalRequestOptions, Middleware } from '../request/options.ts'

/** Headers to set, and the lower-case names of those to remove. */
export interface NullableHeaders {
  values: Headers
  nulls: Set<string>
}

/** The options of a request. The official packages for other platforms declare two of them in another way. */
type GivenOptions = Omit<FinalRequestOptions, 'headers' | 'middleware'> & { headers?: unknown; middleware?: unknown }

/**
 * The methods of the official client that a subclass may override. They have no code here: the first request of a subclass
 * loads `overrides.ts`, which adds what `super` does.
 */
export declare class Overridable {
  /** Called before each attempt. May change the options of the request. Does nothing by default. */
  protected prepareOptions(options: GivenOptions): Promise<void>
  /** Called with what is sent, after all middleware; its headers are a `Headers`. May change it. Does nothing by default. */
  protected prepareRequest(request: RequestInit, context: { url: string; options: GivenOptions }): Promise<void>
  /** The innermost middleware, for servers of another protocol. Default none. */
  protected backendMiddleware(): readonly Middleware[]
  /** The headers that authenticate a request. Other headers of the request replace them. Default: those of the key or token. */
  protected authHeaders(options: GivenOptions): Promise<NullableHeaders | undefined>
  /** The part of `authHeaders()` that is made of `apiKey`. */
  protected apiKeyAuth(options: GivenOptions): Promise<NullableHeaders | undefined>
  /** The part of `authHeaders()` that is made of `authToken`. */
  protected bearerAuth(options: GivenOptions): Promise<NullableHeaders | undefined>
  /** Called with the headers of each attempt. Throws by default if nothing authenticates the request. */
  protected validateHeaders(headers: NullableHeaders): void
  /** The query parameters of every URL. Default: `defaultQuery` of the options. */
  protected defaultQuery(): Record<string, string | undefined> | undefined
  /** The URL of a request, with its query. */
  protected buildURL(path: string, query: object | null | undefined, defaultBaseURL?: string): string
  /** The value of `user-agent`. */
  protected getUserAgent(): string
  /** Makes the error of a response. `error` is its body as JSON; if it is not JSON, `message` is its text. */
  protected makeStatusError(status: number, error: unknown, message: string | undefined, headers: Headers): APIError
  /** Whether profiles and identities of the environment are looked for if there is neither a key nor a token. Default true. */
  protected _shouldResolveDefaultCredentials(): boolean
}
