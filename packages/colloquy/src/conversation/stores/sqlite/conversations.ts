import { checkVersion } from '../conflict.ts'
import type { LeaseClock } from '../lease.ts'
import type {
  ConversationChanges,
  ConversationRecord,
  ConversationSummary,
  NewConversation,
  OpenedConversation,
} from '../store.ts'
import type { SqliteConnection } from './connection.ts'
import { checkMessage, findConversation } from './conversation-row.ts'
import { unfinishedReplies } from './leases.ts'
import { eraseMessages, insertMessage, offPathReplies, pathTo } from './messages.ts'

export function createConversation(
  db: SqliteConnection,
  { id, title, settings, at, messages = [], head = 0 }: NewConversation,
): Promise<ConversationRecord> {
  const last = messages.at(-1)?.number ?? 0
  return db.write('create the conversation', () => {
    const { id: row } = db.run(
      `INSERT INTO conversation (public_id, version, head, last, created_at, updated_at, title)
       VALUES (?, 1, ?, ?, ?, ?, ?)`,
      [id, head, last, at, at, title],
    )
    db.run('INSERT INTO settings VALUES (?, ?)', [row, settings])
    for (const message of messages) insertMessage(db, row, message)
    return { id, version: 1, head, last, createdAt: at, updatedAt: at, title, settings }
  })
}

export function openConversation(db: SqliteConnection, clock: LeaseClock, id: string): OpenedConversation | undefined {
  return db.read('open the conversation', () => {
    const row = db.row<Omit<ConversationRecord, 'id'> & { id: number }>(
      `SELECT c.id, version, head, last, created_at AS createdAt, updated_at AS updatedAt, title, json AS settings
       FROM conversation c JOIN settings s ON s.conversation = c.id WHERE public_id = ?`,
      [id],
    )
    if (row === undefined) return undefined
    const messages = pathTo(db, row.id, row.head)
    return {
      conversation: { ...row, id },
      messages,
      offPathReplies: messages.length === row.last ? [] : offPathReplies(db, row.id, messages),
      unfinished: unfinishedReplies(db, clock, row.id),
    }
  })
}

export function updateConversation(
  db: SqliteConnection,
  id: string,
  version: number,
  { title, settings, head, at }: ConversationChanges,
): Promise<number> {
  return db.write('change the conversation', () => {
    const row = findConversation(db, id)
    checkVersion(id, row, version)
    if (head !== undefined) checkMessage(db, id, row, head)
    if (settings !== undefined) db.run('UPDATE settings SET json = ? WHERE conversation = ?', [settings, row.id])
    db.run(
      `UPDATE conversation SET version = version + 1, updated_at = ?, head = ?,
         title = CASE WHEN ? THEN ? ELSE title END WHERE id = ?`,
      [at, head ?? row.head, title === undefined ? 0 : 1, title ?? null, row.id],
    )
    return version + 1
  })
}

export function listConversations(
  db: SqliteConnection,
  { limit, before }: { limit: number; before?: string | undefined },
): ConversationSummary[] {
  return db.read('list the conversations', () => {
    const columns =
      'public_id AS id, title, created_at AS createdAt, updated_at AS updatedAt, last AS messages FROM conversation'
    const order = 'ORDER BY updated_at DESC, id DESC LIMIT ?'
    if (before === undefined) return db.rows<ConversationSummary>(`SELECT ${columns} ${order}`, [limit])
    const { id } = findConversation(db, before)
    const after = '(updated_at, id) < (SELECT updated_at, id FROM conversation WHERE id = ?)'
    return db.rows<ConversationSummary>(`SELECT ${columns} WHERE ${after} ${order}`, [id, limit])
  })
}

export async function deleteConversation(db: SqliteConnection, id: string): Promise<boolean> {
  const deleted = await db.write('delete the conversation', () => {
    const row = db.row<{ id: number }>('SELECT id FROM conversation WHERE public_id = ?', [id])
    if (row === undefined) return false
    eraseMessages(db, 'conversation = ?', row.id)
    for (const table of ['settings', 'erased']) db.run(`DELETE FROM ${table} WHERE conversation = ?`, [row.id])
    db.run('DELETE FROM conversation WHERE id = ?', [row.id])
    return true
  })
  if (deleted) db.truncateWal()
  return deleted
}
