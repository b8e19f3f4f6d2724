import { ConversationExistsError } from '../../errors.ts'
import { checkVersion } from '../conflict.ts'
import type { LeaseClock } from '../lease.ts'
import type {
  ConversationChanges,
  ConversationRecord,
  NewConversation,
  OpenedConversation,
  OpenOptions,
} from '../store.ts'
import { crc32 } from '../crc32.ts'
import { recordOf } from '../new-conversation.ts'
import { intactSettings, type MessageRow, storedPath } from '../stored-message.ts'
import type { SqliteConnection } from './database/connection.ts'
import { mapped } from './database/mapped.ts'
import { addInSlices, slicesOf } from './adding.ts'
import { checkMessage, type ConversationRow, findConversation } from './conversation-row.ts'
import { freeRow } from './erasing.ts'
import { unfinishedReplies } from './leases.ts'
import { insertMessage, offPathReplies, pathTo } from './messages.ts'

const creating = 'create the conversation'

export async function createConversation(
  db: SqliteConnection,
  clock: LeaseClock,
  conversation: NewConversation,
): Promise<ConversationRecord> {
  const { id, messages = [] } = conversation
  const begin = (): void => checkFree(db, id)
  const end = (row?: number): AddedConversation => {
    checkFree(db, id)
    return insertConversation(db, conversation, row)
  }
  const slices = slicesOf(messages)
  if (slices.length > 1) {
    const { record } = await addInSlices(db, clock, { id, slices }, { doing: creating, begin, end })
    return record
  }
  return db.write(creating, () => {
    const { row, record } = end()
    for (const message of messages) insertMessage(db, { row, id }, message)
    return record
  })
}

function checkFree(db: SqliteConnection, id: string): void {
  if (db.row('SELECT 1 FROM conversation WHERE public_id = ?', [id]) !== undefined)
    throw new ConversationExistsError(id)
}

interface AddedConversation {
  row: number
  record: ConversationRecord
}

/** A part of a transaction. @param givenRow the row id of messages that were added before. Default: a new one. */
function insertConversation(
  db: SqliteConnection,
  added: NewConversation,
  givenRow: number | undefined,
): AddedConversation {
  const record = recordOf(added)
  const { id, owner, metadata, shelf, head, last, createdAt, updatedAt, title, settings } = record
  const { id: row } = db.run(
    `INSERT INTO conversation (id, public_id, owner, shelf, version, head, last, in_flight_from, created_at, updated_at, title)
     VALUES (coalesce(?, ${freeRow}), ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
    [givenRow ?? null, id, owner, shelf, head, last, last + 1, createdAt, updatedAt, title],
  )
  db.run('INSERT INTO settings VALUES (?, ?, ?)', [row, settings, crc32(settings) | 0])
  setMetadata(db, row, metadata)
  return { row, record }
}

export function openConversation(
  db: SqliteConnection,
  clock: LeaseClock,
  id: string,
  { messages: isPathRead = true }: OpenOptions = {},
): OpenedConversation | undefined {
  return db.read('open the conversation', () => {
    const row = db.row<Omit<ConversationRecord, 'id'> & { id: number; checksum: number | null }>(
      `SELECT c.id, owner, m.json AS metadata, shelf, version, head, last, created_at AS createdAt, updated_at AS updatedAt,
         title, s.json AS settings, checksum
       FROM conversation c JOIN settings s ON s.conversation = c.id LEFT JOIN metadata m ON m.conversation = c.id
       WHERE public_id = ?`,
      [id],
    )
    if (row === undefined) return undefined
    const { checksum, ...conversation } = row
    const messages = isPathRead ? readPathTo(db, row) : []
    return {
      conversation: { ...conversation, id, settings: intactSettings(row.settings, checksum) },
      messages: storedPath(id, messages),
      offPathReplies: !isPathRead || messages.length === row.last ? [] : offPathReplies(db, row.id, messages),
      unfinished: unfinishedReplies(db, clock, row.id),
    }
  })
}

/** A conversation with more messages is read with its file in memory. For a short one that takes longer than reading it. */
const manyMessages = 500

function readPathTo(
  db: SqliteConnection,
  { id, head, last }: Pick<ConversationRow, 'id' | 'head' | 'last'>,
): MessageRow[] {
  const read = (): MessageRow[] => pathTo(db, id, head)
  return last < manyMessages ? read() : mapped(db.db, read)
}

export function updateConversation(
  db: SqliteConnection,
  id: string,
  version: number,
  { owner, metadata, shelf, title, settings, head, at }: ConversationChanges,
): Promise<number> {
  return db.write('change the conversation', () => {
    const row = findConversation(db, id)
    checkVersion(id, row, version)
    if (head !== undefined) checkMessage(db, id, row, head)
    if (settings !== undefined) {
      const sql = 'UPDATE settings SET json = ?, checksum = ? WHERE conversation = ?'
      db.run(sql, [settings, crc32(settings) | 0, row.id])
    }
    if (metadata !== undefined) setMetadata(db, row.id, metadata)
    if (owner !== undefined) db.run('UPDATE conversation SET owner = ? WHERE id = ?', [owner, row.id])
    if (shelf !== undefined) db.run('UPDATE conversation SET shelf = ? WHERE id = ?', [shelf, row.id])
    if (title !== undefined) db.run('UPDATE conversation SET title = ? WHERE id = ?', [title, row.id])
    db.run('UPDATE conversation SET version = version + 1, updated_at = ?, head = ? WHERE id = ?', [
      at,
      head ?? row.head,
      row.id,
    ])
    return version + 1
  })
}

/** A part of a transaction. */
function setMetadata(db: SqliteConnection, conversation: number, json: string | null): void {
  if (json === null) db.run('DELETE FROM metadata WHERE conversation = ?', [conversation])
  else db.run('INSERT OR REPLACE INTO metadata VALUES (?, ?)', [conversation, json])
}
