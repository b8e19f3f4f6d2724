const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** 14 of 58 characters hold 82 bits. The bias of the modulo does not matter for uniqueness. */
const randomLength = 14
/** Milliseconds since 1970 fit until the year 6000. */
const timeLength = 8
/** Random bytes for many ids: asking for a few at a time costs ten times as much. */
const pool = new Uint8Array(64 * randomLength)
let used = pool.length
let lastTime = { at: Number.NaN, text: '' }

/**
 * Makes a unique id in the API's form: the prefix and 22 letters and digits, such as `msg_01…` or `toolu_01…`. The first of
 * them tell the time, so that later ids sort behind earlier ones: a database then appends them to its index, and does not
 * write a page for each.
 *
 * @example
 * ```ts
 * import { newId } from 'colloquy/engines'
 *
 * console.log(newId('msg_01').length) // 28
 * ```
 */
export function newId(prefix: string): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  const at = Date.now()
  if (lastTime.at !== at) lastTime = { at, text: timeText(at) }
  // One string: adding letter by letter would keep a chain of 14. `Array.from()` would take seven times as long.
  const codes: number[] = []
  for (const end = used + randomLength; used < end; used++)
    codes.push(alphabet.charCodeAt(pool[used]! % alphabet.length))
  return prefix + lastTime.text + String.fromCharCode(...codes)
}

/** The letters are in the order of their codes, so texts sort as the times do. */
function timeText(at: number): string {
  let text = ''
  for (let left = at; text.length < timeLength; left = Math.floor(left / alphabet.length))
    text = alphabet[left % alphabet.length]! + text
  return text
}
