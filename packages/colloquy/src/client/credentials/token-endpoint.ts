import { APIConnectionTimeoutError, AnthropicError } from '../../protocol/types/error.ts'
import { readBody } from '../request/response.ts'
import { startTimer } from '../../tools/timer.ts'
import type { Transport } from '../transport/transport.ts'
import type { AccessToken } from './access-token.ts'

/** Credentials could not be had: from a profile, from an identity token, or from the token endpoint. */
export class WorkloadIdentityError extends AnthropicError {
  override name = 'WorkloadIdentityError'
  /** The status of the token endpoint; null if it did not answer. */
  readonly statusCode: number | null
  /** The error that the token endpoint sent, without anything else of its answer. */
  readonly body: unknown
  readonly requestId: string | null

  constructor(
    message: string,
    { statusCode = null, body = null, requestId = null, cause }: Partial<WorkloadIdentityError> = {},
  ) {
    super(message, { cause })
    this.statusCode = statusCode
    this.body = body
    this.requestId = requestId
  }
}

export interface TokenRequest {
  baseURL: string
  /** Values of `anthropic-beta`. */
  betas: readonly string[]
  userAgent: string
  body: Record<string, string>
  send: Transport
}

export interface TokenResponse extends AccessToken {
  expiresAt: number
  refreshToken: string | undefined
}

const timeoutMs = 30_000

/** Asks the token endpoint for an access token. No error contains a token. */
export async function requestToken({ baseURL, betas, userAgent, body, send }: TokenRequest): Promise<TokenResponse> {
  refuseCleartext(baseURL)
  const url = `${baseURL}/v1/oauth/token`
  const headers = { 'content-type': 'application/json', 'anthropic-beta': betas.join(','), 'user-agent': userAgent }
  const pending = send({ method: 'POST', url, headers, body: JSON.stringify(body) })
  let abandon = (error: Error): void => pending.cancel(error)
  const timer = startTimer(() => abandon(new APIConnectionTimeoutError()), timeoutMs)
  try {
    const response = await pending.response
    abandon = (error) => response.cancel(error)
    return tokenIn(await readBody(response), response.status, response.header('request-id'))
  } catch (cause) {
    if (cause instanceof WorkloadIdentityError) throw cause
    throw new WorkloadIdentityError(`Failed to reach token endpoint ${url}: ${(cause as Error).message}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** A credential must not travel where others can read it. A server on this machine is an exception. */
function refuseCleartext(baseURL: string): void {
  const { protocol, hostname } = new URL(baseURL)
  if (protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return
  throw new WorkloadIdentityError(`Cannot send a credential to ${baseURL}, which is not https`)
}

function tokenIn(text: string, statusCode: number, requestId: string | null): TokenResponse {
  const data = parsed(text)
  const body = errorIn(data) ?? (data === undefined ? text.slice(0, 2000) : null)
  const fail = (problem: string): WorkloadIdentityError => {
    const id = requestId === null ? '' : ` (request id ${requestId})`
    const found = body === null ? '' : `: ${typeof body === 'string' ? body : JSON.stringify(body)}`
    return new WorkloadIdentityError(`${problem}${id}${found}`, { statusCode, body, requestId })
  }
  if (statusCode < 200 || statusCode >= 300) {
    const hint = statusCode === 401 ? ', so the federation rule may not match the identity token' : ''
    throw fail(`The token endpoint refused the credential with status ${statusCode}${hint}`)
  }
  const { access_token, token_type = 'bearer', expires_in, refresh_token } = data ?? {}
  if (typeof access_token !== 'string' || access_token === '') throw fail('The token endpoint sent no access_token')
  if (String(token_type).toLowerCase() !== 'bearer')
    throw fail(`The token endpoint sent a token of another type than Bearer`)
  const seconds = Number(expires_in)
  if (!Number.isFinite(seconds)) throw fail('The token endpoint sent no expires_in')
  const refreshToken = typeof refresh_token === 'string' && refresh_token !== '' ? refresh_token : undefined
  return { token: access_token, expiresAt: nowSeconds() + seconds, refreshToken }
}

/** The fields of an OAuth error (RFC 6749, 5.2), which alone may be shown. */
function errorIn(data: Record<string, unknown> | undefined): Record<string, unknown> | null {
  if (!data) return null
  const fields = ['error', 'error_description', 'error_uri'].filter((name) => data[name] !== undefined)
  return fields.length === 0 ? null : Object.fromEntries(fields.map((name) => [name, data[name]]))
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
