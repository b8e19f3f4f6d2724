import type { SeenInstance } from '../../ledger/signs-of-life.ts'
import { type Database, rows, type SqlValues, type Work } from '../../state/database.ts'

/** An item that a worker has taken, with what it needs to know of the batch. */
export interface ClaimedItem {
  batch: string
  position: number
  params: string
  /** How often workers have begun the item, this time included. */
  attempts: number
  workspace: string
  key_id: string
  version: string
  betas: string
}

/** The outcome of an item that was run. */
export interface ItemResult {
  outcome: 'succeeded' | 'errored'
  /** JSON of the `result` of a line of the results. */
  result: string
}

type Place = Pick<ClaimedItem, 'batch' | 'position'>

const dayMs = 86_400_000
/** Results are kept this long from the creation of a batch, as the API keeps them. */
const keptMs = 29 * dayMs
const cleanEveryMs = 3_600_000

/** When items are taken or get their outcome. */
export interface LeaseTime {
  /** Milliseconds since 1970. */
  now: number
  /** The workers that have died, and their last lease. Times of leases are not compared with the clock, which may jump. */
  dead: readonly SeenInstance[]
}

/** The condition that no worker that lives has an item or a batch. An item that is postponed has a time and no worker. */
export const isFree = `(lease_owner IS NULL OR EXISTS (SELECT 1 FROM json_rows(:dead, id text, seen_at bigint)
  WHERE row.id = lease_owner AND lease_until <= row.seen_at))`

const batchesAtOnce = 100

/**
 * The items that wait for a worker. A worker leases items and renews its leases; an item of a worker that has died is taken by
 * another. The outcome of an item is stored only by the worker that holds its lease, so each has one.
 */
export class BatchQueue {
  readonly #db: Database
  readonly #owner: string
  readonly #leaseMs: number
  #cleanedAt = 0
  /** The last batch of the page that open() returned; empty if it was the last page. */
  #openedTo = ''

  constructor(database: Database, { owner, leaseMs }: { owner: string; leaseMs: number }) {
    this.#db = database
    this.#owner = owner
    this.#leaseMs = leaseMs
  }

  /** Up to 100 batches that have not ended, oldest first. If there are more, each call returns those after the last call's. */
  async open(): Promise<string[]> {
    const sql = `SELECT id FROM %.batch WHERE ended_at IS NULL AND is_ready = 1 AND id > :after
      ORDER BY id LIMIT ${batchesAtOnce}`
    const found = await this.#db.rows<{ id: string }>('read the batches', sql, { after: this.#openedTo })
    this.#openedTo = found.length === batchesAtOnce ? found.at(-1)!.id : ''
    return found.map(({ id }) => id)
  }

  /** The other workers that hold leases, with the last one of each: it changes as long as they live. */
  others(): Promise<SeenInstance[]> {
    const sql = `SELECT lease_owner AS id, max(lease_until) AS seen_at FROM %.batch_item
      WHERE lease_owner IS NOT NULL AND lease_owner <> :owner GROUP BY lease_owner`
    return this.#db.rows<SeenInstance>('read the requests of batches', sql, { owner: this.#owner })
  }

