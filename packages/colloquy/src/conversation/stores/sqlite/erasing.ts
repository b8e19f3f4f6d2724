import { setImmediate as nextTask } from 'node:timers/promises'
import type { Lease, LeaseClock } from '../lease.ts'
import type { DeleteOptions } from '../store.ts'
import type { SqliteConnection } from './database/connection.ts'
import { isLeased, settleReservations } from './leases.ts'
import { bytesAtOnce, contentBytes, eraseMessages, messagesAtOnce } from './messages.ts'
import { pruneSlice, unfinishedBranch } from './pruning.ts'

// A long conversation is deleted in slices, so that other work runs in between. The first transaction removes the
// conversation for every reader; its messages, which nothing refers to any longer, are erased by this and the following ones.

/** A row id for a new conversation, in SQL: one that no message has, also not of a conversation in `erasing`. */
export const freeRow = `(SELECT 1 + max(coalesce((SELECT max(id) FROM conversation), 0),
  coalesce((SELECT max(conversation) FROM erasing), 0)))`

const doing = 'delete the conversation'

/** Deletes a conversation. Returns false if there is nothing to delete, and otherwise after its text is overwritten. */
export async function deleteConversation(
  db: SqliteConnection,
  clock: LeaseClock,
  id: string,
  options?: DeleteOptions,
): Promise<boolean> {
  const deleted = await db.write(doing, () => removeConversation(db, id, options) && (eraseSlice(db, clock), true))
  if (!deleted) return false
  await eraseRest(db, clock)
  db.truncateWal()
  return true
}

/**
 * Erases what earlier deletions left, also of branches, and what was added to a conversation that was never completed, also by
 * a process that ended. Other work runs in between.
 */
export async function eraseRest(db: SqliteConnection, clock: LeaseClock): Promise<void> {
  while (db.read(doing, () => erasedRow(db, clock)) !== undefined) {
    await nextTask()
    await db.write(doing, () => eraseSlice(db, clock))
  }
  while (db.read(doing, () => unfinishedBranch(db)) !== undefined) {
    await nextTask()
    await db.write(doing, () => pruneSlice(db, unfinishedBranch(db)))
  }
}

// Parts of a transaction.

/** Removes a conversation for every reader. Returns false if it does not exist, or was used later than the options say. */
function removeConversation(db: SqliteConnection, id: string, { usedBefore }: DeleteOptions = {}): boolean {
  const removed = `DELETE FROM conversation WHERE public_id = ? AND updated_at < coalesce(?, updated_at + 1)
    RETURNING id AS row, in_flight_from AS inFlightFrom`
  const found = db.row<{ row: number; inFlightFrom: number }>(removed, [id, usedBefore ?? null])
  if (found === undefined) return false
  const { row, inFlightFrom } = found
  settleReservations(db, 'conversation = ?', row)
  // From now on, its turns in flight find that their replies do not exist.
  const leased = `SELECT id FROM message WHERE conversation = ? AND number >= ? AND ${isLeased}`
  for (const reply of db.rows<{ id: number }>(leased, [row, inFlightFrom])) eraseMessages(db, 'id = ?', reply.id)
  for (const table of ['settings', 'metadata', 'totals', 'erased', 'pruning'])
    db.run(`DELETE FROM ${table} WHERE conversation = ?`, [row])
  db.run('INSERT INTO erasing (conversation) VALUES (?)', [row])
  return true
}

/** A conversation to erase. One that a process is still adding has a lease. */
function erasedRow(db: SqliteConnection, clock: LeaseClock): number | undefined {
  const rows = db.rows<Partial<Lease> & { conversation: number }>('SELECT conversation, owner, until FROM erasing')
  return rows.find(({ owner, until }) => !owner || !until || clock.isAbandoned({ owner, until }))?.conversation
}

/** Erases some messages of a deleted conversation. */
function eraseSlice(db: SqliteConnection, clock: LeaseClock): void {
  const row = erasedRow(db, clock)
  if (row === undefined) return
  // A process that added it, and was only slow, must not continue.
  db.run('UPDATE erasing SET (owner, until) = (NULL, NULL) WHERE conversation = ? AND owner IS NOT NULL', [row])
  const sql = `SELECT id, ${contentBytes} AS bytes FROM message WHERE conversation = ? ORDER BY number LIMIT ${messagesAtOnce}`
  const messages = db.rows<{ id: number; bytes: number }>(sql, [row])
  let bytes = 0
  for (const message of messages) {
    if (bytes >= bytesAtOnce) return
    eraseMessages(db, 'id = ?', message.id)
    bytes += message.bytes
  }
  if (messages.length < messagesAtOnce) db.run('DELETE FROM erasing WHERE conversation = ?', [row])
}
