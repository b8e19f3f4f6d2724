import {
  type CountedRequest,
  type CountedUsage,
  type CountResult,
  type Left,
  type LimitCounter,
  perMinute,
  tokensPerMinute,
} from './counter.ts'
import type { KeyLimits } from '../keys/settings.ts'

interface Bucket {
  left: Left
  at: number
  inFlight: Set<string>
}

/** The counters above which full ones are forgotten. */
const manyBuckets = 10_000
const minuteMs = 60_000

/** Counts in the memory of this process. */
export class MemoryCounter implements LimitCounter {
  readonly problem = undefined
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  begin({ counter, requestId, limits, inputTokens }: CountedRequest): CountResult {
    const { left, inFlight } = this.#refilled(counter, limits)
    const exceeded = exceededBy(left, inFlight.size, limits)
    if (exceeded === undefined) {
      inFlight.add(requestId)
      if (left.requests_per_minute !== undefined) left.requests_per_minute -= 1
      if (left.input_tokens_per_minute !== undefined) left.input_tokens_per_minute -= inputTokens
    }
    return { left: { ...left }, exceeded }
  }

  end({ counter, requestId, limits, inputTokens, usedInputTokens, usedOutputTokens }: CountedUsage): void {
    const { left, inFlight } = this.#refilled(counter, limits)
    inFlight.delete(requestId)
    if (left.input_tokens_per_minute !== undefined) left.input_tokens_per_minute += inputTokens - usedInputTokens
    if (left.output_tokens_per_minute !== undefined) left.output_tokens_per_minute -= usedOutputTokens
  }

  async close(): Promise<void> {}

  #refilled(counter: string, limits: KeyLimits): Bucket {
    const now = this.#now()
    let bucket = this.#buckets.get(counter)
    if (bucket === undefined) {
      if (this.#buckets.size >= manyBuckets) this.#forget(now)
      bucket = { left: {}, at: now, inFlight: new Set() }
      this.#buckets.set(counter, bucket)
    }
    const minutes = Math.max(0, now - bucket.at) / minuteMs
    for (const name of perMinute) {
      const limit = limits[name]
      if (limit === undefined) delete bucket.left[name]
      else bucket.left[name] = Math.min(limit, (bucket.left[name] ?? limit) + minutes * limit)
    }
    bucket.at = now
    return bucket
  }

  /** Forgets counters that were not used for a minute, in which all but deep debts are refilled. */
  #forget(now: number): void {
    for (const [name, { at, inFlight }] of this.#buckets) {
      if (inFlight.size === 0 && now - at > minuteMs) this.#buckets.delete(name)
    }
  }
}

function exceededBy(left: Left, inFlight: number, limits: KeyLimits): CountResult['exceeded'] {
  if (limits.concurrent_requests !== undefined && inFlight >= limits.concurrent_requests) return 'concurrent_requests'
  if ((left.requests_per_minute ?? 1) < 1) return 'requests_per_minute'
  return tokensPerMinute.find((name) => (left[name] ?? 1) <= 0)
}
