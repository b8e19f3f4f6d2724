import { AnthropicError } from '../protocol/types/error.ts'
import type { ApiKeySetter, ClientOptions } from './options.ts'
import type { HeadersLike, MergedHeaders } from './request/headers.ts'
import { environment } from './transport/runtime.ts'

export interface Credentials {
  apiKey: string | ApiKeySetter | null
  authToken: string | null
}

/** The credentials of the options, or else of the environment. */
export function credentialsOf({ apiKey, authToken }: ClientOptions): Credentials {
  // The environment could belong to another account, so it adds nothing to a credential that was passed.
  if (apiKey != null || authToken != null) return { apiKey: apiKey ?? null, authToken: authToken ?? null }
  const key = apiKey === undefined ? environment('ANTHROPIC_API_KEY') : undefined
  const token = authToken === undefined && key === undefined ? environment('ANTHROPIC_AUTH_TOKEN') : undefined
  return { apiKey: key ?? null, authToken: token ?? null }
}

/** The header that authenticates a request: none if the caller's headers contain or remove it. */
export async function authenticationHeader(
  { apiKey, authToken }: Credentials,
  { values, removed }: MergedHeaders,
): Promise<HeadersLike> {
  if (['x-api-key', 'authorization'].some((name) => values[name] !== undefined || removed.has(name))) return {}
  if (typeof apiKey === 'function') return { 'x-api-key': await callSetter(apiKey) }
  if (apiKey !== null) return { 'x-api-key': apiKey }
  if (authToken !== null) return { authorization: `Bearer ${authToken}` }
  throw new AnthropicError(
    'Cannot send a request without an API key: set ANTHROPIC_API_KEY or pass apiKey, or authToken for a bearer token',
  )
}

async function callSetter(apiKey: ApiKeySetter): Promise<string> {
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

/** The headers of `ANTHROPIC_CUSTOM_HEADERS`, one on each line. */
export function customHeaders(): Record<string, string> {
  const lines = environment('ANTHROPIC_CUSTOM_HEADERS')?.split('\n') ?? []
  const pairs = lines.map((line) => line.split(/:(.*)/s, 2).map((part) => part.trim()))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair.length === 2 && pair[0] !== ''))
}
