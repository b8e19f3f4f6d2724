import type { ServerOptions } from '../../options.ts'
import type { Models } from '../models.ts'
import { CacheAccounting } from './cache-accounting.ts'
import { MemoryCacheEntries, StoredCacheEntries } from './cache-entries.ts'

/** Opens the accounting that the options ask for. An upstream counts its own cache. */
export function openCacheAccounting(
  { cacheAccounting = false, engine, store, now = Date.now }: ServerOptions,
  models: Models,
): CacheAccounting | undefined {
  if (!cacheAccounting || engine.forward) return undefined
  const entries = store ? new StoredCacheEntries(store.database) : new MemoryCacheEntries()
  return new CacheAccounting(entries, models, now)
}
