import { StoreError } from 'colloquy/conversation/errors'
import type { Database } from '../state/database.ts'
import { type Batch, type SettledRow, writeBatch } from './write-batch.ts'

/** A request that the database refuses to store. */
export interface RefusedRequest {
  id: string
  error: unknown
}

/** Writes a batch, without the requests that the database refuses. Returns those. */
export async function writeRefusing(database: Database, batch: Batch): Promise<RefusedRequest[]> {
  try {
    await database.transaction('write the ledger', () => writeBatch(database.kind, batch))
    return []
  } catch (error) {
    if (!isRefusal(error)) throw error
    return writeSingly(database, batch)
  }
}

/**
 * Writes each request of a batch by itself, after the database refused all of them together: one that cannot be stored would keep
 * the others, and all later ones, out of the ledger. The accounts of those that are refused are charged. Returns them.
 *
 * Throws if every one is refused: then the fault is probably the database's, which may be mended.
 */
async function writeSingly(database: Database, batch: Batch): Promise<RefusedRequest[]> {
  const write = (part: Partial<Batch>): Promise<void> =>
    database.transaction('write the ledger', () =>
      writeBatch(database.kind, { ...batch, settled: [], begun: [], ended: [], ...part }),
    )
  const refused: RefusedRequest[] = []
  const unstored: SettledRow[] = []
  for (const settled of batch.settled) {
    const error = await refusalOf(write({ settled: [settled] }))
    if (error === undefined) continue
    refused.push({ id: settled.row.id, error })
    unstored.push(settled)
  }
  for (const flight of batch.begun) {
    const error = await refusalOf(write({ begun: [flight] }))
    if (error !== undefined) refused.push({ id: flight.origin.id, error })
  }
  if (refused.length === batch.settled.length + batch.begun.length) throw refused[0]?.error
  await write({ ended: batch.ended, unstored })
  return refused
}

async function refusalOf(writing: Promise<void>): Promise<unknown> {
  try {
    await writing
    return undefined
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

// https://www.sqlite.org/rescode.html: general errors, values that are too large, broken constraints and wrong types.
const sqliteRefusals = [1, 18, 19, 20, 25]

/** Whether the values of a row are the fault, so that the same write never succeeds. */
function isRefusal(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : error
  if (cause instanceof TypeError || cause instanceof RangeError) return true
  const { code, errcode } = (cause ?? {}) as { code?: unknown; errcode?: unknown }
  if (typeof errcode === 'number') return sqliteRefusals.includes(errcode & 0xff)
  // Classes of PostgreSQL: data exceptions, broken constraints, exceeded limits.
  return typeof code === 'string' && /^(?:22|23|54)...$/.test(code)
}
