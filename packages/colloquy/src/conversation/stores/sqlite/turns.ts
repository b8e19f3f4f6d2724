import { ConversationNotFoundError } from '../../errors.ts'
import { checkVersion } from '../conflict.ts'
import { lateFinish } from '../late-finish.ts'
import type { LeaseClock } from '../lease.ts'
import type { BeginStep, BegunTurn, FinishedTurn, FinishStep, JournalStep, RepeatedTurn } from '../store.ts'
import { checksumOf, type MessageRow, placeChecksum, StoredMessage } from '../stored-message.ts'
import type { SqliteConnection } from './database/connection.ts'
import { findConversation } from './conversation-row.ts'
import type { LastTurn } from './last-turns.ts'
import { isReply } from './database/in-flight.ts'
import { isLeased, isUnfinished, leaseColumns, type LeaseValues, newLease, settleReservations } from './leases.ts'
import { insertMessage, messageColumns } from './messages.ts'
import { enter } from './spending.ts'

export function findTurn(db: SqliteConnection, id: string, key: string): RepeatedTurn | undefined {
  return db.read('read the conversation', () => repeatedTurn(db, id, findConversation(db, id).id, key))
}

export async function beginTurn(
  db: SqliteConnection,
  clock: LeaseClock,
  step: BeginStep,
): Promise<BegunTurn | RepeatedTurn> {
  const { id, messages, key, version } = step
  let placed: { moved: Moved; place: number } | undefined
  const work = (): BegunTurn | RepeatedTurn => {
    const repeated = key === undefined ? undefined : repeatedTurn(db, id, findConversation(db, id).id, key)
    if (repeated !== undefined) return repeated
    const moved = moveFromLast(db, step) ?? moveConversation(db, step)
    if (moved === undefined) throw refusal(db, step)
    const place = placeOfReply(step, moved)
    placed = { moved, place }
    const handle = insertTurn(db, moved, step, { place, lease: newLease(db, clock, step.reservation) })
    return { repeated: false, version: version + 1, first: moved.last - messages.length, reply: moved.last, handle }
  }
  const begun = await db.write('begin the turn', work)
  if (begun.repeated) return begun
  const { moved, place } = placed!
  db.inFlight.add(begun.handle, place)
  if (step.role === 'summary') return begun
  const { row, createdAt, last, inFlightFrom } = moved
  db.lastTurns.add(id, { row, createdAt, last, inFlightFrom, handle: begun.handle, hasEnded: false })
  return begun
}

type Moved = Pick<LastTurn, 'row' | 'createdAt' | 'last' | 'inFlightFrom'>

/** Makes room for a turn. Returns undefined if the conversation has another version, or lacks the parent. */
function moveConversation(db: SqliteConnection, step: BeginStep): Moved | undefined {
  const { id, messages, role = 'assistant', title, parent, version, at } = step
  const count = messages.length + 1
  const isOnPath = role === 'summary' ? 0 : 1
  return db.row(
    `UPDATE conversation AS c SET version = version + 1, head = iif(?, last + ?, head), last = last + ?,
       updated_at = ?, title = coalesce(title, ?), in_flight_from = coalesce((SELECT min(number) FROM message m
         WHERE m.conversation = c.id AND number >= in_flight_from AND m.${isLeased}), last + ?)
     WHERE public_id = ? AND version = ?
       AND (? IN (0, head) OR EXISTS (SELECT 1 FROM message m WHERE m.conversation = c.id AND number = ?))
     RETURNING id AS row, created_at AS createdAt, last, in_flight_from AS inFlightFrom`,
    [isOnPath, count, count, at, title ?? null, count, id, version, parent, parent],
  )
}

/**
 * The same in half the time if the turn follows the last one that this process began and ended: its row is known, and
 * no reply has a lease. Returns undefined if it does not, or if the conversation has changed since.
 */
