import { type ApiKeySetter, type ClientOptions, givenCredentials } from '../options.ts'
import type { HeadersLike, MergedHeaders } from '../request/headers.ts'
import { uncommonParts } from '../request/prepare.ts'
import { environment } from '../transport/runtime.ts'
import type { TokenUse } from './token-source.ts'

export interface Credentials {
  apiKey: string | ApiKeySetter | null | undefined
  authToken: string | null
  /** Finds the access tokens, for a client without a key or a token. */
  findTokens: () => Promise<TokenUse>
}

/** The key or token of the options, or else of the environment. */
export function credentialsOf(options: ClientOptions): Pick<Credentials, 'apiKey' | 'authToken'> {
  const { apiKey, authToken } = options
  // The environment could belong to another account, so it adds nothing to a credential that was passed.
  if (givenCredentials(options).length > 0) return { apiKey: apiKey ?? null, authToken: authToken ?? null }
  const key = apiKey === undefined ? environment('ANTHROPIC_API_KEY') : undefined
  const token = authToken === undefined && key === undefined ? environment('ANTHROPIC_AUTH_TOKEN') : undefined
  return { apiKey: key ?? null, authToken: token ?? null }
}

/**
 * The headers that authenticate a request: none if the caller's headers contain or remove them. A token is sent beside a key
 * that the caller's headers contain, as a gateway may need one and the API behind it the other.
 */
export function authenticationHeaders(
  { apiKey, authToken, findTokens }: Credentials,
  { values, removed }: MergedHeaders,
): HeadersLike | Promise<HeadersLike> {
  const isGiven = (name: string): boolean => values[name] !== undefined || removed.includes(name)
  if (isGiven('authorization')) return {}
  if (authToken !== null) return { authorization: `Bearer ${authToken}` }
  if (isGiven('x-api-key')) return {}
  if (typeof apiKey === 'function') {
    return uncommonParts().then(async (parts) => ({ 'x-api-key': await parts.callApiKeySetter(apiKey) }))
  }
  if (apiKey != null) return { 'x-api-key': apiKey }
  return findTokens().then((tokens) => tokens.headers(values))
}
