import { createHash, timingSafeEqual } from 'node:crypto'
import { apiError } from 'colloquy/protocol'

/** The keys that are let in, or a function that knows them. */
export type Keys = readonly string[] | ((key: string) => boolean | Promise<boolean>)

/**
 * Lets a request in or throws the API's 401. The key may come as `x-api-key` or as `Authorization: Bearer`; where both
 * come, `x-api-key` counts. Without `keys` everyone is let in.
 */
export async function authenticate(headers: Headers, keys: Keys | undefined): Promise<void> {
  if (keys === undefined) return
  const apiKey = headers.get('x-api-key')
  const bearer = /^Bearer +(.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  const key = apiKey ?? bearer
  if (!key) throw apiError('authentication_error', 'x-api-key header is required')
  const isKnown = typeof keys === 'function' ? await keys(key) : isAmong(keys, key)
  if (!isKnown) throw apiError('authentication_error', apiKey === null ? 'Invalid bearer token' : 'invalid x-api-key')
}

/** Takes the same time wherever the keys differ: digests are compared, and all of them. */
function isAmong(keys: readonly string[], key: string): boolean {
  const given = digest(key)
  return keys.map((each) => timingSafeEqual(digest(each), given)).includes(true)
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
