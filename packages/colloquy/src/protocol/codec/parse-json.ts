import { JsonReader } from './partial-json.ts'

/**
 * `JSON.parse()` with every key under its own name, for values whose keys are anybody's, such as a tool's input.
 *
 * V8 from Node 24 on reads a key with an escape as another key that it has met before where the escape's backslash makes
 * the two look alike: `{"\n":1}` as `{"\\":1}` (https://github.com/nodejs/node/issues/63785). Such a key has a
 * backslash in its name, which hardly any key has, so only a value with one is read again.
 *
 * @throws {SyntaxError} What `JSON.parse()` throws.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return text.includes('\\') && hasBackslashInKey(value) ? new JsonReader().push(text) : value
}

/** Without recursion: what `JSON.parse()` reads may be nested deeper than the stack. */
function hasBackslashInKey(root: unknown): boolean {
  const unseen = [root]
  for (const value of unseen) {
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value) && Object.keys(value).some((key) => key.includes('\\'))) return true
    for (const item of Object.values(value)) if (typeof item === 'object') unseen.push(item)
  }
  return false
}
