import { ConversationNotFoundError } from '../../errors.ts'
import { checkVersion } from '../conflict.ts'
import { lateFinish } from '../late-finish.ts'
import type { LeaseClock } from '../lease.ts'
import type { BeginStep, BegunTurn, FinishedTurn, FinishStep, JournalStep, RepeatedTurn } from '../store.ts'
import { checksumOf, type MessageRow, StoredMessage } from '../stored-message.ts'
import type { SqliteConnection } from './connection.ts'
import { checkMessage, type ConversationRow, findConversation } from './conversation-row.ts'
import { beginLease, endLease, extendLease } from './leases.ts'
import { insertMessage, messageColumns } from './messages.ts'
import { enter } from './spending.ts'

export function findTurn(db: SqliteConnection, id: string, key: string): RepeatedTurn | undefined {
  return db.read('read the conversation', () => repeatedTurn(db, id, findConversation(db, id).id, key))
}

export function beginTurn(db: SqliteConnection, clock: LeaseClock, step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
  const { id, version, parent, role = 'assistant', key, title, reservation, at } = step
  return db.write('begin the turn', () => {
    const row = findConversation(db, id)
    const repeated = key === undefined ? undefined : repeatedTurn(db, id, row.id, key)
    if (repeated !== undefined) return repeated
    checkVersion(id, row, version)
    if (parent !== row.head) checkMessage(db, id, row, parent)
    const { handle, reply } = insertTurn(db, row, step)
    beginLease(db, clock, { handle, conversation: row.id, reservation })
    db.run(
      `UPDATE conversation SET version = version + 1, head = ?, last = ?, updated_at = ?,
         title = coalesce(title, ?) WHERE id = ?`,
      [role === 'summary' ? row.head : reply, reply, at, title ?? null, row.id],
    )
    return { repeated: false, version: version + 1, first: row.last + 1, reply, handle }
  })
}

export function journalReply(db: SqliteConnection, clock: LeaseClock, step: JournalStep): Promise<boolean> {
  const { handle, index, json } = step
  return db.write('write the journal of the reply', () => {
    const lease = extendLease(db, clock, handle)
    if (lease === undefined) return false
    if (json !== '') db.run('INSERT INTO delta VALUES (?, ?, ?)', [handle, index, json])
    if (json !== '' && index === 0) db.run("UPDATE message SET state = 'streaming' WHERE id = ?", [handle])
    return lease.stopping === 1
  })
}

export function finishReply(db: SqliteConnection, step: FinishStep): Promise<FinishedTurn> {
  const { handle, state, json, received, reply } = step
  const work = (): FinishedTurn => {
    const finished = db.row<FinishedTurn>(
      `UPDATE message SET state = ?, json = ?, received = ?, reply = ?, checksum = ?
       WHERE id = ? AND state IN ('pending', 'streaming', 'awaiting_tools') RETURNING number`,
      [state, json, received, reply, checksumOf(step), handle],
    )
    db.run('DELETE FROM delta WHERE message = ?', [handle])
    if (state !== 'awaiting_tools') endLease(db, handle, reply)
    return finished ?? finishLate(db, step)
  }
  return db.write('save the reply', work, { durable: true })
}

interface StoredReply extends MessageRow {
  conversation: number
  reply: string
}

/** Adds the reply beside the stored one. */
function finishLate(db: SqliteConnection, step: FinishStep): FinishedTurn {
  const { id, handle, state, json, received, reply, at, accounts = [] } = step
  const sql = `SELECT conversation, ${messageColumns} FROM message WHERE id = ?`
  const stored = db.row<StoredReply>(sql, [handle])
  if (stored === undefined) throw new ConversationNotFoundError(id)
  const late = lateFinish(stored.reply, step)
  if (late === undefined) return { number: stored.number }
  if (late.correction !== undefined) enter(db, accounts, late.correction)
  const checksum = checksumOf({ ...stored, reply: late.replaced })
  db.run('UPDATE message SET reply = ?, checksum = ? WHERE id = ?', [late.replaced, checksum, handle])
  const { last: number } = db.row<{ last: number }>(
    `UPDATE conversation SET version = version + 1, corrected = version + 1, last = last + 1, updated_at = ?,
       head = CASE WHEN head = ? THEN last + 1 ELSE head END WHERE id = ? RETURNING last`,
    [at, stored.number, stored.conversation],
  )!
  const { conversation, parent, role } = stored
  insertMessage(db, conversation, { number, parent, role, state, createdAt: at, reply, received, json })
  return { number }
}

/** Inserts the messages of a turn and an empty one for its reply. */
function insertTurn(
  db: SqliteConnection,
  row: ConversationRow,
  { parent, messages, role: replyRole = 'assistant', key, at }: BeginStep,
): { handle: number; reply: number } {
  const sql = `INSERT INTO message (conversation, number, parent, role, state, created_at, key, json, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
  let number = row.last
  let follows = parent
  for (const [index, { role, json }] of messages.entries()) {
    const itsKey = index === messages.length - 1 ? (key ?? null) : null
    const checksum = checksumOf({ state: 'committed', json, received: null, reply: null })
    db.run(sql, [row.id, ++number, follows, role, 'committed', at, itsKey, json, checksum])
    follows = number
  }
  const { id: handle } = db.run(sql, [row.id, ++number, follows, replyRole, 'pending', at, null, '', null])
  return { handle, reply: number }
}

function repeatedTurn(db: SqliteConnection, id: string, conversation: number, key: string): RepeatedTurn | undefined {
  const keyed = 'SELECT number FROM message WHERE conversation = ? AND key = ?'
  const message = db.row<{ number: number }>(keyed, [conversation, key])?.number
  if (message === undefined) return undefined
  const reply = db.row<MessageRow>(
    `SELECT ${messageColumns} FROM message
     WHERE conversation = ? AND number > ? AND parent = ? AND role = 'assistant' ORDER BY number DESC LIMIT 1`,
    [conversation, message, message],
  )
  return reply && { repeated: true, message, reply: new StoredMessage(id, reply) }
}
