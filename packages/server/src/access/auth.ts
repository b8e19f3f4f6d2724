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

/** Takes the same time wherever the keys differ: every character of every key is compared. */
function isAmong(keys: readonly string[], key: string): boolean {
  return keys.map((each) => isSame(each, key)).includes(true)
}

// Not by `node:crypto`: the server also runs where there is no Node.
function isSame(known: string, given: string): boolean {
  let difference = known.length ^ given.length
  for (let index = 0; index < known.length; index++) difference |= known.charCodeAt(index) ^ given.charCodeAt(index)
  return difference === 0
}
