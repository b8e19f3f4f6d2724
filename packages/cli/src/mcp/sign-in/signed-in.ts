import {
  type AuthProvider,
  extractWWWAuthenticateParams,
  OAuthError,
  refreshAuthorization,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { readSignIn, type StoredSignIn, writeSignIn } from './stored-sign-ins.ts'

type UnauthorizedContext = Parameters<NonNullable<AuthProvider['onUnauthorized']>>[0]

/** The parts of a refusal that a sign-in needs, from the header `www-authenticate`. */
export type Challenge = Pick<ReturnType<typeof extractWWWAuthenticateParams>, 'resourceMetadataUrl' | 'scope'>

/** Gives the requests to a server the token of its stored sign-in, and replaces a token that has expired. */
export class SignedIn implements AuthProvider {
  /** From the last refusal; empty before one. */
  challenge: Challenge = {}
  readonly #url: URL
  #sent: string | undefined
  /** The replacement of the token, for all requests that were refused meanwhile. */
  #replacing: Promise<void> | undefined

  constructor(url: URL) {
    this.#url = url
  }

  /** Forgets the sign-in, also for other programs. */
  forget(): void {
    if (readSignIn(this.#url) !== undefined) writeSignIn(this.#url, undefined)
  }

  async token(): Promise<string | undefined> {
    this.#sent = readSignIn(this.#url)?.tokens.access_token
    return this.#sent
  }

  /** Replaces the token that the server refused. Throws an `UnauthorizedError` if the user has to sign in. */
  async onUnauthorized(context: UnauthorizedContext): Promise<void> {
    this.challenge = extractWWWAuthenticateParams(context.response)
    this.#replacing ??= this.#replace(context).finally(() => (this.#replacing = undefined))
    return this.#replacing
  }

  async #replace({ fetchFn }: UnauthorizedContext): Promise<void> {
    const stored = readSignIn(this.#url)
    if (stored === undefined) throw new UnauthorizedError()
    // Another program of this user, or another request, has replaced it already.
    if (stored.tokens.access_token !== this.#sent) return
    writeSignIn(this.#url, { ...stored, tokens: await newTokens(stored, fetchFn) })
  }
}

async function newTokens(
  { tokens, client, discovery }: StoredSignIn,
  fetchFn: UnauthorizedContext['fetchFn'],
): Promise<StoredSignIn['tokens']> {
  const { authorizationServerUrl, authorizationServerMetadata: metadata, resourceMetadata } = discovery
  if (tokens.refresh_token === undefined) throw new UnauthorizedError()
  try {
    const replaced = await refreshAuthorization(authorizationServerUrl, {
      clientInformation: client,
      refreshToken: tokens.refresh_token,
      fetchFn,
      ...(metadata && { metadata }),
      ...(resourceMetadata && { resource: new URL(resourceMetadata.resource) }),
    })
    return { ...replaced, ...(tokens.issuer !== undefined && { issuer: tokens.issuer }) }
  } catch (error) {
    // The server of the tokens has withdrawn the sign-in. Without a connection to it, the sign-in may be valid.
    throw error instanceof OAuthError ? new UnauthorizedError() : error
  }
}
