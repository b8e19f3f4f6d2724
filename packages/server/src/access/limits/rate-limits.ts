import { type APIError, apiError, findModel } from 'colloquy/protocol'
import { httpError } from '../../messages/http-error.ts'
import type { KeyLimits } from '../keys/settings.ts'
import { type CountResult, type Left, type PerMinute, perMinute, tokensPerMinute } from './counter.ts'

/** The limits with their names in headers: `requests`, `input-tokens` and `output-tokens`. */
const inHeaders = perMinute.map((name) => [name, name.replace('_per_minute', '').replace('_', '-')] as const)

/**
 * The class of models that share a limit, as the API groups them: Opus 4.x, Sonnet 4.x and Fable 5.x each together, every
 * other model alone.
 */
export function modelClass(model: string): string {
  const id = findModel(model)?.id ?? model
  const [, line, generation] = /^claude-(opus|sonnet|fable)-(\d+)/.exec(id) ?? []
  return `${line}-${generation}` === 'fable-5' || generation === '4' ? `${line}-${generation}.x` : id
}

/** The headers of the API that tell the limits and what is left of them. */
export function limitHeaders(limits: KeyLimits, left: Left, now: number): [name: string, value: string][] {
  const headers: [string, string][] = []
  for (const [name, header] of inHeaders) {
    const limit = limits[name]
    if (limit !== undefined) headers.push(...triplet(header, limit, left[name] ?? limit, now))
  }
  const tightest = tokensPerMinute
    .filter((name) => limits[name] !== undefined)
    .toSorted((a, b) => shareOf(a, limits, left) - shareOf(b, limits, left))[0]
  if (tightest !== undefined) headers.push(...triplet('tokens', limits[tightest]!, left[tightest] ?? 0, now))
  return headers
}

function shareOf(name: PerMinute, limits: KeyLimits, left: Left): number {
  return (left[name] ?? 0) / limits[name]!
}

const leastRounded = 10_000

function triplet(name: string, limit: number, left: number, now: number): [string, string][] {
  const prefix = `anthropic-ratelimit-${name}`
  const remaining = Math.max(0, Math.floor(left))
  // The API rounds tokens to thousands. A small limit would often leave 0, at which clients wait.
  const isRounded = name !== 'requests' && limit >= leastRounded
  const fullInMs = ((limit - left) / limit) * 60_000
  return [
    [`${prefix}-limit`, String(limit)],
    [`${prefix}-remaining`, String(isRounded ? Math.round(remaining / 1000) * 1000 : remaining)],
    [`${prefix}-reset`, secondText(now + fullInMs)],
  ]
}

/** The last second that was formatted: the headers of one response mostly need the same one. */
let lastSecond = { number: Number.NaN, text: '' }

function secondText(time: number): string {
  const number = Math.floor(time / 1000)
  if (lastSecond.number !== number) {
    lastSecond = { number, text: `${new Date(number * 1000).toISOString().slice(0, 19)}Z` }
  }
  return lastSecond.text
}

/** The API's 429 for a request that would exceed a limit. */
export function rateLimitError(
  { exceeded, left }: CountResult,
  { limits, keyName, model, now }: { limits: KeyLimits; keyName: string; model: string; now: number },
): APIError {
  const headers = new Headers(limitHeaders(limits, left, now))
  headers.set('retry-after', String(retryAfterSeconds(exceeded, limits, left)))
  headers.set('x-should-retry', 'true')
  const who = `(key: ${keyName}, model: ${model})`
  const message =
    exceeded === 'concurrent_requests' || exceeded === undefined
      ? `Number of concurrent connections has exceeded your rate limit of ${limits.concurrent_requests} ${who}. Please try again later.`
      : `This request would exceed your rate limit of ${limits[exceeded]!.toLocaleString('en')} ${exceeded.replaceAll('_', ' ')} ${who}. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.`
  return httpError(429, apiError('rate_limit_error', message), headers)
}

/** Seconds until the bucket holds what a request needs. */
function retryAfterSeconds(exceeded: CountResult['exceeded'], limits: KeyLimits, left: Left): number {
  if (exceeded === undefined || exceeded === 'concurrent_requests') return 1
  return Math.max(1, Math.ceil(((1 - (left[exceeded] ?? 0)) / limits[exceeded]!) * 60))
}