function moveFromLast(
  db: SqliteConnection,
  { id, messages, role, title, parent, version, at }: BeginStep,
): Moved | undefined {
  const turn = db.lastTurns.get(id)
  if (!turn?.hasEnded || turn.inFlightFrom !== turn.last || parent !== turn.last || role === 'summary') return undefined
  const { row, createdAt } = turn
  const last = parent + messages.length + 1
  const { changes } = db.run(
    `UPDATE conversation SET version = version + 1, head = ?, last = ?, updated_at = ?, title = coalesce(title, ?),
       in_flight_from = ?
     WHERE id = ? AND public_id = ? AND created_at = ? AND version = ? AND head = ? AND last = ?`,
    [last, last, at, title ?? null, last, row, id, createdAt, version, parent, parent],
  )
  return changes === 0 ? undefined : { row, createdAt, last, inFlightFrom: last }
}

/** The reason why a turn could not begin. */
function refusal(db: SqliteConnection, { id, version, parent }: BeginStep): Error {
  checkVersion(id, findConversation(db, id), version)
  return new ConversationNotFoundError(id, String(parent))
}

export async function journalReply(db: SqliteConnection, clock: LeaseClock, step: JournalStep): Promise<boolean> {
  const { handle, index, json } = step
  const place = db.inFlight.placeOf(handle)
  return db.write('write the journal of the reply', () => {
    const sql = `UPDATE message SET until = ? WHERE ${isReply} AND ${isLeased} RETURNING stopping`
    const lease = db.row<{ stopping: number | null }>(sql, [clock.end, handle, place])
    if (lease === undefined) return false
    if (json !== '') db.run('INSERT INTO delta VALUES (?, ?, ?)', [handle, index, json])
    if (json !== '' && index === 0) db.run("UPDATE message SET state = 'streaming' WHERE id = ?", [handle])
    return lease.stopping === 1
  })
}

export async function finishReply(db: SqliteConnection, step: FinishStep): Promise<FinishedTurn> {
  const turn = db.lastTurns.ofReply(step)
  const { handle, recovering = false } = step
  // A reply of another process may have the row id of one that this process began and that was erased since.
  const place = recovering ? db.inFlight.placeOfAbandoned(handle) : db.inFlight.placeOf(handle)
  let hasEnded = false
  const work = (): FinishedTurn => {
    const number = (turn && endPlainReply(db, turn, step, place)) ?? endReply(db, step, place)
    hasEnded = number !== undefined && !step.continues
    return number === undefined ? finishLate(db, step, place) : { number }
  }
  try {
    const finished = await db.write('save the reply', work, { durable: true })
    if (turn !== undefined && hasEnded) turn.hasEnded = true
    if (!recovering) db.inFlight.end(step)
    return finished
  } catch (error) {
    if (error instanceof ConversationNotFoundError && !recovering) db.inFlight.lose(handle)
    throw error
  } finally {
    if (recovering) db.inFlight.recovered(handle)
  }
}

/** The values of a reply that ends. */
const endedColumns = 'state = ?, json = ?, received = ?, reply = ?, checksum = ?'
const leaseEnds = 'owner = NULL, until = NULL'
// The first part of the journal changes the state to streaming.
const endPending = `UPDATE message SET ${endedColumns}, ${leaseEnds} WHERE ${isReply} AND state = 'pending' AND accounts IS NULL`

/** Ends a reply, and returns its number; undefined if it has ended before, or does not exist. */
function endReply(db: SqliteConnection, step: FinishStep, place: number | null): number | undefined {
  const { handle, state, json, received, reply, continues = false } = step
  const ended = db.row<{ number: number; accounts: string | null; isJournalled: number }>(
    `UPDATE message SET ${endedColumns}${continues ? '' : `, ${leaseEnds}`} WHERE ${isReply} AND ${isUnfinished}
     RETURNING number, accounts, EXISTS (SELECT 1 FROM delta WHERE message = message.id) AS isJournalled`,
    [state, json, received, reply, checksumOf(step), handle, place],
  )
  if (ended?.isJournalled === 1) db.run('DELETE FROM delta WHERE message = ?', [handle])
  if (ended !== undefined && ended.accounts !== null) settleReservations(db, 'id = ?', handle, reply)
  return ended?.number
}

