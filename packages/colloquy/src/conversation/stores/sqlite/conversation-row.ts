import { ConversationNotFoundError } from '../../errors.ts'
import type { SqliteConnection } from './database/connection.ts'

export interface ConversationRow {
  id: number
  createdAt: number
  version: number
  head: number
  last: number
  /** Replies with a smaller number have no lease. */
  inFlightFrom: number
}

/** Finds the row of a conversation by its public id. Throws a `ConversationNotFoundError` if there is none. */
export function findConversation(db: SqliteConnection, id: string): ConversationRow {
  const sql = `SELECT id, created_at AS createdAt, version, head, last, in_flight_from AS inFlightFrom
    FROM conversation WHERE public_id = ?`
  const row = db.row<ConversationRow>(sql, [id])
  if (row === undefined) throw new ConversationNotFoundError(id)
  return row
}

/** Throws a `ConversationNotFoundError` if the conversation has no such message; 0 is its beginning. */
export function checkMessage(db: SqliteConnection, id: string, row: ConversationRow, number: number): void {
  if (number === 0) return
  const found = db.row('SELECT 1 FROM message WHERE conversation = ? AND number = ?', [row.id, number])
  if (found === undefined) throw new ConversationNotFoundError(id, String(number))
}
