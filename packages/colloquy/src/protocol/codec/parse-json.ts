import { JsonReader } from './partial-json.ts'

/**
 * `JSON.parse()` without a bug of V8 that confuses keys, for values with arbitrary keys, such as a tool's input.
 *
 * In Node 24 and later, V8 can read a key with an escape as another key that it has parsed before: `{"\n":1}` as
 * `{"\\":1}` (https://github.com/nodejs/node/issues/63785). The wrong key has a backslash in its name, which few keys have,
 * so only a value with such a key is parsed again.
 *
 * @throws {SyntaxError} As `JSON.parse()`.
 *
 * @example
 * ```ts
 * import { parseJson } from 'colloquy/protocol'
 *
 * console.log(parseJson('{"city":"Oslo"}')) // { city: 'Oslo' }
 * ```
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return text.includes('\\') && hasBackslashInKey(value) ? new JsonReader().push(text) : value
}

/** Not recursive, because `JSON.parse()` accepts values nested deeper than the stack. */
function hasBackslashInKey(root: unknown): boolean {
  const unseen = [root]
  for (const value of unseen) {
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value) && Object.keys(value).some((key) => key.includes('\\'))) return true
    for (const item of Object.values(value)) if (typeof item === 'object') unseen.push(item)
  }
  return false
}
