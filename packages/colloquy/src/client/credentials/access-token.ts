// The types of credentials other than a key or a token that the caller passes.

/** A token and its expiry. */
export interface AccessToken {
  token: string
  /** Seconds since 1970; null if the token does not expire. */
  expiresAt: number | null
}

/**
 * Returns an access token. Called for the first request, again before the token expires, and with `forceRefresh` when the
 * API refused the token.
 */
export type AccessTokenProvider = (options?: { forceRefresh?: boolean }) => Promise<AccessToken>

/**
 * A configuration as a profile's file holds it. Fields that the file of a profile leaves out are taken from the environment; of
 * the option `config`, only the identity token is.
 */
export interface AnthropicConfig {
  version?: string
  authentication: FederationConfig | UserOAuthConfig
  base_url?: string | undefined
  organization_id?: string | undefined
  workspace_id?: string | undefined
}

/** Workload identity: a token of another identity provider is exchanged for an access token. */
export interface FederationConfig {
  type: 'oidc_federation'
  federation_rule_id: string
  service_account_id?: string | undefined
  /** The file with the identity token, which is read for each exchange. */
  identity_token?: { source: 'file'; path: string } | undefined
  /** For display only. */
  scope?: string | undefined
  /** The file that keeps the access token. Default: that of the profile, `credentials/<profile>.json`; none for the option `config`. */
  credentials_path?: string | undefined
}

/** A user who has logged in: the access token is in a file, and is refreshed there. */
export interface UserOAuthConfig {
  type: 'user_oauth'
  /** Without an id the access token is not refreshed. */
  client_id?: string | undefined
  /** For display only. */
  scope?: string | undefined
  /** For display only. */
  console_url?: string | undefined
  /** The file with the tokens. Required in the option `config`. Default of a profile: its `credentials/<profile>.json`. */
  credentials_path?: string | undefined
}
