import { environment } from '../transport/runtime.ts'
import type { AnthropicConfig, FederationConfig } from './access-token.ts'
import { configFolder, joinPath, readObject, readText } from './credentials-file.ts'
import { WorkloadIdentityError } from './token-endpoint.ts'

/**
 * The configuration to use without a key: of the named profile, of the profile in `ANTHROPIC_PROFILE`, of the environment,
 * or of the active profile, whichever comes first. Undefined if there is none.
 */
export async function findConfig(profile: string | undefined): Promise<AnthropicConfig | undefined> {
  const folder = configFolder()
  if (folder === undefined) return undefined
  const named = profile ?? environment('ANTHROPIC_PROFILE')
  if (named !== undefined) {
    const config = await readProfile(folder, named)
    if (config) return config
    const where = profile === undefined ? 'ANTHROPIC_PROFILE names' : 'the client was given'
    throw new WorkloadIdentityError(
      `Cannot find the profile that ${where}: ${joinPath(folder, 'configs', `${named}.json`)} does not exist`,
    )
  }
  const fromEnvironment = environmentConfig()
  if (fromEnvironment && hasIdentityToken()) return fromEnvironment
  const active = (await readText(joinPath(folder, 'active_config')))?.trim() || 'default'
  return (await readProfile(folder, active)) ?? fromEnvironment
}

async function readProfile(folder: string, name: string): Promise<AnthropicConfig | undefined> {
  if (!/^[\w.-]+$/.test(name) || name === '.' || name === '..') {
    throw new WorkloadIdentityError(
      `Cannot use the profile ${JSON.stringify(name)}: its name may hold letters, digits, _, . and - only`,
    )
  }
  const path = joinPath(folder, 'configs', `${name}.json`)
  const config = (await readObject(path)) as AnthropicConfig | undefined
  if (!config) return undefined
  const type: unknown = config.authentication?.type
  if (type !== 'oidc_federation' && type !== 'user_oauth') {
    throw new WorkloadIdentityError(
      `Cannot use ${path}: ${JSON.stringify(type)} is not a known authentication type (known are oidc_federation and user_oauth)`,
    )
  }
  const keptIn = joinPath(folder, 'credentials', `${name}.json`)
  const authentication = {
    ...config.authentication,
    credentials_path: config.authentication.credentials_path || keptIn,
  }
  return completed({ ...config, authentication })
}

/** The configuration with its missing fields from the environment. */
function completed(config: AnthropicConfig): AnthropicConfig {
  const { authentication } = config
  return {
    ...config,
    organization_id: config.organization_id ?? environment('ANTHROPIC_ORGANIZATION_ID'),
    workspace_id: config.workspace_id ?? environment('ANTHROPIC_WORKSPACE_ID'),
    base_url: config.base_url ?? environment('ANTHROPIC_BASE_URL'),
    authentication: authentication.type === 'oidc_federation' ? completedFederation(authentication) : authentication,
  }
}

function completedFederation(given: FederationConfig): FederationConfig {
  const path = environment('ANTHROPIC_IDENTITY_TOKEN_FILE')
  return {
    ...given,
    federation_rule_id: given.federation_rule_id || (environment('ANTHROPIC_FEDERATION_RULE_ID') ?? ''),
    service_account_id: given.service_account_id ?? environment('ANTHROPIC_SERVICE_ACCOUNT_ID'),
    identity_token: given.identity_token ?? (path === undefined ? undefined : { source: 'file', path }),
    scope: given.scope ?? environment('ANTHROPIC_SCOPE'),
  }
}

/** The federation that the environment alone describes. */
function environmentConfig(): AnthropicConfig | undefined {
  const federation_rule_id = environment('ANTHROPIC_FEDERATION_RULE_ID')
  if (!federation_rule_id || !environment('ANTHROPIC_ORGANIZATION_ID')) return undefined
  return completed({ authentication: { type: 'oidc_federation', federation_rule_id } })
}

function hasIdentityToken(): boolean {
  return (environment('ANTHROPIC_IDENTITY_TOKEN_FILE') ?? environment('ANTHROPIC_IDENTITY_TOKEN')) !== undefined
}
