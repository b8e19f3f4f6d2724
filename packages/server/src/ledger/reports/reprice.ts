import { costOf, type ModelEntry } from 'colloquy/protocol'
import type { Database } from '../../state/database.ts'
import { usageOf } from '../request-row.ts'
import { cursorOf, listRequests } from './requests.ts'
import type { UsageFilter } from './usage.ts'

/** The cost of a period by the prices that this version knows. Amounts are picodollars. */
export interface Repriced {
  /** Requests whose single rows are still kept. */
  requests: number
  /** The cost of them when they were sent, and by today's catalogue. */
  before: bigint
  after: bigint
  /** Requests that had no price and have one now. */
  newlyPriced: number
}

const pageSize = 5_000

/**
 * Calculates the costs of requests again, from their tokens. Nothing is changed: a cost is that of its day.
 *
 * @example
 * ```ts
 * import { reprice } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 * import { defineModels } from 'colloquy/protocol'
 *
 * const { database, close } = await openServerStore(':memory:')
 * const models = defineModels([{ id: 'claude-sonnet-4-6', like: 'claude-sonnet-4-6', price: { input: '2', output: '10' } }])
 * const until = Date.now()
 * await reprice(database, { since: until - 86_400_000, until }, models) // what the day would have cost
 * await close()
 * ```
 */
export async function reprice(db: Database, filter: UsageFilter, models?: readonly ModelEntry[]): Promise<Repriced> {
  const found: Repriced = { requests: 0, before: 0n, after: 0n, newlyPriced: 0 }
  let before: string | undefined
  for (;;) {
    const page = await listRequests(db, { ...filter, limit: pageSize, ...(before !== undefined && { before }) })
    for (const row of page) {
      const options = { at: new Date(row.started_at), ...(models !== undefined && { models }) }
      const cost = row.price === null && row.cost !== null ? undefined : costOf(usageOf(row), row.served_model, options)
      found.requests++
      found.before += BigInt(row.cost ?? 0)
      found.after += cost?.picoUsd ?? BigInt(row.cost ?? 0)
      if (row.cost === null && cost !== undefined) found.newlyPriced++
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return found
    before = cursorOf(last)
  }
}