/** The same in half the time for a reply of this process without journal or accounts. Returns undefined if it has one. */
function endPlainReply(
  db: SqliteConnection,
  { last }: LastTurn,
  step: FinishStep,
  place: number | null,
): number | undefined {
  const { handle, state, json, received, reply, continues } = step
  if (continues) return undefined
  const { changes } = db.run(endPending, [state, json, received, reply, checksumOf(step), handle, place])
  return changes === 0 ? undefined : last
}

interface StoredReply extends MessageRow {
  conversation: number
  reply: string
  /** The number of the reply if the step has stored it before. */
  sent: number | null
}

/** Adds the reply beside the stored one, unless it is the same. */
function finishLate(db: SqliteConnection, step: FinishStep, place: number | null): FinishedTurn {
  const { id, handle, state, json, received, reply, at, accounts = [] } = step
  // The messages of a deleted conversation may still be there.
  const sql = `SELECT conversation, ${messageColumns}, (SELECT number FROM message AS sent
      WHERE sent.conversation = message.conversation AND sent.number >= message.number AND sent.parent = message.parent
        AND (sent.id = message.id OR sent.created_at = ?) AND sent.state = ? AND sent.json = ? AND sent.received IS ?
        AND sent.reply = ? LIMIT 1) AS sent
    FROM message WHERE ${isReply} AND conversation IN (SELECT id FROM conversation WHERE public_id = ?)`
  const stored = db.row<StoredReply>(sql, [at, state, json, received, reply, handle, place, id])
  if (stored === undefined) throw new ConversationNotFoundError(id)
  if (stored.sent !== null) return { number: stored.sent }
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
  insertMessage(db, { row: conversation, id }, { number, parent, role, state, createdAt: at, reply, received, json })
  return { number }
}

const insertQuestion = `INSERT INTO message (conversation, number, parent, role, state, created_at, key, json, checksum, place_checksum)
  VALUES (?, ?, ?, ?, 'committed', ?, ?, ?, ?, ?)`
const insertReply = `INSERT INTO message (id, conversation, number, parent, role, state, created_at, json, place_checksum, ${leaseColumns})
  VALUES (?, ?, ?, ?, ?, 'pending', ?, '', ?, ?, ?, ?, ?, ?)`

/** Inserts the messages of a turn and an empty one for its reply, whose handle it returns. */
function insertTurn(
  db: SqliteConnection,
  { row, last }: Moved,
  { id, parent, messages, role: replyRole = 'assistant', key, at }: BeginStep,
  { place, lease }: { place: number; lease: LeaseValues },
): number {
  let number = last - messages.length
  let follows = parent
  for (const { role, json } of messages) {
    const itsKey = number === last - 1 ? (key ?? null) : null
    const checksum = checksumOf({ state: 'committed', json, received: null, reply: null })
    const itsPlace = placeChecksum(id, { number, parent: follows, role, createdAt: at })
    db.run(insertQuestion, [row, number, follows, role, at, itsKey, json, checksum, itsPlace])
    follows = number++
  }
  const insert = (handle: number | null): number =>
    db.run(insertReply, [handle, row, last, follows, replyRole, at, place, ...lease]).id
  const handle = insert(null)
  if (!db.inFlight.has(handle)) return handle
  // The reply that had this row id was erased, and its turn, or who recovers it, does not know that yet.
  db.run('DELETE FROM message WHERE id = ?', [handle])
  return insert(db.inFlight.greatest + 1)
}

/** The checksum of the place of the reply of a turn. */
function placeOfReply(
  { id, parent, messages, role = 'assistant', at }: Pick<BeginStep, 'id' | 'parent' | 'messages' | 'role' | 'at'>,
  { last }: Pick<Moved, 'last'>,
): number {
  return placeChecksum(id, { number: last, parent: messages.length === 0 ? parent : last - 1, role, createdAt: at })
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