  /** Takes up to `most` items of a batch, unless it was cancelled or has expired. */
  claim(batch: string, most: number, { now, dead }: LeaseTime): Promise<ClaimedItem[]> {
    const { kind } = this.#db
    const until = now + this.#leaseMs
    const owner = this.#owner
    return this.#db.transaction('take requests of a batch', function* () {
      const [row] = yield* rows<Omit<ClaimedItem, keyof Place>>(
        `SELECT workspace, key_id, version, betas FROM %.batch
         WHERE id = :batch AND ended_at IS NULL AND cancel_at IS NULL AND expires_at > :now`,
        { batch, now },
      )
      if (row === undefined) return []
      // Other workers skip the rows that this statement is about to take, instead of waiting for it.
      const lock = kind === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : ''
      const taken = yield* rows<Pick<ClaimedItem, 'position' | 'params' | 'attempts'>>(
        `WITH next AS MATERIALIZED (
           SELECT position FROM %.batch_item
           WHERE batch = :batch AND outcome = '' AND ${isFree}
             AND (lease_owner IS NOT NULL OR lease_until IS NULL OR lease_until < :now)
           ORDER BY position LIMIT :most ${lock})
         UPDATE %.batch_item SET lease_owner = :owner, lease_until = :until, attempts = attempts + 1
         WHERE batch = :batch AND position IN (SELECT position FROM next)
         RETURNING position, params, attempts`,
        { batch, owner, until, now, most, dead: JSON.stringify(dead) },
      )
      return taken.map((item) => ({ ...row, ...item, batch }))
    })
  }

  /** Keeps the items that this worker has taken from others. */
  async renew(now: number): Promise<void> {
    const sql = `UPDATE %.batch_item SET lease_until = :until WHERE lease_owner = :owner`
    await this.#db.rows('keep requests of a batch', sql, { owner: this.#owner, until: now + this.#leaseMs })
  }

  /** Stores the outcome of an item. Does nothing if another worker has taken the item. */
  async finish({ batch, position }: Place, { outcome, result }: ItemResult): Promise<void> {
    await this.#db.rows(
      'store a result of a batch',
      `UPDATE %.batch_item SET outcome = :outcome, result = :result, params = NULL, lease_owner = NULL, lease_until = NULL
       WHERE batch = :batch AND position = :position AND lease_owner = :owner`,
      { batch, position, outcome, result, owner: this.#owner },
    )
  }

  /** Gives an item back that may be taken again at a time. */
  async postpone({ batch, position }: Place, until: number): Promise<void> {
    await this.#db.rows(
      'postpone a request of a batch',
      `UPDATE %.batch_item SET lease_owner = NULL, lease_until = :until
       WHERE batch = :batch AND position = :position AND lease_owner = :owner`,
      { batch, position, until, owner: this.#owner },
    )
  }

  /** Gives all items back that this worker has taken. Their attempt does not count. */
  async release(): Promise<void> {
    await this.#db.rows(
      'return requests of a batch',
      `UPDATE %.batch_item SET lease_owner = NULL, lease_until = NULL, attempts = attempts - 1 WHERE lease_owner = :owner`,
      { owner: this.#owner },
    )
  }

  /** Ends a batch whose items all have an outcome. If it was cancelled or has expired, items that no worker runs get theirs. */
  async endIfDone(batch: string, at: LeaseTime): Promise<void> {
    await this.#db.transaction('end the batch', () => endIfDone(batch, at))
  }

  /** Erases the items of batches that are too old, and batches whose creation was cut, at most once an hour. */
  async clean(now: number): Promise<void> {
    if (Math.abs(now - this.#cleanedAt) < cleanEveryMs) return
    this.#cleanedAt = now
    const values = { old: now - keptMs, cut: now - dayMs, now }
    await this.#db.transaction('erase old batches', () => clean(values))
  }
}

function* endIfDone(batch: string, { now, dead }: LeaseTime): Work<void> {
  const [row] = yield* rows<{ cancel_at: number | null; expires_at: number }>(
    'SELECT cancel_at, expires_at FROM %.batch WHERE id = :batch AND ended_at IS NULL',
    { batch },
  )
  if (row === undefined) return
  const outcome = row.cancel_at !== null ? 'canceled' : row.expires_at <= now ? 'expired' : undefined
  if (outcome !== undefined)
    yield* rows(
      `UPDATE %.batch_item SET outcome = :outcome, params = NULL, lease_owner = NULL, lease_until = NULL
       WHERE batch = :batch AND outcome = '' AND ${isFree}`,
      { batch, outcome, dead: JSON.stringify(dead) },
    )
  const left = yield* rows("SELECT 1 FROM %.batch_item WHERE batch = :batch AND outcome = '' LIMIT 1", { batch })
  if (left.length > 0) return
  const counts = yield* rows<{ outcome: string; items: number }>(
    'SELECT outcome, count(*) AS items FROM %.batch_item WHERE batch = :batch GROUP BY outcome',
    { batch },
  )
  const found = Object.fromEntries(counts.map(({ outcome: name, items }) => [name, items]))
  const none = { succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  yield* rows(
    `UPDATE %.batch SET ended_at = :now, succeeded = :succeeded, errored = :errored, canceled = :canceled,
       expired = :expired WHERE id = :batch AND ended_at IS NULL`,
    { ...none, ...found, batch, now },
  )
}

function* clean({ old, cut, now }: { old: number; cut: number; now: number } & SqlValues): Work<void> {
  for (const where of ['is_ready = 0 AND created_at < :at', 'created_at < :at AND archived_at IS NULL']) {
    const at = where.startsWith('is_ready') ? cut : old
    const found = yield* rows<{ id: string }>(
      `SELECT id FROM %.batch WHERE ${where} AND (is_ready = 0 OR ended_at IS NOT NULL)`,
      { at },
    )
    for (const { id } of found) yield* rows('DELETE FROM %.batch_item WHERE batch = :id', { id })
  }
  yield* rows('DELETE FROM %.batch WHERE is_ready = 0 AND created_at < :cut', { cut })
  yield* rows(
    'UPDATE %.batch SET archived_at = :now WHERE created_at < :old AND archived_at IS NULL AND ended_at IS NOT NULL',
    { now, old },
  )
}
