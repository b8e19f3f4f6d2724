import type { LimitCounter } from './counter.ts'
import { MemoryCounter } from './memory-counter.ts'

/** Options of `openCounter()`. */
export interface OpenCounterOptions {
  /** `redis://…` or `rediss://…`. Default: counts in this process. */
  redis?: string | undefined
  onProblem?: ((sentence: string) => void) | undefined
  now?: (() => number) | undefined
  /** The time that a request may wait for Redis before it is counted in memory. Default: 250 ms. */
  patienceMs?: number
}

/** Opens the counter of a server. Does not wait for Redis: until it answers, requests are counted in memory. */
export async function openCounter(options: OpenCounterOptions): Promise<LimitCounter> {
  const { redis, onProblem, now, patienceMs = 250 } = options
  const memory = new MemoryCounter(now)
  if (redis === undefined) return memory
  if (!/^rediss?:\/\//.test(redis))
    throw new RangeError('Cannot use Redis: its URL must begin with redis:// or rediss://')
  const { RedisCounter } = await import('./redis-counter.ts')
  const { Redis } = await import('ioredis').catch((error: unknown) => {
    throw new Error('Cannot use Redis: install the package ioredis', { cause: error })
  })
  const client = new Redis(redis, {
    commandTimeout: patienceMs,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // Retries for as long as the server runs.
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  })
  // Errors of the connection show in the commands that fail.
  client.on('error', () => {})
  return new RedisCounter(client, { fallback: memory, onProblem })
}
