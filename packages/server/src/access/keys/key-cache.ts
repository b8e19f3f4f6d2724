import { hashOf } from './secret.ts'
import type { KeyRecord, Keys } from './keys.ts'

/**
 * Milliseconds for which a key is not looked up again: a key that another server revokes is refused after this time. Also if
 * the clock was set back.
 */
const freshMs = 2_000
/** Milliseconds for which a key that was valid is accepted while the database cannot be reached. */
const staleMs = 300_000
const maxKeys = 10_000
/** Milliseconds that a look-up may take before a key that was valid is accepted without it: the database may hang. */
const slowMs = 1_000

interface Cached {
  key: KeyRecord | undefined
  at: number
  /** The look-up in progress, and when it began. */
  next: Promise<KeyRecord | undefined> | undefined
  lookedAt: number
}

/** Looks keys up by their secret, at most once in two seconds each. Remembers hashes, not secrets. */
export class KeyCache {
  readonly #keys: Keys
  readonly #now: () => number
  readonly #cached = new Map<string, Cached>()
  #any: { found: Promise<boolean>; at: number } | undefined

  constructor(keys: Keys, now: () => number) {
    this.#keys = keys
    this.#now = now
  }

  /** The valid key with this secret. Does not wait if it was looked up just now. */
  find(secret: string): KeyRecord | undefined | Promise<KeyRecord | undefined> {
    const hash = hashOf(secret)
    const cached = this.#cached.get(hash)
    const now = this.#now()
    if (cached && Math.abs(now - cached.at) < freshMs) return stillValid(cached.key, now)
    const looking = (cached ?? this.#add(hash)).next ?? this.#lookUp(hash, secret)
    if (cached?.key === undefined || now - cached.at > staleMs) return looking
    return this.#orKnown(looking, cached)
  }

  /** Whether any key exists. */
  async any(): Promise<boolean> {
    const now = this.#now()
    if (this.#any === undefined || Math.abs(now - this.#any.at) > freshMs)
      this.#any = { found: this.#keys.any(), at: now }
    const { found } = this.#any
    try {
      return await found
    } catch (error) {
      if (this.#any?.found === found) this.#any = undefined
      throw error
    }
  }

  /** Forgets all keys, after one was changed here. */
  clear(): void {
    this.#cached.clear()
    this.#any = undefined
  }

  #add(hash: string): Cached {
    // The first one is the oldest.
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size < maxKeys) break
      this.#cached.delete(oldest)
    }
    const cached: Cached = { key: undefined, at: -Infinity, next: undefined, lookedAt: 0 }
    this.#cached.set(hash, cached)
    return cached
  }

  /** The result of a look-up, or the known key if that takes too long. */
  async #orKnown(looking: Promise<KeyRecord | undefined>, { key, lookedAt }: Cached): Promise<KeyRecord | undefined> {
    const { promise: known, resolve } = Promise.withResolvers<KeyRecord | undefined>()
    const timer = setTimeout(() => resolve(stillValid(key, this.#now())), lookedAt + slowMs - performance.now())
    try {
      return await Promise.race([looking, known])
    } finally {
      clearTimeout(timer)
    }
  }

  #lookUp(hash: string, secret: string): Promise<KeyRecord | undefined> {
    const cached = this.#cached.get(hash)!
    cached.lookedAt = performance.now()
    cached.next = this.#read(cached, secret).finally(() => (cached.next = undefined))
    return cached.next
  }

  async #read(cached: Cached, secret: string): Promise<KeyRecord | undefined> {
    try {
      cached.key = await this.#keys.find(secret)
      cached.at = this.#now()
    } catch (error) {
      // A database that restarts should not stop the clients whose keys are known.
      if (cached.key === undefined || this.#now() - cached.at > staleMs) throw error
    }
    return stillValid(cached.key, this.#now())
  }
}

function stillValid(key: KeyRecord | undefined, now: number): KeyRecord | undefined {
  return key && (key.expiresAt === null || key.expiresAt > now) ? key : undefined
}
