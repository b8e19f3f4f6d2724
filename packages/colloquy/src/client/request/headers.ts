import { AnthropicError } from '../../protocol/types/error.ts'

/** Headers as a caller may give them. `null` removes a header that an earlier source set; `undefined` changes nothing. */
export type HeadersLike =
  | Headers
  | Iterable<readonly [string, Values]>
  | readonly (readonly HeaderValue[])[]
  | Record<string, Values>

type HeaderValue = string | number | boolean | null | undefined
type Values = HeaderValue | readonly HeaderValue[]

export interface MergedHeaders {
  /** By lower-case name. */
  values: Record<string, string>
  /** Lower-case names that a `null` removed, even if set again later. The removal of its header also turns off authentication. */
  removed: string[]
}

/**
 * Later sources win over earlier ones. Within a source, the values of a list and the pairs of one name are joined, and of
 * properties that differ only in case the last one wins.
 */
export function mergeHeaders(...sources: (HeadersLike | null | undefined)[]): MergedHeaders {
  return addHeaders({ values: {}, removed: [] }, ...sources)
}

/** As `mergeHeaders()`, into headers that are already as they are sent. Changes them in place. */
export function addHeaders(merged: MergedHeaders, ...sources: (HeadersLike | null | undefined)[]): MergedHeaders {
  for (const source of sources) if (source) addSource(merged, source)
  return merged
}

function addSource(merged: MergedHeaders, source: HeadersLike): void {
  // Not `instanceof Headers`: on Node the name loads all of `fetch`.
  if (typeof source === 'object' && !(Symbol.iterator in source)) {
    for (const name of Object.keys(source)) setHeader(merged, name, source[name], [])
  } else {
    // A list: few sources have so many names that a set would be faster.
    const seen: string[] = []
    for (const [name, value] of pairsOf(source)) setHeader(merged, name, value, seen)
  }
}

/** Sets a header. Its values are joined, also to an earlier one if `seen` has the name. */
function setHeader({ values, removed }: MergedHeaders, given: unknown, value: Values, seen: string[]): void {
  const name = String(given).toLowerCase()
  for (const each of Array.isArray(value) ? (value as HeaderValue[]) : [value as HeaderValue]) {
    if (each === undefined) continue
    if (each === null) {
      delete values[name]
      removed.push(name)
    } else {
      const text = textOf(name, each)
      // A null may have removed the earlier one.
      const before = seen.includes(name) ? values[name] : undefined
      values[name] = before === undefined ? text : `${before}${name === 'cookie' ? ';' : ','} ${text}`
      seen.push(name)
    }
  }
}

/** The value as it is sent: without white space around it, such as the line end of a key that was read from a file. */
function textOf(name: string, given: unknown): string {
  const value = given instanceof Date ? given.toUTCString() : given
  // No header can hold NUL.
  const text = /obj|fun|sym/.test(typeof value) ? '\0' : String(value).trim()
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(text)) return text
  throw new AnthropicError(`Cannot send the header ${name}: a header cannot hold its name or value`)
}

function pairsOf(source: unknown): Iterable<readonly [string, Values]> {
  const pairs = typeof source === 'object' ? [...(source as Iterable<unknown>)] : [source]
  for (const pair of pairs)
    if (!Array.isArray(pair)) throw new AnthropicError(`Cannot read headers: found a ${typeof pair} instead of a pair`)
  return pairs as [string, Values][]
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
 *
 * @example
 * ```ts
 * import Anthropic, { rateLimits } from 'colloquy'
 *
 * const { response } = await new Anthropic().models.list().withResponse()
 * const { requests } = rateLimits(response.headers)
 * console.log(requests?.remaining ?? 'not limited') // not limited
 * ```
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
