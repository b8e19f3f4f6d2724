import { apiError } from 'colloquy/protocol'

/**
 * Throws the API's 403 for a request that a page of another origin sent, other ports of the same host included. Requests of
 * programs other than browsers have none of these headers.
 */
export function checkSameOrigin({ headers, url }: Request): void {
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') throw foreign(headers.get('origin') ?? site)
  const origin = headers.get('origin')
  if (origin === null) return
  const host = headers.get('host') ?? new URL(url).host
  if (URL.parse(origin)?.host !== host.toLowerCase()) throw foreign(origin)
}

function foreign(origin: string): Error {
  return apiError('permission_error', `Not allowed: origin ${origin.slice(0, 200)}`)
}
