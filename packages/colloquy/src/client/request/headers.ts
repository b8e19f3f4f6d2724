import { AnthropicError } from '../../protocol/types/error.ts'

/** Headers as a caller may write them. In an object, `null` removes a header that was set before, `undefined` says nothing. */
export type HeadersLike =
  | Headers
  | Iterable<readonly [string, string | null | undefined]>
  | Record<string, string | readonly string[] | null | undefined>

export interface MergedHeaders {
  /** By lower-case name. */
  values: Record<string, string>
  /** Lower-case names that a `null` removed, which is also how authentication is declined. */
  removed: Set<string>
}

/** Later sources win over earlier ones; within one source a repeated name joins its values. */
export function mergeHeaders(...sources: (HeadersLike | null | undefined)[]): MergedHeaders {
  const values: Record<string, string> = {}
  const removed = new Set<string>()
  for (const source of sources) {
    if (!source) continue
    const seen = new Set<string>()
    for (const [name, value] of entriesOf(source)) {
      if (value === undefined) continue
      const key = name.toLowerCase()
      if (value === null) {
        delete values[key]
        removed.add(key)
      } else {
        const text = textOf(key, value)
        values[key] = seen.has(key) ? `${values[key]}, ${text}` : text
        removed.delete(key)
        seen.add(key)
      }
    }
  }
  return { values, removed }
}

/** The value as it is sent, without white space around it, such as the line end of a key that was read from a file. */
function textOf(name: string, value: string): string {
  const text = value.trim()
  if (/[^\t -~\u0080-\u00ff]/.test(text)) {
    throw new AnthropicError(`Cannot send the header ${name}: its value has a character that no header can have`)
  }
  return text
}

function* entriesOf(source: HeadersLike): Generator<readonly [string, string | null | undefined]> {
  // No `instanceof Headers`: on Node, naming it loads all of `fetch`.
  if (Symbol.iterator in source) {
    yield* source as Iterable<readonly [string, string | null | undefined]>
    return
  }
  for (const [name, value] of Object.entries(source)) {
    yield [name, Array.isArray(value) ? value.join(', ') : (value as string | null | undefined)]
  }
}

const secret = /(authorization|cookie|key|secret|token)$/

/** The headers as a log may show them. */
export function redacted(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secret.test(name) ? '***' : value]))
}
