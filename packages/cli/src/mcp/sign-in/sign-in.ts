import { randomBytes } from 'node:crypto'
import {
  auth,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { ExitCode, ExitError } from '../../exit.ts'
import { oneLine } from '../../format.ts'
import type { AddressServer } from '../server-file.ts'
import { withReadableMessage } from '../failure-reason.ts'
import { openReturnPage, refusalIn } from './return-page.ts'
import type { Challenge } from './signed-in.ts'
import { writeSignIn } from './stored-sign-ins.ts'

export interface SignInOptions {
  challenge: Challenge
  /** Opens an address in the browser of the user. */
  openPage: (url: URL) => Promise<void>
  signal: AbortSignal
}

/**
 * Signs the user in at a server by OAuth, in the browser, and keeps the sign-in. Throws an `ExitError` that tells what the server
 * lacks or why it refused, and an `APIUserAbortError` when the signal aborts.
 */
export async function signIn({ name, url, oauth }: AddressServer, options: SignInOptions): Promise<void> {
  const { challenge, openPage, signal } = options
  const state = randomBytes(16).toString('base64url')
  const page = await openReturnPage(state, oauth?.callbackPort ?? 0, signal)
  try {
    const openChecked = async (address: URL): Promise<void> => {
      if (!/^https?:$/.test(address.protocol))
        throw new Error(`its page must be at an https address: it is at ${address.href}`)
      await openPage(address)
    }
    const flow = new Flow(page.url, state, openChecked, oauth)
    const request = { serverUrl: url, ...challenge, fetchFn: withSignal(signal) }
    await auth(flow, request)
    const parameters = await page.returned
    const refusal = refusalIn(parameters)
    if (refusal !== undefined) throw new Error(refusal)
    const iss = parameters.get('iss')
    const authorizationCode = parameters.get('code') ?? ''
    await auth(flow, { ...request, authorizationCode, ...(iss !== null && { iss }) })
    writeSignIn(url, flow.result())
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ExitError) throw error
    throw new ExitError(ExitCode.failed, `Cannot sign in at ${name}: ${reasonOf(error)}`)
  } finally {
    page.close()
  }
}

function reasonOf(error: unknown): string {
  const { message } = withReadableMessage(error) as Error
  const isUnregistered = /dynamic client registration/i.test(message)
  if (!isUnregistered) return oneLine(message)
  return 'its sign-in takes registered clients only: register one there, and put it into the file as "oauth": {"clientId": "…"}'
}

function withSignal(signal: AbortSignal): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal })
}

/** One sign-in, from its first request to its tokens. Keeps in memory what is stored when it has succeeded. */
class Flow implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata: OAuthClientProvider['clientMetadata']
  readonly redirectToAuthorization: (url: URL) => Promise<void>
  readonly #state: string
  #client: StoredOAuthClientInformation | undefined
  #tokens: StoredOAuthTokens | undefined
  #discovery: OAuthDiscoveryState | undefined
  #verifier = ''

  constructor(redirectUrl: string, state: string, open: (url: URL) => Promise<void>, oauth: AddressServer['oauth']) {
    this.redirectUrl = redirectUrl
    this.redirectToAuthorization = open
    this.#state = state
    const { clientId, clientSecret } = oauth ?? {}
    if (clientId !== undefined)
      this.#client = { client_id: clientId, ...(clientSecret !== undefined && { client_secret: clientSecret }) }
    this.clientMetadata = {
      client_name: 'Colloquy',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }

  state(): string {
    return this.#state
  }

  /** The client, of the server that was asked: the file does not name the one that its client was registered at. */
  clientInformation(asked?: { issuer: string }): StoredOAuthClientInformation | undefined {
    return this.#client && { ...(asked && { issuer: asked.issuer }), ...this.#client }
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#client = client
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery
  }

  /** The sign-in that has succeeded. */
  result(): { tokens: StoredOAuthTokens; client: StoredOAuthClientInformation; discovery: OAuthDiscoveryState } {
    if (this.#tokens === undefined || this.#client === undefined || this.#discovery === undefined)
      throw new Error('Cannot keep the sign-in: it has no tokens')
    return { tokens: this.#tokens, client: this.#client, discovery: this.#discovery }
  }
}
