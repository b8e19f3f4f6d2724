/** What is left of one kind of rate limit. */
export interface RateLimit {
  limit: number | undefined
  /** Tokens are rounded to thousands. */
  remaining: number | undefined
  /** When all of it is there again. */
  reset: Date | undefined
}

/** The limits by the API's own names: `requests`, `tokens`, `input-tokens`, `output-tokens`, `priority-input-tokens` … */
export type RateLimits = Record<string, RateLimit>

/**
 * Reads the rate limits off an answer's headers: those of `withResponse()`, of a stream's `response`, or of an error. Kinds
 * that this version does not know are read too.
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

/** RFC 3339; the limits of subscriptions count seconds since 1970. */
function dateOf(value: string): Date | undefined {
  const date = new Date(/^\d+$/.test(value) ? Number(value) * 1000 : value)
  return Number.isNaN(date.getTime()) ? undefined : date
}
