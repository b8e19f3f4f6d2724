const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
// 22 of 58 characters hold 128 bits. The bias of the modulo does not matter for uniqueness.
const length = 22
/** Random bytes for many ids: asking for a few at a time costs ten times as much. */
const pool = new Uint8Array(64 * length)
let used = pool.length

/** Makes a unique id in the API's form: the prefix and 22 letters and digits, such as `msg_01…` or `toolu_01…`. */
export function newId(prefix: string): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  // One string: adding letter by letter would keep a chain of 22.
  const codes = Array.from(pool.subarray(used, (used += length)), (byte) => alphabet.charCodeAt(byte % alphabet.length))
  return prefix + String.fromCharCode(...codes)
}
