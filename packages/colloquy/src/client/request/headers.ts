import { AnthropicError } from '../../protocol/types/error.ts'

/** Headers as a caller may give them. `null` removes a header that an earlier source set; `undefined` changes nothing. */
export type HeadersLike =
  | Headers
  | Iterable<readonly [string, HeaderValue | readonly HeaderValue[]]>
  | Record<string, HeaderValue | readonly HeaderValue[]>

type HeaderValue = string | number | boolean | null | undefined

export interface MergedHeaders {
  /** By lower-case name. */
  values: Record<string, string>
  /** Lower-case names that a `null` removed. The removal of its header also turns off authentication. */
  removed: Set<string>
}

/** Later sources win over earlier ones; within one source a repeated name joins its values. */
export function mergeHeaders(...sources: (HeadersLike | null | undefined)[]): MergedHeaders {
  const values: Record<string, string> = {}
  const removed = new Set<string>()
  for (const source of sources) {
    if (!source) continue
    // A list: few sources have so many names that a set would be faster.
    const seen: string[] = []
    eachEntry(source, (name, value) => {
      if (value === undefined) return
      const key = name.toLowerCase()
      if (value === null) {
        delete values[key]
        removed.add(key)
      } else {
        const text = textOf(key, value)
        values[key] = seen.includes(key) ? `${values[key]}, ${text}` : text
        removed.delete(key)
        seen.push(key)
      }
    })
  }
  return { values, removed }
}

/** The value as it is sent: without white space around it, such as the line end of a key that was read from a file. */
function textOf(name: string, value: unknown): string {
  const text = (value instanceof Date ? value.toUTCString() : String(value)).trim()
  const isText = /^(string|number|boolean|bigint)$/.test(typeof value) || value instanceof Date
  if (isText && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(text)) return text
  throw new AnthropicError(`Cannot send the header ${name}: a header cannot hold its name or value`)
}

type TakeHeader = (name: string, value: HeaderValue) => void

/** Calls back with names and values, once for each value of a list. */
function eachEntry(source: HeadersLike, take: TakeHeader): void {
  const eachValue = (name: string, value: HeaderValue | readonly HeaderValue[]): void => {
    if (Array.isArray(value)) for (const each of value as HeaderValue[]) take(name, each)
    else take(name, value as HeaderValue)
  }
  // Not `instanceof Headers`: on Node the name loads all of `fetch`.
  if (typeof source === 'object' && !(Symbol.iterator in source)) {
    for (const name of Object.keys(source)) eachValue(name, source[name])
    return
  }
  for (const entry of typeof source === 'object' ? (source as Iterable<unknown>) : [source]) {
    if (!Array.isArray(entry))
      throw new AnthropicError(`Cannot read headers: found a ${typeof entry} instead of a pair`)
    eachValue(...(entry as [string, HeaderValue]))
  }
}

/** The state of one rate limit. */
export interface RateLimit {
  limit: number | undefined
  /** The API rounds tokens to thousands. */
  remaining: number | undefined
  /** When the limit is full again. */
  reset: Date | undefined
}

/** The rate limits by the API's names: `requests`, `tokens`, `input-tokens`, `output-tokens`, `priority-input-tokens` … */
export type RateLimits = Record<string, RateLimit>

/**
 * Reads the rate limits from the headers of a response: of `withResponse()`, of a stream's `response`, or of an error. Kinds
 * added to the API later are included.
 */
export function rateLimits(headers: Headers | null | undefined): RateLimits {
  const limits: RateLimits = {}
  for (const [name, value] of headers ?? []) {
    const [, kind, part] = /^anthropic-(?:ratelimit-)?((?:\w+-)*?\w+)-(limit|remaining|reset)$/.exec(name) ?? []
    if (kind === undefined) continue
    const limit = (limits[kind] ??= { limit: undefined, remaining: undefined, reset: undefined })
    if (part === 'reset') limit.reset = dateOf(value)
    else limit[part as 'limit' | 'remaining'] = numberOf(value)
  }
  return limits
}

function numberOf(value: string): number | undefined {
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** RFC 3339, or for the limits of subscriptions seconds since 1970. */
function dateOf(value: string): Date | undefined {
  const date = new Date(/^\d+$/.test(value) ? Number(value) * 1000 : value)
  return Number.isNaN(date.getTime()) ? undefined : date
}
