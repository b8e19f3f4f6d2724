import type { Repriced, Usage, UsageFilter, UsageQuery } from '@colloquy/server/access'

/** A source of usage: the database of this user, or another server. */
export interface UsageSource {
  read(query: UsageQuery): Promise<Usage>
  /** The names of keys by id, as far as they are known. */
  keyNames(): Promise<ReadonlyMap<string, string>>
  reprice(filter: UsageFilter): Promise<Repriced>
  /** The time of a request that the filter matches, as near to its period as possible. Undefined if there is none. */
  nearest(filter: UsageFilter): Promise<number | undefined>
  /** One request, as the admin API writes it. Undefined if it is not in the ledger. */
  request(id: string): Promise<object | undefined>
}
