import { setImmediate as nextTask } from 'node:timers/promises'
import { ConversationNotFoundError } from '../../errors.ts'
import { billingPart } from '../../money/spending.ts'
import { checkVersion } from '../conflict.ts'
import { checkMessage, findConversation } from './conversation-row.ts'
import type { SqliteConnection } from './database/connection.ts'
import { bytesAtOnce, contentBytes, eraseMessages, messagesAtOnce } from './messages.ts'

// A long branch is erased in slices, so that other work runs in between. They begin at its end, because a message is never
// without its parent then. The first transaction takes the branch off the active path.

/** A message and all that follow it, which are being erased. */
interface Branch {
  /** The row id. */
  conversation: number
  /** The number of the first message. */
  number: number
}

/** Erases a branch, except for its text in the write-ahead log. Returns the version that the conversation has then. */
export async function pruneMessages(
  db: SqliteConnection,
  id: string,
  version: number,
  number: number,
): Promise<number> {
  const begin = (): Branch => {
    const row = findConversation(db, id)
    checkVersion(id, row, version)
    checkMessage(db, id, row, number)
    db.run('INSERT OR IGNORE INTO pruning VALUES (?, ?)', [row.id, number])
    return { conversation: row.id, number }
  }
  const eraseSome = (begun: Branch | undefined): { branch: Branch; left: number | undefined } => {
    const branch = begun ?? begin()
    // Another process may have erased the rest, or the conversation: then its row may be that of another one.
    const isDone = !isUnfinished(db, branch) || pruneSlice(db, branch)
    const found = findConversation(db, id)
    if (found.id !== branch.conversation) throw new ConversationNotFoundError(id)
    return { branch, left: isDone ? found.version : undefined }
  }
  for (let begun: Branch | undefined; ;) {
    const { branch, left } = await db.write('erase the message', () => eraseSome(begun))
    if (left !== undefined) return left
    begun = branch
    await nextTask()
  }
}

function isUnfinished(db: SqliteConnection, { conversation, number }: Branch): boolean {
  return db.row('SELECT 1 FROM pruning WHERE conversation = ? AND number = ?', [conversation, number]) !== undefined
}

/** A branch that is not completely erased. */
export function unfinishedBranch(db: SqliteConnection): Branch | undefined {
  // An earlier version of this library may have deleted the conversation and left its row here. With IN, SQLite would look
  // for the row of every conversation.
  const sql = `SELECT conversation, number FROM pruning
    WHERE EXISTS (SELECT 1 FROM conversation c WHERE c.id = pruning.conversation) LIMIT 1`
  return db.row<Branch>(sql)
}

/**
 * Erases the last messages of a branch, and keeps their billing data. Returns whether none is left. A part of a transaction.
 *
 * Each slice is a new version of the conversation, because it makes totals invalid that were added up before it.
 */
export function pruneSlice(db: SqliteConnection, branch: Branch | undefined): boolean {
  if (branch === undefined) return true
  const { conversation, number } = branch
  const parents = 'SELECT parent FROM message WHERE conversation = ? AND number = ?'
  const parent = db.row<{ parent: number }>(parents, [conversation, number])?.parent ?? 0
  const runs = runsOf(db, branch)
  const { head } = db.row<{ head: number }>(
    'UPDATE conversation SET version = version + 1, corrected = version + 1 WHERE id = ? RETURNING head',
    [conversation],
  )!
  if (isIn(runs, head)) db.run('UPDATE conversation SET head = ? WHERE id = ?', [parent, conversation])
  let [messages, bytes] = [0, 0]
  for (const message of messagesFromEnd(db, conversation, runs)) {
    if (messages === messagesAtOnce || bytes >= bytesAtOnce) return false
    const bill = billingPart(message.reply)
    if (bill !== undefined) db.run('INSERT INTO erased VALUES (?, ?)', [conversation, bill])
    eraseMessages(db, 'id = ?', message.id)
    messages++
    bytes += message.bytes
  }
  db.run('DELETE FROM pruning WHERE conversation = ? AND number = ?', [conversation, number])
  freeKey(db, conversation, parent)
  return true
}

/** Messages with consecutive numbers, each of which follows the one before. */
interface Run {
  first: number
  last: number
}

/** The runs of a branch, in ascending order. The index of forks has the beginning of each. */
function runsOf(db: SqliteConnection, { conversation, number }: Branch): Run[] {
  const forks = db.rows<{ number: number; parent: number }>(
    `SELECT number, parent FROM message WHERE conversation = ? AND number > ? AND parent <> number - 1 ORDER BY number`,
    [conversation, number],
  )
  const runs: Run[] = [{ first: number, last: (forks[0]?.number ?? Number.MAX_SAFE_INTEGER) - 1 }]
  for (const [index, fork] of forks.entries()) {
    const next = forks[index + 1]?.number ?? Number.MAX_SAFE_INTEGER
    if (isIn(runs, fork.parent)) runs.push({ first: fork.number, last: next - 1 })
  }
  return runs
}

/** Whether a message is in one of the runs. There may be thousands, so it halves them. */
function isIn(runs: readonly Run[], number: number): boolean {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (runs[middle]!.last < number) low = middle + 1
    else high = middle
  }
  return low < runs.length && runs[low]!.first <= number
}

interface ErasedMessage {
  id: number
  reply: string | null
  bytes: number
}

/** Reads the last messages of the runs, in descending order: more than one slice erases, if there are more. */
function* messagesFromEnd(db: SqliteConnection, conversation: number, runs: readonly Run[]): Generator<ErasedMessage> {
  const sql = `SELECT id, reply, ${contentBytes} AS bytes FROM message
    WHERE conversation = ? AND number BETWEEN ? AND ? ORDER BY number DESC LIMIT ${messagesAtOnce + 1}`
  for (const { first, last } of runs.toReversed()) yield* db.rows<ErasedMessage>(sql, [conversation, first, last])
}

/** Lets the key of a message be used again if nothing follows the message any longer. */
function freeKey(db: SqliteConnection, conversation: number, number: number): void {
  db.prepare(
    `UPDATE message SET key = NULL
     WHERE conversation = $conversation AND number = $number AND key IS NOT NULL AND NOT EXISTS
       (SELECT 1 FROM message WHERE conversation = $conversation AND parent = $number AND number > $number)`,
  ).run({ $conversation: conversation, $number: number })
}
