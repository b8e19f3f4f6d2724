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

/**
 * Later sources win over earlier ones. Within a source, the values of a list and the pairs of one name are joined, and of
 * properties that differ only in case the last one wins.
 */
export function mergeHeaders(...sources: (HeadersLike | null | undefined)[]): MergedHeaders {
  const merged: MergedHeaders = { values: {}, removed: new Set() }
  for (const source of sources) {
    // A list: few sources have so many names that a set would be faster.
    let seen: string[] = []
    for (const [name, given, isProperty] of entriesOf(source)) {
      if (isProperty) seen = []
      for (const value of Array.isArray(given) ? given : [given]) setHeader(merged, name.toLowerCase(), value, seen)
    }
  }
  return merged
}

function setHeader({ values, removed }: MergedHeaders, name: string, value: HeaderValue, seen: string[]): void {
  if (value === undefined) return
  if (value === null) {
    delete values[name]
    removed.add(name)
  } else {
    const text = textOf(name, value)
    values[name] = seen.includes(name) ? `${values[name]}${name === 'cookie' ? ';' : ','} ${text}` : text
    removed.delete(name)
    seen.push(name)
  }
}

/** The value as it is sent: without white space around it, such as the line end of a key that was read from a file. */
function textOf(name: string, value: unknown): string {
  const text = (value instanceof Date ? value.toUTCString() : String(value)).trim()
  const isText = /^(string|number|boolean|bigint)$/.test(typeof value) || value instanceof Date
  if (isText && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(text)) return text
  throw new AnthropicError(`Cannot send the header ${name}: a header cannot hold its name or value`)
}

type Entry = [name: string, value: HeaderValue | readonly HeaderValue[], isProperty?: boolean]

function entriesOf(source: HeadersLike | null | undefined): Iterable<Entry> {
  if (!source) return []
  // Not `instanceof Headers`: on Node the name loads all of `fetch`.
  if (typeof source === 'object' && !(Symbol.iterator in source))
    return Object.entries(source).map(([name, value]) => [name, value, true])
  const entries = typeof source === 'object' ? [...(source as Iterable<unknown>)] : [source]
  for (const entry of entries)
    if (!Array.isArray(entry))
      throw new AnthropicError(`Cannot read headers: found a ${typeof entry} instead of a pair`)
  return entries as Entry[]
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
