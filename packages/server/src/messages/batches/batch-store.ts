import { apiError } from 'colloquy/protocol'
import { type Database, rows } from '../../state/database.ts'
import { insertRows } from '../../state/insert.ts'
import { type Page, pageById } from '../../state/page-by-id.ts'
import { refuse } from '../validate/schema.ts'
import type { NewItem } from './envelope.ts'

/** A row of the table `batch`. */
export interface BatchRow {
  id: string
  workspace: string
  key_id: string
  version: string
  /** JSON of a list. */
  betas: string
  items: number
  created_at: number
  expires_at: number
  cancel_at: number | null
  ended_at: number | null
  archived_at: number | null
  succeeded: number
  errored: number
  canceled: number
  expired: number
}

/** A batch to add. */
export type NewBatch = Pick<BatchRow, 'id' | 'workspace' | 'key_id' | 'version' | 'betas' | 'created_at' | 'expires_at'>

/** An item with its outcome. */
export interface ItemRow {
  position: number
  custom_id: string
  outcome: string
  result: string | null
}

/** The beginning of the id of every batch. */
export const idPrefix = 'msgbatch_01'
const columns = `id, workspace, key_id, version, betas, items, created_at, expires_at, cancel_at, ended_at, archived_at,
  succeeded, errored, canceled, expired`
// A transaction of SQLite blocks the process: no more than some milliseconds at once.
const itemsAtOnce = 1_000
const charactersAtOnce = 8_000_000
const itemColumns = {
  batch: 'text',
  position: 'bigint',
  custom_id: 'text',
  params: 'text',
  outcome: 'text',
  attempts: 'bigint',
} as const

/** The batches of all workspaces, as the routes see them. */
export class BatchStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /**
   * Adds a batch. It does not exist for others until its last item is stored. Throws the API's 429 if more than `mostQueued`
   * requests of the workspace would then wait.
   */
  async add(batch: NewBatch, items: readonly NewItem[], mostQueued: number): Promise<BatchRow> {
    await this.#db.rows(
      'add the batch',
      `INSERT INTO %.batch (id, workspace, key_id, version, betas, items, is_ready, created_at, expires_at,
         succeeded, errored, canceled, expired)
       VALUES (:id, :workspace, :key_id, :version, :betas, :items, 0, :created_at, :expires_at, 0, 0, 0, 0)`,
      { ...batch, items: items.length },
    )
    try {
      // Counted with this one: of two that are added at once, each counts the other.
      const queued = await this.#queued(batch.workspace)
      if (queued > mostQueued) throw queueError(queued - items.length, mostQueued)
      return await this.#addItems(batch, items)
    } catch (error) {
      // If this fails too, BatchQueue.clean() does it in a day.
      await this.#forget(batch.id).catch(() => {})
      throw error
    }
  }

  async #addItems(batch: NewBatch, items: readonly NewItem[]): Promise<BatchRow> {
    for (const [start, part] of parts(items)) {
      const added = part.map((item, index) => ({
        ...item,
        batch: batch.id,
        position: start + index,
        outcome: '',
        attempts: 0,
      }))
      const options = { table: 'batch_item', columns: itemColumns, then: '' }
      await this.#db.transaction('add the batch', () => insertRows(this.#db.kind, added, options))
    }
    const [row] = await this.#db.rows<BatchRow>(
      'add the batch',
      `UPDATE %.batch SET is_ready = 1 WHERE id = :id RETURNING ${columns}`,
      { id: batch.id },
    )
    return row!
  }

  async find(workspace: string, id: string): Promise<BatchRow | undefined> {
    const sql = `SELECT ${columns} FROM %.batch WHERE id = :id AND workspace = :workspace AND is_ready = 1`
    const [row] = await this.#db.rows<BatchRow>('read the batch', sql, { id, workspace })
    return row
  }

  /** Deletes a batch whose items could not all be added. */
  #forget(id: string): Promise<void> {
    return this.#db.transaction('delete the batch', function* () {
      yield* rows('DELETE FROM %.batch_item WHERE batch = :id', { id })
      yield* rows('DELETE FROM %.batch WHERE id = :id', { id })
    })
  }

  /** The requests of a workspace that have no outcome yet, at most. */
  async #queued(workspace: string): Promise<number> {
    const sql = `SELECT coalesce(sum(items), 0) AS items FROM %.batch WHERE ended_at IS NULL AND workspace = :workspace`
    const [row] = await this.#db.rows<{ items: number }>('read the batches', sql, { workspace })
    return row!.items
  }

  /** A page of batches, newest first, and whether there are more in its direction. Throws the API's 400. */
  page(workspace: string, page: Page): Promise<{ data: BatchRow[]; hasMore: boolean }> {
    const id = page.before ?? page.after ?? idPrefix
    if (!id.startsWith(idPrefix)) refuse(page.before === null ? 'after_id' : 'before_id', `no batch with id '${id}'`)
    const where = 'workspace = :workspace AND is_ready = 1'
    const listed = { doing: 'read the batches', table: 'batch', columns, where, values: { workspace } }
    return pageById<BatchRow>(this.#db, listed, page)
  }

  /** Requests that the items which no worker has begun are not run. Undefined if the batch does not exist or has ended. */
  async cancel(workspace: string, id: string, now: number): Promise<BatchRow | undefined> {
    const [row] = await this.#db.rows<BatchRow>(
      'cancel the batch',
      `UPDATE %.batch SET cancel_at = coalesce(cancel_at, :now)
       WHERE id = :id AND workspace = :workspace AND is_ready = 1 AND ended_at IS NULL RETURNING ${columns}`,
      { id, workspace, now },
    )
    return row
  }

  /** Deletes a batch that has ended. Returns false if there is none. */
  remove(workspace: string, id: string): Promise<boolean> {
    return this.#db.transaction('delete the batch', function* () {
      const found = yield* rows(
        'DELETE FROM %.batch WHERE id = :id AND workspace = :workspace AND ended_at IS NOT NULL RETURNING id',
        { id, workspace },
      )
      if (found.length > 0) yield* rows('DELETE FROM %.batch_item WHERE batch = :id', { id })
      return found.length > 0
    })
  }

  /** Some items of a batch that has ended, from a position on. */
  results(batch: string, from: number): Promise<ItemRow[]> {
    return this.#db.rows<ItemRow>(
      'read the results',
      `SELECT position, custom_id, outcome, result FROM %.batch_item WHERE batch = :batch AND position >= :from
       ORDER BY position LIMIT 100`,
      { batch, from },
    )
  }
}

function queueError(queued: number, most: number): Error {
  return apiError('rate_limit_error', `${queued} requests of batches are waiting, of at most ${most}`)
}

function* parts(items: readonly NewItem[]): Generator<[start: number, part: readonly NewItem[]]> {
  let start = 0
  let characters = 0
  for (const [index, { params }] of items.entries()) {
    characters += params.length
    if (index - start < itemsAtOnce && characters < charactersAtOnce) continue
    yield [start, items.slice(start, index)]
    start = index
    characters = params.length
  }
  yield [start, items.slice(start)]
}
