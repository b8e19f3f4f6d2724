import type { KeyLimits } from '../keys/settings.ts'
import {
  type CountedRequest,
  type CountedUsage,
  type CountResult,
  type Left,
  type LimitCounter,
  perMinute,
} from './counter.ts'
import type { MemoryCounter } from './memory-counter.ts'

/** The methods of a client of `ioredis` that are used. */
export interface RedisClient {
  eval(script: string, keys: number, ...values: (string | number)[]): Promise<unknown>
  disconnect(): void
}

/** Options of `RedisCounter`. */
export interface RedisCounterOptions {
  /** Counts while Redis cannot be reached: each server for itself then. */
  fallback: MemoryCounter
  /** Called with a sentence when Redis stops answering, and when it answers again. */
  onProblem?: ((sentence: string) => void) | undefined
}

/** A request whose server died counts as in flight for this long. */
const leaseMs = 900_000
const none = -1

/** Reads the three buckets of KEYS[1], refilled up to the time of the Redis server. ARGV[1] to [3] are their limits. */
const refill = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', KEYS[1], 'requests', 'input', 'output', 'at')
local minutes = math.max(0, now - (tonumber(stored[4]) or now)) / 60000
local left = {}
for index = 1, 3 do
  local limit = tonumber(ARGV[index])
  left[index] = limit < 0 and 1 or math.min(limit, (tonumber(stored[index]) or limit) + minutes * limit)
end`
const save = `
redis.call('HSET', KEYS[1], 'requests', left[1], 'input', left[2], 'output', left[3], 'at', now)
redis.call('PEXPIRE', KEYS[1], 3600000)`

// ARGV: the three limits, the most in flight, the input tokens, the id of the request, the lease.
const beginScript = `${refill}
redis.call('ZREMRANGEBYSCORE', KEYS[2], 0, now)
local exceeded = ''
local concurrent = tonumber(ARGV[4])
if concurrent >= 0 and redis.call('ZCARD', KEYS[2]) >= concurrent then exceeded = 'concurrent_requests'
elseif left[1] < 1 and tonumber(ARGV[1]) >= 0 then exceeded = 'requests_per_minute'
elseif left[2] <= 0 then exceeded = 'input_tokens_per_minute'
elseif left[3] <= 0 then exceeded = 'output_tokens_per_minute'
else
  left[1] = left[1] - 1
  left[2] = left[2] - tonumber(ARGV[5])
  if concurrent >= 0 then
    redis.call('ZADD', KEYS[2], now + tonumber(ARGV[7]), ARGV[6])
    redis.call('PEXPIRE', KEYS[2], ARGV[7])
  end
end
${save}
return {exceeded, tostring(left[1]), tostring(left[2]), tostring(left[3])}`

// ARGV: the three limits, the tokens to add to the input bucket and to take from the output bucket, the id of the request.
const endScript = `${refill}
left[2] = left[2] + tonumber(ARGV[4])
left[3] = left[3] - tonumber(ARGV[5])
redis.call('ZREM', KEYS[2], ARGV[6])
${save}
return 1`

/** Counts in Redis or Valkey, for all servers together. One round trip begins a request. */
export class RedisCounter implements LimitCounter {
  readonly #redis: RedisClient
  readonly #fallback: MemoryCounter
  readonly #onProblem: ((sentence: string) => void) | undefined
  /** The requests in flight that were counted in memory. */
  readonly #inMemory = new Set<string>()
  #problem: string | undefined

  constructor(redis: RedisClient, { fallback, onProblem }: RedisCounterOptions) {
    this.#redis = redis
    this.#fallback = fallback
    this.#onProblem = onProblem
  }

  get problem(): string | undefined {
    return this.#problem
  }

  async begin(request: CountedRequest): Promise<CountResult> {
    const { counter, requestId, limits, inputTokens } = request
    try {
      const values = [...limitValues(limits), limits.concurrent_requests ?? none, inputTokens, requestId, leaseMs]
      const reply = await this.#redis.eval(beginScript, 2, ...keysOf(counter), ...values)
      this.#answered()
      return resultOf(reply as string[], limits)
    } catch (error) {
      this.#failed(error)
      this.#inMemory.add(requestId)
      return this.#fallback.begin(request)
    }
  }

  async end(usage: CountedUsage): Promise<void> {
    const { counter, requestId, limits, inputTokens, usedInputTokens, usedOutputTokens } = usage
    if (this.#inMemory.delete(requestId)) return this.#fallback.end(usage)
    try {
      const values = [...limitValues(limits), inputTokens - usedInputTokens, usedOutputTokens, requestId]
      await this.#redis.eval(endScript, 2, ...keysOf(counter), ...values)
    } catch (error) {
      this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
  }

  #failed(error: unknown): void {
    if (this.#problem !== undefined) return
    this.#problem = 'Redis does not answer: each server counts its own requests'
    this.#onProblem?.(`${this.#problem} (${reasonOf(error)})`)
  }

  #answered(): void {
    if (this.#problem === undefined) return
    this.#problem = undefined
    this.#onProblem?.('Redis answers again: all servers count together')
  }
}

function reasonOf(error: unknown): string {
  const found = error instanceof Error ? error.message : String(error)
  // The client's words for a connection that is lost name an option that operators do not have.
  return found.includes('enableOfflineQueue') ? 'the connection is lost' : found
}

// The braces keep both on one server of a cluster.
function keysOf(counter: string): [string, string] {
  return [`colloquy:{${counter}}:left`, `colloquy:{${counter}}:in-flight`]
}

function limitValues(limits: KeyLimits): number[] {
  return perMinute.map((name) => limits[name] ?? none)
}

function resultOf([exceeded, ...counts]: string[], limits: KeyLimits): CountResult {
  const left: Left = {}
  perMinute.forEach((name, index) => {
    if (limits[name] !== undefined) left[name] = Number(counts[index])
  })
  return { left, exceeded: exceeded === '' ? undefined : (exceeded as CountResult['exceeded']) }
}
