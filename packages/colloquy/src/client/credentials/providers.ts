import type { Transport } from '../transport/transport.ts'
import type { Log } from '../request/log.ts'
import { environment } from '../transport/runtime.ts'
import type { AccessTokenProvider, AnthropicConfig, FederationConfig, UserOAuthConfig } from './access-token.ts'
import { checkFileMode, readObject, readText, writeObject } from './credentials-file.ts'
import { nowSeconds, requestToken, WorkloadIdentityError } from './token-endpoint.ts'

/** How a provider reaches the token endpoint and reports what is not an error. */
export interface ProviderContext {
  baseURL: string
  userAgent: string
  send: Transport
  log: Log
}

/** Required by the API for every request with an access token. */
export const oauthBeta = 'oauth-2025-04-20'
const federationBeta = 'oidc-federation-2026-04-01'

/** A token with less time left than this is not used any more. */
export const mandatorySeconds = 30

/** The longest identity token that the token endpoint takes. */
const maxAssertionLength = 16 * 1024

/** The provider of access tokens that a configuration describes. */
export function providerOf(config: AnthropicConfig, context: ProviderContext): AccessTokenProvider {
  const baseURL = (config.base_url || context.baseURL).replace(/\/+$/, '')
  const { authentication } = config
  if (typeof authentication !== 'object')
    throw new WorkloadIdentityError('Cannot use the config: it has no authentication')
  if (authentication.type === 'user_oauth') return userProvider(authentication, { ...context, baseURL })
  if (authentication.type !== 'oidc_federation') {
    const { type } = authentication as { type: unknown }
    throw new WorkloadIdentityError(`Cannot use the config: ${JSON.stringify(type)} is not a known authentication type`)
  }
  const exchange = federationProvider(config, authentication, { ...context, baseURL })
  const { credentials_path: path } = authentication
  return path ? kept(exchange, path, context) : exchange
}

/** Exchanges an identity token (RFC 7523). */
function federationProvider(
  config: AnthropicConfig,
  authentication: FederationConfig,
  { baseURL, userAgent, send }: ProviderContext,
): AccessTokenProvider {
  const readIdentityToken = identityTokenOf(authentication)
  const { organization_id, workspace_id } = config
  const { federation_rule_id, service_account_id } = authentication
  if (!federation_rule_id) throw missing('federation_rule_id', 'for a profile in ANTHROPIC_FEDERATION_RULE_ID')
  if (!organization_id) throw missing('organization_id', 'for a profile in ANTHROPIC_ORGANIZATION_ID')
  return async () => {
    const assertion = await readIdentityToken()
    if (assertion.length > maxAssertionLength) {
      throw new WorkloadIdentityError(
        `Cannot use the identity token: it has ${assertion.length} characters, more than ${maxAssertionLength}`,
      )
    }
    const body = {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
      federation_rule_id,
      organization_id,
      ...(service_account_id && { service_account_id }),
      ...(workspace_id && { workspace_id }),
    }
    return requestToken({ baseURL, betas: [oauthBeta, federationBeta], userAgent, body, send })
  }
}

/** Reads the identity token. A token in a file is read for each exchange, because its owner may replace it. */
function identityTokenOf({ identity_token }: FederationConfig): () => Promise<string> {
  if (identity_token && (identity_token.source as string) !== 'file') {
    throw new WorkloadIdentityError(
      `Cannot use the identity token source ${JSON.stringify(identity_token.source)}: only file is known`,
    )
  }
  const path = identity_token ? identity_token.path : environment('ANTHROPIC_IDENTITY_TOKEN_FILE')
  const value = environment('ANTHROPIC_IDENTITY_TOKEN')
  if (!path && (identity_token || !value)) throw missing('identity_token', 'in ANTHROPIC_IDENTITY_TOKEN_FILE')
  return async () => {
    const token = path ? (await readText(path))?.trim() : value
    if (token) return token
    throw new WorkloadIdentityError(`Cannot use the identity token: the file ${path} is empty or does not exist`)
  }
}

function missing(field: string, elsewhere: string): WorkloadIdentityError {
  return new WorkloadIdentityError(
    `Cannot use workload identity without ${field}: set it in the config, or ${elsewhere}`,
  )
}

/** Keeps the token of another provider in a file, so that the next process need not request one. */
function kept(provider: AccessTokenProvider, path: string, { log }: ProviderContext): AccessTokenProvider {
  return async (options) => {
    await checkFileMode(path, log)
    const stored = await readObject(path).catch((error: unknown) => {
      log('debug')?.(`cannot read ${path}`, error)
      return undefined
    })
    if (!options?.forceRefresh && isFresh(stored)) return accessTokenIn(stored)
    const { token, expiresAt } = await provider(options)
    const value = { ...stored, version: '1.0', type: 'oauth_token', access_token: token, expires_at: expiresAt }
    await writeObject(path, value).catch((error: unknown) => log('debug')?.(`cannot write ${path}`, error))
    return { token, expiresAt }
  }
}

/** The token of a user, which is read from its file each time and refreshed there. */
function userProvider(
  { credentials_path: path, client_id }: UserOAuthConfig,
  { baseURL, userAgent, send, log }: ProviderContext,
): AccessTokenProvider {
  if (!path) throw new WorkloadIdentityError('Cannot use user_oauth without credentials_path: set it, or use a profile')
  return async (options) => {
    await checkFileMode(path, log)
    const stored = await readObject(path)
    if (!stored) throw new WorkloadIdentityError(`Cannot find the credentials file ${path}: log in first`)
    if (!stored['access_token']) throw new WorkloadIdentityError(`Cannot use ${path}: it has no access_token`)
    if (!options?.forceRefresh && isFresh(stored)) return accessTokenIn(stored)
    const refresh_token = stored['refresh_token']
    if (!client_id || typeof refresh_token !== 'string' || refresh_token === '') {
      const lacks = client_id ? 'the file has no refresh_token' : 'the profile has no client_id'
      throw new WorkloadIdentityError(`Cannot refresh the expired token in ${path}: ${lacks}`)
    }
    const body = { grant_type: 'refresh_token', refresh_token, client_id }
    const { token, expiresAt, refreshToken } = await requestToken({
      baseURL,
      betas: [oauthBeta],
      userAgent,
      body,
      send,
    })
    const tokens = { access_token: token, expires_at: expiresAt, refresh_token: refreshToken ?? refresh_token }
    // A refresh token may work only once, so one that cannot be stored is an error.
    await writeObject(path, { ...stored, version: '1.0', type: 'oauth_token', ...tokens })
    return { token, expiresAt }
  }
}

function isFresh(stored: Record<string, unknown> | undefined): stored is Record<string, unknown> {
  if (typeof stored?.['access_token'] !== 'string') return false
  const { expires_at } = stored as { expires_at?: unknown }
  return expires_at == null || (typeof expires_at === 'number' && nowSeconds() < expires_at - mandatorySeconds)
}

function accessTokenIn({ access_token, expires_at }: Record<string, unknown>): {
  token: string
  expiresAt: number | null
} {
  return { token: access_token as string, expiresAt: (expires_at as number | null | undefined) ?? null }
}
