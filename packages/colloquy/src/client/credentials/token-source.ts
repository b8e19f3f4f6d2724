// Loaded when a client without a key sends its first request.
import { AnthropicError, APIError } from '../../protocol/types/error.ts'
import type { AccessToken, AccessTokenProvider, AnthropicConfig } from './access-token.ts'
import { findConfig } from './profile.ts'
import { mandatorySeconds, oauthBeta, providerOf, type ProviderContext } from './providers.ts'
import { nowSeconds, WorkloadIdentityError } from './token-endpoint.ts'

/** The source of access tokens: at most one of these, else the environment or the active profile. */
export interface TokenOptions {
  credentials?: AccessTokenProvider | null | undefined
  config?: AnthropicConfig | null | undefined
  profile?: string | null | undefined
}

/** A token with less time left than this is replaced while it is still used. */
const advisorySeconds = 120

/** The pause after a replacement that failed. */
const backoffSeconds = 5

/** The access tokens of a client and of its copies. Throws if nothing describes any. */
export async function tokenSource(
  { credentials, config, profile }: TokenOptions,
  context: ProviderContext,
): Promise<TokenSource> {
  if (credentials) {
    if (typeof credentials !== 'function') throw new AnthropicError('Cannot use credentials as it must be a function')
    return new TokenSource(credentials, undefined, context)
  }
  if (profile != null && typeof profile !== 'string') {
    throw new AnthropicError('Cannot use profile as it must be text')
  }
  const found = config ?? (await findConfig(profile ?? undefined))
  if (!found) {
    throw new AnthropicError(
      'Could not resolve authentication method: set ANTHROPIC_API_KEY, or pass apiKey or authToken',
    )
  }
  return new TokenSource(providerOf(found, context), found, context)
}

/** Keeps the current access token, and replaces it before it expires. */
export class TokenSource {
  readonly provider: AccessTokenProvider
  /** The API's address in the configuration. */
  readonly baseURL: string | undefined
  readonly #workspace: string | undefined
  readonly #log: ProviderContext['log']
  #current: AccessToken | undefined
  #pending: Promise<AccessToken> | undefined
  #mustForce = false
  #failedAt = 0

  constructor(provider: AccessTokenProvider, config: AnthropicConfig | undefined, { log }: ProviderContext) {
    this.provider = provider
    this.baseURL = config?.base_url?.replace(/\/+$/, '') || undefined
    this.#workspace = config?.authentication.type === 'user_oauth' ? config.workspace_id : undefined
    this.#log = log
  }

  /** The headers that authenticate a request. Values of `anthropic-beta` in the given headers are kept. */
  async headers(given: Record<string, string>): Promise<Record<string, string>> {
    const { token } = await this.#token()
    const betas = given['anthropic-beta']?.split(',').map((value) => value.trim()) ?? []
    return {
      authorization: `Bearer ${token}`,
      'anthropic-beta': [...new Set([...betas, oauthBeta])].join(','),
      ...(this.#workspace && { 'anthropic-workspace-id': given['anthropic-workspace-id'] ?? this.#workspace }),
    }
  }

  /** Begins the use in a request. */
  use(): TokenUse {
    return new TokenUse(this)
  }

  /** Drops the current token, because the API refused it. */
  invalidate(): void {
    this.#current = undefined
    this.#mustForce = true
  }

  async #token(): Promise<AccessToken> {
    const current = this.#current
    if (!current) return this.#renew()
    const left = current.expiresAt === null ? Infinity : current.expiresAt - nowSeconds()
    if (left <= mandatorySeconds) return this.#renew()
    if (left <= advisorySeconds) this.#renewInBackground()
    return current
  }

  /** Requests that wait at once share one call, except one that must not get a stored token. */
  #renew(): Promise<AccessToken> {
    if (this.#pending && !this.#mustForce) return this.#pending
    const options = this.#mustForce ? { forceRefresh: true } : undefined
    this.#mustForce = false
    const pending = checked(this.provider(options)).then((token) => (this.#current = token))
    const settle = (): void => {
      if (this.#pending === pending) this.#pending = undefined
    }
    pending.then(settle, settle)
    return (this.#pending = pending)
  }

  #renewInBackground(): void {
    if (this.#pending || nowSeconds() - this.#failedAt < backoffSeconds) return
    this.#renew().catch((error: unknown) => {
      this.#failedAt = nowSeconds()
      this.#log('debug')?.('cannot replace the access token yet', error)
    })
  }
}

/** The use of access tokens in one request: a token that the API refuses is replaced once. */
export class TokenUse {
  readonly #source: TokenSource
  #refusal: unknown
  #isReplaced = false

  constructor(source: TokenSource) {
    this.#source = source
  }

  /** The headers of an attempt. */
  headers(given: Record<string, string>): Promise<Record<string, string>> {
    if (this.#refusal !== undefined && !this.#isReplaced) {
      this.#isReplaced = true
      this.#source.invalidate()
    }
    return this.#source.headers(given)
  }

  /** Whether another attempt with another token may help. */
  mayReplace(error: unknown): boolean {
    return error instanceof APIError && error.status === 401 && (this.#refusal ??= error) === error
  }
}

/** The provider may be a function of the caller. */
async function checked(returned: Promise<AccessToken>): Promise<AccessToken> {
  const found = (await returned) as Partial<AccessToken> | null | undefined
  if (typeof found?.token === 'string' && found.token !== '') {
    return { token: found.token, expiresAt: found.expiresAt ?? null }
  }
  throw new WorkloadIdentityError('Cannot authenticate: credentials() returned no token')
}
