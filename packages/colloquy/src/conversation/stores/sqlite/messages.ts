import { setImmediate as nextTask } from 'node:timers/promises'
import { ConversationNotFoundError } from '../../errors.ts'
import { checksumOf, endOfPage, type MessageRow, placeChecksum, StoredMessage, storedPath } from '../stored-message.ts'
import type { MessageRecord, TreeNode } from '../store.ts'
import type { SqliteConnection } from './database/connection.ts'
import { findConversation } from './conversation-row.ts'
import { settleReservations } from './leases.ts'
import { forgetFreeIds, forgetMessages } from './search/text-index.ts'

export const messageColumns = `number, parent, role, state, created_at AS createdAt, reply, received, json, checksum,
  place_checksum AS placeChecksum`

/** The most messages, and about the most bytes, that one transaction erases or adds: more would block the event loop. */
export const messagesAtOnce = 200
export const bytesAtOnce = 500_000

/** The bytes of a message in the file, in SQL. */
export const contentBytes =
  'octet_length(json) + coalesce(octet_length(received), 0) + coalesce(octet_length(reply), 0)'

export function readPath(db: SqliteConnection, id: string, leaf: number): MessageRecord[] {
  return storedPath(
    id,
    db.read('read the conversation', () => pathTo(db, findConversation(db, id).id, leaf)),
  )
}

export function readMessages(db: SqliteConnection, id: string, numbers: readonly number[]): MessageRecord[] {
  const rows = db.read('read the conversation', () => {
    const conversation = findConversation(db, id).id
    const sql = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number = ?`
    const ascending = numbers.toSorted((a, b) => a - b)
    return ascending.flatMap((number) => db.rows<MessageRow>(sql, [conversation, number]))
  })
  return rows.map((row) => new StoredMessage(id, row))
}

export function readTree(db: SqliteConnection, id: string): TreeNode[] {
  return db.read('read the conversation', () =>
    db.rows<TreeNode>(
      `SELECT number, parent, role, state, created_at AS createdAt, reply
       FROM message WHERE conversation = ? ORDER BY number`,
      [findConversation(db, id).id],
    ),
  )
}

export async function* readAllMessages(db: SqliteConnection, id: string): AsyncIterable<MessageRecord> {
  const doing = 'read the conversation'
  const begun = db.read(doing, () => findConversation(db, id))
  const sql = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number > ? ORDER BY number LIMIT 100`
  for (let last = 0; ;) {
    const page = db.read(doing, () => {
      const { id: row, createdAt } = findConversation(db, id)
      // The conversation was deleted meanwhile, and another one has its id: its messages do not continue those.
      if (row !== begun.id || createdAt !== begun.createdAt) throw new ConversationNotFoundError(id)
      return db.rows<MessageRow>(sql, [row, last])
    })
    if (page.length === 0) return
    last = endOfPage(id, page, last)
    yield* page.map((row) => new StoredMessage(id, row))
    await nextTask()
  }
}

// The functions below are parts of a transaction.

/** Reads the messages from the beginning to the leaf: the runs of consecutive numbers between the forks on the way. */
export function pathTo(db: SqliteConnection, conversation: number, leaf: number): MessageRow[] {
  const runs = db
    .prepare(
      `WITH RECURSIVE run (first, last) AS (
         SELECT coalesce((SELECT max(number) FROM message
           WHERE conversation = $conversation AND parent <> number - 1 AND number <= $leaf), 1), $leaf
         UNION ALL
         SELECT coalesce((SELECT max(number) FROM message
           WHERE conversation = $conversation AND parent <> number - 1 AND number <= fork.parent), 1), fork.parent
         FROM run JOIN message AS fork ON fork.conversation = $conversation AND fork.number = run.first
         -- A parent that is damaged must not lead in a circle.
         WHERE fork.parent > 0 AND fork.parent < run.first
       )
       SELECT first, last FROM run ORDER BY first`,
    )
    .all({ $conversation: conversation, $leaf: leaf }) as { first: number; last: number }[]
  const sql = `SELECT ${messageColumns} FROM message WHERE conversation = ? AND number BETWEEN ? AND ? ORDER BY number`
  const read = ({ first, last }: (typeof runs)[number]): MessageRow[] => db.rows(sql, [conversation, first, last])
  return runs.length === 1 ? read(runs[0]!) : runs.flatMap(read)
}

/** Reads `reply` of each reply off the path, and the billing data of erased ones. */
export function offPathReplies(
  db: SqliteConnection,
  conversation: number,
  path: readonly { number: number }[],
): string[] {
  const onPath = new Set(path.map(({ number }) => number))
  // A damaged index may lead to one row twice.
  const rows = new Set<number>()
  return db
    .rows<{ row: number; number: number; reply: string }>(
      `SELECT id AS row, number, reply FROM message WHERE conversation = ? AND reply IS NOT NULL
       UNION ALL SELECT -rowid, 0, reply FROM erased WHERE conversation = ?`,
      [conversation, conversation],
    )
    .filter(({ row, number }) => !rows.has(row) && rows.add(row) && !onPath.has(number))
    .map(({ reply }) => reply)
}

/** @param conversation the row and the id of the conversation. */
export function insertMessage(
  db: SqliteConnection,
  conversation: { row: number; id: string },
  message: MessageRecord,
): void {
  const { number, parent, role, state, createdAt, reply, received, json } = message
  const checksums = [checksumOf(message), placeChecksum(conversation.id, message)]
  db.run(
    `INSERT INTO message (conversation, number, parent, role, state, created_at, reply, received, json, checksum, place_checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [conversation.row, number, parent, role, state, createdAt, reply, received, json, ...checksums],
  )
}

/** Erases messages with their leases and journals, and takes them out of the search index. */
export function eraseMessages(db: SqliteConnection, which: 'id = ?' | 'conversation = ?', value: number): void {
  const ids = `IN (SELECT id FROM message WHERE ${which})`
  forgetMessages(db, which, value)
  settleReservations(db, which, value)
  for (const table of ['search_later', 'delta']) db.run(`DELETE FROM ${table} WHERE message ${ids}`, [value])
  db.run(`DELETE FROM message WHERE ${which}`, [value])
  forgetFreeIds(db)
}
