import { apiError } from 'colloquy/protocol'
import type { RequestHeaders } from './request-headers.ts'

/** The keys that are accepted, or a function that decides. */
export type Keys = readonly string[] | ((key: string) => boolean | Promise<boolean>)

/**
 * Resolves if the request carries an accepted key, and throws the API's 401 if not. The key may be sent as `x-api-key` or
 * as `Authorization: Bearer`; of both, `x-api-key` counts. Without `keys` every request is accepted.
 */
export async function authenticate(headers: RequestHeaders, keys: Keys | undefined): Promise<void> {
  if (keys === undefined) return
  const key = keyOf(headers)
  if (!key) throw noKey()
  const isKnown = typeof keys === 'function' ? await keys(key) : includesConstantTime(keys, key)
  if (!isKnown) throw wrongKey(headers)
}

/** The key of a request. */
export function keyOf(headers: RequestHeaders): string | undefined {
  return headers.get('x-api-key') ?? /^Bearer +(.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
}

/** The API's 401 for a request without a key. */
export function noKey(): Error {
  return apiError('authentication_error', 'x-api-key header is required')
}

/** The API's 401 for a key that is not accepted. */
export function wrongKey(headers: RequestHeaders): Error {
  const isBearer = headers.get('x-api-key') === null
  return apiError('authentication_error', isBearer ? 'Invalid bearer token' : 'invalid x-api-key')
}

/** Compares every character of every key, so that the time does not tell how much of a key was right. */
export function includesConstantTime(keys: readonly string[], key: string): boolean {
  return keys.map((each) => timingSafeEqual(each, key)).includes(true)
}

// Not the one of `node:crypto`: the server also runs on runtimes without Node's modules.
function timingSafeEqual(known: string, given: string): boolean {
  let difference = known.length ^ given.length
  for (let index = 0; index < known.length; index++) difference |= known.charCodeAt(index) ^ given.charCodeAt(index)
  return difference === 0
}
