// Crockford's base 32: no letters that are easily mistaken, and it sorts as the number does.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** A new conversation's id, a ULID: ten characters of time, so that newer ones sort later, and sixteen of chance. */
export function newConversationId(at: number = Date.now()): string {
  let id = ''
  for (let rest = at, place = 0; place < 10; place++, rest = Math.floor(rest / 32)) id = alphabet[rest % 32]! + id
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += alphabet[byte % 32]
  return id
}
