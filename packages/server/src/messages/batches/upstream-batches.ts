import { type Database, rows, type SqlValues, type Work } from '../../state/database.ts'
import type { SeenInstance } from '../../ledger/signs-of-life.ts'
import { isFree, type ItemResult, type LeaseTime } from './batch-queue.ts'

/** A batch that an account of the API runs. */
export interface UpstreamBatchRow {
  id: string
  workspace: string
  key_id: string
  version: string
  betas: string
  expires_at: number
  cancel_at: number | null
  /** Null until it was sent. */
  upstream_id: string | null
}

/** An item that has no outcome yet. */
export interface WaitingItem {
  custom_id: string
  params: string
}

const itemsAtOnce = 500

const columns = 'id, workspace, key_id, version, betas, expires_at, cancel_at, upstream_id'

/** The batches that an account of the API runs, each looked after by one server at a time. */
export class UpstreamBatches {
  readonly #db: Database
  readonly #owner: string
  readonly #leaseMs: number

  constructor(database: Database, { owner, leaseMs }: { owner: string; leaseMs: number }) {
    this.#db = database
    this.#owner = owner
    this.#leaseMs = leaseMs
  }

  /** The other servers that look after batches, with the last lease of each: it changes as long as they live. */
  others(): Promise<SeenInstance[]> {
    const sql = `SELECT lease_owner AS id, max(lease_until) AS seen_at FROM %.batch
      WHERE ended_at IS NULL AND lease_owner IS NOT NULL AND lease_owner <> :owner GROUP BY lease_owner`
    return this.#db.rows<SeenInstance>('read the batches', sql, { owner: this.#owner })
  }

  /** Takes a batch, or keeps it. Undefined if another server has it that is not dead, or if it has ended. */
  async take(id: string, { now, dead }: LeaseTime): Promise<UpstreamBatchRow | undefined> {
    const [row] = await this.#db.rows<UpstreamBatchRow>(
      'take a batch',
      `UPDATE %.batch SET lease_owner = :owner, lease_until = :until WHERE id = :id AND ended_at IS NULL
         AND (lease_owner = :owner OR ${isFree}) RETURNING ${columns}`,
      { id, owner: this.#owner, until: now + this.#leaseMs, dead: JSON.stringify(dead) },
    )
    return row
  }

  /** Lets another server take the batches of this one. */
  async release(): Promise<void> {
    await this.#db.rows(
      'return batches',
      `UPDATE %.batch SET lease_owner = NULL, lease_until = NULL
       WHERE lease_owner = :owner`,
      { owner: this.#owner },
    )
  }

  /** Stores the id that the account has given a batch. */
  async sent(id: string, upstreamId: string): Promise<void> {
    await this.#db.rows('store the batch', 'UPDATE %.batch SET upstream_id = :upstreamId WHERE id = :id', {
      id,
      upstreamId,
    })
  }

  /** The id in the account; undefined if the batch was not sent. */
  async upstreamId(id: string): Promise<string | undefined> {
    const sql = 'SELECT upstream_id FROM %.batch WHERE id = :id'
    const [row] = await this.#db.rows<Pick<UpstreamBatchRow, 'upstream_id'>>('read the batch', sql, { id })
    return row?.upstream_id ?? undefined
  }

  /** Reads some at a time: SQLite blocks the process while it reads. */
  async waiting(id: string): Promise<WaitingItem[]> {
    const sql = `SELECT position, custom_id, params FROM %.batch_item
      WHERE batch = :id AND outcome = '' AND position > :after ORDER BY position LIMIT ${itemsAtOnce}`
    const items: (WaitingItem & { position: number })[] = []
    for (let after = -1; ;) {
      const some = await this.#db.rows<(typeof items)[number]>('read the requests of a batch', sql, { id, after })
      items.push(...some)
      if (some.length < itemsAtOnce) return items
      after = some.at(-1)!.position
      await new Promise((resolve) => setTimeout(resolve))
    }
  }

  /** Stores outcomes of items, once each. Returns the params of those that had none, by `custom_id`. */
  finish(id: string, results: readonly (ItemOutcome & { custom_id: string })[]): Promise<Map<string, string>> {
    return this.#db.transaction('store results of a batch', () => finishItems(id, results))
  }
}

/** Not inside of the method: a generator function made for each call would hold the results until the next full collection. */
function* finishItems(
  id: string,
  results: readonly (ItemOutcome & { custom_id: string })[],
): Work<Map<string, string>> {
  const stored = new Map<string, string>()
  for (const result of results) {
    const [row] = yield* rows<{ params: string }>(
      `SELECT params FROM %.batch_item WHERE batch = :id AND custom_id = :custom_id AND outcome = ''`,
      { id, custom_id: result.custom_id },
    )
    if (row === undefined) continue
    yield* rows(
      `UPDATE %.batch_item SET outcome = :outcome, result = :result, params = NULL
       WHERE batch = :id AND custom_id = :custom_id AND outcome = ''`,
      { id, ...result } satisfies SqlValues,
    )
    stored.set(result.custom_id, row.params)
  }
  return stored
}

/** The outcome of an item that was run, cancelled or not begun in time. */
export interface ItemOutcome {
  outcome: ItemResult['outcome'] | 'canceled' | 'expired'
  /** JSON; null without a message and an error. */
  result: string | null
}
