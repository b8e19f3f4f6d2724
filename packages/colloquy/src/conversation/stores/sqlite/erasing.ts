import { setImmediate as nextTask } from 'node:timers/promises'
import type { SqliteConnection } from './database/connection.ts'
import { isLeased, settleReservations } from './leases.ts'
import { eraseMessages } from './messages.ts'

// A long conversation is deleted in slices, so that other work runs in between. The first transaction removes the
// conversation for every reader; its messages, which nothing refers to any longer, are erased by this and the following ones.

/** The most messages, and about the most bytes, that one transaction erases. */
export const eraseAtOnce = 200
const bytesAtOnce = 500_000

/** A row id for a new conversation, in SQL: not that of a deleted one whose messages are not all erased. */
export const freeRow = `(SELECT 1 + max(coalesce((SELECT max(id) FROM conversation), 0),
  coalesce((SELECT max(conversation) FROM erasing), 0)))`

const doing = 'delete the conversation'

/** Deletes a conversation. Returns false if it does not exist, and otherwise after its text is overwritten. */
export async function deleteConversation(db: SqliteConnection, id: string): Promise<boolean> {
  const deleted = await db.write(doing, () => removeConversation(db, id) && (eraseSlice(db), true))
  if (!deleted) return false
  await eraseRest(db)
  db.truncateWal()
  return true
}

/** Erases what earlier deletions left, also those of a process that ended. Other work runs in between. */
export async function eraseRest(db: SqliteConnection): Promise<void> {
  while (db.read(doing, () => db.row('SELECT 1 FROM erasing')) !== undefined) {
    await nextTask()
    await db.write(doing, () => eraseSlice(db))
  }
}

// Parts of a transaction.

/** Removes a conversation for every reader. Returns false if it does not exist. */
function removeConversation(db: SqliteConnection, id: string): boolean {
  const removed = 'DELETE FROM conversation WHERE public_id = ? RETURNING id AS row, in_flight_from AS inFlightFrom'
  const found = db.row<{ row: number; inFlightFrom: number }>(removed, [id])
  if (found === undefined) return false
  const { row, inFlightFrom } = found
  settleReservations(db, 'conversation = ?', row)
  // From now on, its turns in flight find that their replies do not exist.
  const leased = `SELECT id FROM message WHERE conversation = ? AND number >= ? AND ${isLeased}`
  for (const reply of db.rows<{ id: number }>(leased, [row, inFlightFrom])) eraseMessages(db, 'id = ?', reply.id)
  for (const table of ['settings', 'metadata', 'totals', 'erased'])
    db.run(`DELETE FROM ${table} WHERE conversation = ?`, [row])
  db.run('INSERT INTO erasing VALUES (?)', [row])
  return true
}

/** Erases some messages of a deleted conversation. */
function eraseSlice(db: SqliteConnection): void {
  const row = db.row<{ conversation: number }>('SELECT conversation FROM erasing')?.conversation
  if (row === undefined) return
  const sql = `SELECT id, octet_length(json) + coalesce(octet_length(received), 0) + coalesce(octet_length(reply), 0) AS bytes
    FROM message WHERE conversation = ? ORDER BY number LIMIT ${eraseAtOnce}`
  const messages = db.rows<{ id: number; bytes: number }>(sql, [row])
  let bytes = 0
  for (const message of messages) {
    if (bytes >= bytesAtOnce) return
    eraseMessages(db, 'id = ?', message.id)
    bytes += message.bytes
  }
  if (messages.length < eraseAtOnce) db.run('DELETE FROM erasing WHERE conversation = ?', [row])
}
