import { ConversationNotFoundError } from '../../errors.ts'
import type { MessageRecord, TreeNode } from '../store.ts'
import { endOfPage, type MessageRow, StoredMessage, storedPath } from '../stored-message.ts'
import { type PostgresConnection, type Statement, statement } from './connection.ts'
import { findConversation, refuseChange } from './conversation-row.ts'
import { billingPart } from './spending.ts'

export const messageColumns = `number, parent, role, state, created_at::float8 AS "createdAt", reply, received, json,
  checksum, place_checksum AS "placeChecksum"`

const doing = 'read the conversation'

/** The condition that a message is of the conversation with the id, in SQL. */
export const isOfId = 'conversation = (SELECT id FROM %.conversation WHERE public_id = :id)'

/** Reads rows of a conversation. Throws a `ConversationNotFoundError` if there are none because it does not exist. */
export async function rowsOf<Row>(
  db: PostgresConnection,
  statement: Statement,
  values: Readonly<Record<string, unknown>> & { id: string },
): Promise<Row[]> {
  const rows = await db.rows<Row>(statement, values)
  if (rows.length === 0) await findConversation(db, values.id)
  return rows
}

export async function readPath(db: PostgresConnection, id: string, leaf: number): Promise<MessageRecord[]> {
  return storedPath(id, await rowsOf(db, pathOfId, { id, leaf }))
}

const readNumbers = statement(
  doing,
  `SELECT ${messageColumns} FROM %.message WHERE ${isOfId}
     AND number IN (SELECT value::int FROM json_array_elements_text(:numbers::json)) ORDER BY number`,
)

export async function readMessages(
  db: PostgresConnection,
  id: string,
  numbers: readonly number[],
): Promise<MessageRecord[]> {
  const rows = await rowsOf<MessageRow>(db, readNumbers, { id, numbers: JSON.stringify(numbers) })
  return rows.map((row) => new StoredMessage(id, row))
}

const readNodes = statement(
  doing,
  `SELECT number, parent, role, state, created_at::float8 AS "createdAt", reply
   FROM %.message WHERE ${isOfId} ORDER BY number`,
)

export function readTree(db: PostgresConnection, id: string): Promise<TreeNode[]> {
  return rowsOf(db, readNodes, { id })
}

const pageSize = 100

const readPage = statement(
  doing,
  `SELECT ${messageColumns} FROM %.message
   WHERE conversation = :conversation AND number > :last::int ORDER BY number LIMIT ${pageSize}`,
)

export async function* readAllMessages(db: PostgresConnection, id: string): AsyncIterable<MessageRecord> {
  const { id: conversation } = await findConversation(db, id)
  for (let last = 0; ;) {
    const page = await db.rows<MessageRow>(readPage, { conversation, last })
    // Without its last messages a conversation that was deleted meanwhile would look complete.
    const isLast = page.length < pageSize
    if (isLast && (await findConversation(db, id)).id !== conversation) throw new ConversationNotFoundError(id)
    yield* page.map((row) => new StoredMessage(id, row))
    if (isLast) return
    last = endOfPage(id, page, last)
  }
}

/**
 * Erases a message and all that follow it, if the version of the conversation is the given one.
 *
 * - `conversation` is locked, so that its version cannot change.
 * - `gone` are the message and its descendants, which `erased` deletes. A trigger ends those that are in flight.
 * - `billed` keeps the billing data of replies that were paid for, also of one that ended while this statement waited for it.
 * - `freed` lets the key of the parent be used again if no other message follows the parent.
 * - `moved` moves a head that is among the erased messages to the parent.
 */
const prune = statement(
  'erase the message',
  `WITH RECURSIVE conversation AS (
     SELECT id FROM %.conversation WHERE public_id = :id AND version = :version::int FOR UPDATE
   ), gone AS (
     SELECT m.id, number, parent FROM %.message m, conversation
     WHERE m.conversation = conversation.id AND number = :number::int
     UNION ALL
     SELECT m.id, m.number, m.parent
     FROM conversation, gone JOIN %.message m ON m.parent = gone.number AND m.number > gone.number
     WHERE m.conversation = conversation.id
   ), erased AS (
     DELETE FROM %.message WHERE id IN (SELECT id FROM gone) RETURNING conversation, reply
   ), billed AS (
     INSERT INTO %.erased SELECT conversation, ${billingPart('about')} FROM erased, %.json_or_null(reply) AS about
     WHERE about->'message' IS NOT NULL AND about->'unpaid' IS NULL
   ), freed AS (
     UPDATE %.message m SET key = NULL FROM conversation
     WHERE m.conversation = conversation.id AND m.number = (SELECT parent FROM gone WHERE number = :number::int)
       AND m.key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM %.message other WHERE other.conversation = conversation.id
         AND other.parent = m.number AND other.id NOT IN (SELECT id FROM gone))
   ), moved AS (
     UPDATE %.conversation c SET version = version + 1, corrected = version + 1,
       head = CASE WHEN head IN (SELECT number FROM gone)
         THEN (SELECT parent FROM gone WHERE number = :number::int) ELSE head END
     FROM conversation WHERE c.id = conversation.id AND EXISTS (SELECT 1 FROM gone) RETURNING version
   )
   SELECT version FROM moved`,
)

export async function pruneMessages(
  db: PostgresConnection,
  id: string,
  version: number,
  number: number,
): Promise<number> {
  const pruned = await db.row<{ version: number }>(prune, { id, version, number })
  return pruned?.version ?? refuseChange(db, id, version, number)
}

/** Reads the messages from the beginning to a leaf: the runs of consecutive numbers between the forks on the way. */
function pathStatement(conversation: string): Statement {
  const startOfRun = (leaf: string): string =>
    `coalesce((SELECT max(number) FROM %.message
       WHERE ${conversation} AND parent <> number - 1 AND number <= ${leaf}), 1)`
  return statement(
    doing,
    `WITH RECURSIVE run (first, last) AS (
       SELECT ${startOfRun(':leaf::int')}, :leaf::int
       UNION ALL
       SELECT ${startOfRun('fork.parent')}, fork.parent
       FROM run JOIN (SELECT number, parent FROM %.message WHERE ${conversation}) fork ON fork.number = run.first
       -- A parent that is damaged must not lead in a circle.
       WHERE fork.parent > 0 AND fork.parent < run.first
     )
     SELECT ${messageColumns} FROM run JOIN %.message ON ${conversation} AND number BETWEEN first AND last
     ORDER BY number`,
  )
}

const path = pathStatement('conversation = :conversation')
const pathOfId = pathStatement(isOfId)

export function pathTo(db: PostgresConnection, conversation: number, leaf: number): Promise<MessageRow[]> {
  return db.rows(path, { conversation, leaf })
}

const replies = statement(
  doing,
  `SELECT number, reply FROM %.message WHERE conversation = :conversation AND reply IS NOT NULL
   UNION ALL SELECT 0, reply FROM %.erased WHERE conversation = :conversation ORDER BY number`,
)

/** Reads `reply` of each reply that is not among the numbers, and the billing data of erased ones. */
export async function repliesExcept(
  db: PostgresConnection,
  conversation: number,
  numbers: readonly number[],
): Promise<string[]> {
  const excluded = new Set(numbers)
  const rows = await db.rows<{ number: number; reply: string }>(replies, { conversation })
  return rows.filter(({ number }) => !excluded.has(number)).map(({ reply }) => reply)
}
