import { charactersPerStep } from '../pieces.ts'
import type { PromptSegment } from './tokens.ts'
import { atOnce } from '../pieces.ts'

/** The prompt's tokens by how they are billed. They add up to the prompt. */
export interface CacheUsage {
  input: number
  read: number
  written5m: number
  written1h: number
}

/** The entries that a request reads from the cache and will write to it. */
export interface CachePlan {
  usage: CacheUsage
  /** Makes the request's entries readable. The API does this when the reply begins, so parallel first requests all miss. */
  commit(): void
}

export interface PlanOptions {
  /** The shortest prefix in tokens that is cached. Depends on the model. */
  minTokens: number
  /** Other parts of the request that entries depend on, by level. A change makes that level and the later ones miss. */
  keys: Record<PromptSegment['level'], string>
}

interface Entry {
  ttlMs: number
  expiresAt: number
}

interface Mark {
  at: number
  ttl: '5m' | '1h'
}

const ttlMs = { '5m': 5 * 60_000, '1h': 60 * 60_000 }
const lookBack = 20
const levels = ['tools', 'system', 'messages'] as const

/**
 * A prompt cache with the API's rules: entries are exact prefixes, written only at breakpoints; each breakpoint looks back at
 * most 20 blocks; an entry lives 5 minutes or an hour from the start of its last use.
 */
export class PromptCache {
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number
  readonly #maxEntries: number

  /** Holds at most `maxEntries` prefixes, default 10,000. Drops the least recently used first. */
  constructor(now: () => number, maxEntries = 10_000) {
    this.#now = now
    this.#maxEntries = maxEntries
  }

  plan(segments: readonly PromptSegment[], options: PlanOptions): CachePlan {
    return atOnce(this.planInSteps(segments, options))
  }

  /** As `plan()`, with a step for each segment. */
  *planInSteps(segments: readonly PromptSegment[], options: PlanOptions): Generator<void, CachePlan> {
    const startedAt = this.#now()
    const prefixes = yield* PromptPrefixes.of(segments, options)
    const cached = new Set(prefixes.candidates.filter((prefix) => this.#living(prefix, startedAt)))
    const isCached = (prefix: string): boolean => cached.has(prefix)
    return {
      usage: prefixes.usage(isCached),
      commit: () => {
        const used = prefixes.used(isCached, (prefix) => this.#living(prefix, startedAt) !== undefined)
        for (const { prefix, lifeMs } of used) this.#touch(prefix, lifeMs, startedAt)
        this.#dropOldest()
      },
    }
  }

  #living(prefix: string, at: number): Entry | undefined {
    const entry = this.#entries.get(prefix)
    return entry && entry.expiresAt > at ? entry : undefined
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) break
      this.#entries.delete(key)
    }
  }

  /** Writes or refreshes an entry. While it lives, its lifetime never gets shorter. */
  #touch(key: string, ttl: number, startedAt: number): void {
    const entry = this.#living(key, startedAt)
    const life = Math.max(ttl, entry?.ttlMs ?? 0)
    // Delete first: a Map keeps the order of insertion, which here is the order of use.
    this.#entries.delete(key)
    this.#entries.set(key, { ttlMs: life, expiresAt: Math.max(startedAt + life, entry?.expiresAt ?? 0) })
  }
}

/** An entry that a request reads or writes. */
export interface UsedEntry {
  prefix: string
  /** 0 if the request only reads it: then its life is what it was written for. */
  lifeMs: number
}

/** The prefixes of a prompt that the cache of the API may hold, wherever its entries are kept. */
export class PromptPrefixes {
  readonly #marks: readonly Mark[]
  readonly #hashes: readonly string[]
  /** For each prefix, its tokens. */
  readonly #sums: readonly number[]

  private constructor(marks: readonly Mark[], hashes: readonly string[], sums: readonly number[]) {
    this.#marks = marks
    this.#hashes = hashes
    this.#sums = sums
  }

