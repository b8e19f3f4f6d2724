import { type Database, rows } from '../../state/database.ts'
import { insertRows } from '../../state/insert.ts'

/** An entry of the prompt cache that a request has read or written. */
export interface CacheEntry {
  prefix: string
  /** 0 keeps the life that the entry was written with. */
  lifeMs: number
}

/** The entries of the prompt cache of each workspace. */
export interface CacheEntries {
  /** The prefixes among these that are cached at a time. */
  find(workspace: string, prefixes: readonly string[], now: number): Promise<string[]>
  /** Writes or renews entries. While one lives, its life never gets shorter. */
  use(workspace: string, entries: readonly CacheEntry[], now: number): Promise<void>
}

const pruneEveryMs = 60_000

/** Entries in a database, for all servers on it. */
export class StoredCacheEntries implements CacheEntries {
  readonly #db: Database
  #prunedAt = 0

  constructor(database: Database) {
    this.#db = database
  }

  async find(workspace: string, prefixes: readonly string[], now: number): Promise<string[]> {
    const given = JSON.stringify(prefixes.map((prefix) => ({ prefix })))
    const found = await this.#db.rows<{ prefix: string }>(
      'read the prompt cache',
      `SELECT prefix FROM %.cache_entry WHERE workspace = :workspace AND expires_at > :now
         AND prefix IN (SELECT row.prefix FROM json_rows(:given, prefix text))`,
      { workspace, now, given },
    )
    return found.map(({ prefix }) => prefix)
  }

  async use(workspace: string, entries: readonly CacheEntry[], now: number): Promise<void> {
    const { kind } = this.#db
    // In one order, so that requests do not wait for each other's rows in a circle.
    const added = entries
      .map(({ prefix, lifeMs }) => ({ workspace, prefix, life_ms: lifeMs, expires_at: now + lifeMs }))
      .toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
    const isDue = now - this.#prunedAt >= pruneEveryMs
    if (isDue) this.#prunedAt = now
    await this.#db.transaction('write the prompt cache', function* () {
      yield* insertRows(kind, added, {
        table: 'cache_entry',
        columns: { workspace: 'text', prefix: 'text', life_ms: 'bigint', expires_at: 'bigint' },
        then: renewal(kind),
      })
      if (isDue) yield* rows('DELETE FROM %.cache_entry WHERE expires_at <= :now', { now })
    })
  }
}

/** The life becomes the longer one, and begins again. Nothing is left of an entry that has expired. */
function renewal(kind: Database['kind']): string {
  const most = kind === 'postgres' ? 'greatest' : 'max'
  const now = '(excluded.expires_at - excluded.life_ms)'
  const life = `CASE WHEN cache_entry.expires_at > ${now} THEN ${most}(cache_entry.life_ms, excluded.life_ms)
    ELSE excluded.life_ms END`
  return `ON CONFLICT (workspace, prefix) DO UPDATE SET life_ms = ${life},
    expires_at = ${most}(cache_entry.expires_at, ${now} + ${life})`
}

/** Entries in the memory of this process. Drops the least recently used ones beyond a limit. */
export class MemoryCacheEntries implements CacheEntries {
  readonly #entries = new Map<string, { lifeMs: number; expiresAt: number }>()
  readonly #most: number

  constructor(most = 100_000) {
    this.#most = most
  }

  async find(workspace: string, prefixes: readonly string[], now: number): Promise<string[]> {
    return prefixes.filter((prefix) => this.#living(nameOf(workspace, prefix), now))
  }

  #living(name: string, at: number): { lifeMs: number; expiresAt: number } | undefined {
    const entry = this.#entries.get(name)
    return entry && entry.expiresAt > at ? entry : undefined
  }

  async use(workspace: string, entries: readonly CacheEntry[], now: number): Promise<void> {
    for (const { prefix, lifeMs } of entries) {
      const name = nameOf(workspace, prefix)
      const old = this.#living(name, now)
      const life = Math.max(lifeMs, old?.lifeMs ?? 0)
      // Deleted first: a Map keeps the order of insertion, which here is the order of use.
      this.#entries.delete(name)
      this.#entries.set(name, { lifeMs: life, expiresAt: Math.max(now + life, old?.expiresAt ?? 0) })
    }
    for (const name of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break
      this.#entries.delete(name)
    }
  }
}

function nameOf(workspace: string, prefix: string): string {
  return `${prefix} ${workspace}`
}