  /** Finds the prefixes, in steps. */
  static *of(segments: readonly PromptSegment[], { minTokens, keys }: PlanOptions): Generator<void, PromptPrefixes> {
    const hashes: string[] = []
    const sums: number[] = []
    let sum = 0
    let hash = ''
    let depth = 0
    for (const segment of segments) {
      // The keys of a level without segments affect the levels after it.
      for (; depth <= levels.indexOf(segment.level); depth++)
        hash = yield* fingerprint(`${hash}\n${keys[levels[depth]!]}`)
      hash = yield* fingerprint(`${hash}\n${segment.text}`)
      sum += segment.tokens
      hashes.push(hash)
      sums.push(sum)
      yield
    }
    const marks: Mark[] = []
    segments.forEach(({ ttl }, at) => {
      if (ttl && sums[at]! >= minTokens) marks.push({ at, ttl })
    })
    return new PromptPrefixes(marks, hashes, sums)
  }

  /** The tokens of the whole prompt. */
  get tokens(): number {
    return this.#sums.at(-1) ?? 0
  }

  /** The prefixes that a breakpoint finds if they are cached. Empty without a breakpoint. */
  get candidates(): string[] {
    const found = new Set<string>()
    for (const { at } of this.#marks)
      this.#hashes.slice(Math.max(0, at - lookBack + 1), at + 1).forEach((hash) => found.add(hash))
    return [...found]
  }

  /** The tokens by how they are billed. */
  usage(isCached: (prefix: string) => boolean): CacheUsage {
    return usageOf(this.#marks, this.#sums, this.#deepestHit(isCached), this.tokens)
  }

  /**
   * The entries that the request reads and writes, each once.
   *
   * @param isKept whether an entry lives now, cached when the request began or not: its breakpoint renews it.
   */
  used(isCached: (prefix: string) => boolean, isKept: (prefix: string) => boolean = isCached): UsedEntry[] {
    const hit = this.#deepestHit(isCached)
    const lives = new Map<string, number>()
    if (hit >= 0) lives.set(this.#hashes[hit]!, 0)
    for (const { at, ttl } of this.#marks) {
      const prefix = this.#hashes[at]!
      if (at > hit || isKept(prefix)) lives.set(prefix, Math.max(lives.get(prefix) ?? 0, ttlMs[ttl]))
    }
    return [...lives].map(([prefix, lifeMs]) => ({ prefix, lifeMs }))
  }

  #deepestHit(isCached: (prefix: string) => boolean): number {
    for (const { at } of this.#marks.toReversed()) {
      for (let index = at; index > at - lookBack && index >= 0; index--)
        if (isCached(this.#hashes[index]!)) return index
    }
    return -1
  }
}

/** Up to the hit tokens are read, from there to the last one-hour breakpoint written for 1 h, to the last of all for 5 min. */
function usageOf(marks: readonly Mark[], sums: readonly number[], hit: number, total: number): CacheUsage {
  const read = hit >= 0 ? sums[hit]! : 0
  const last1h = marks.findLast(({ at, ttl }) => ttl === '1h' && at > hit)
  const last = marks.findLast(({ at }) => at > hit)
  const until1h = last1h ? sums[last1h.at]! : read
  const until = last ? sums[last.at]! : read
  return { read, written1h: until1h - read, written5m: until - until1h, input: total - until }
}

/** Two independent 32-bit hashes and the length, so that the prompts of a test do not collide. */
function* fingerprint(text: string): Generator<void, string> {
  let first = 0x811c9dc5
  let second = 0x9e3779b9
  for (let start = 0; start < text.length; start += charactersPerStep) {
    if (start > 0) yield
    const end = Math.min(text.length, start + charactersPerStep)
    for (let index = start; index < end; index++) {
      const code = text.charCodeAt(index)
      first = Math.imul(first ^ code, 0x01000193)
      second = Math.imul((second ^ code) + (second >>> 15), 0x85ebca6b)
    }
  }
  return `${first >>> 0}.${second >>> 0}.${text.length}`
}
