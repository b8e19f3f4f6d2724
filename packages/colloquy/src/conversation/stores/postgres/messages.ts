import type { MessageRecord, TreeNode } from '../store.ts'
import { endOfPage, type MessageRow, StoredMessage, storedPath } from '../stored-message.ts'
import { type PostgresConnection, statement } from './connection.ts'
import { findConversation, refuseChange } from './conversation-row.ts'
import { billingPart, chargeErased } from './spending.ts'

export const messageColumns = `number, parent, role, state, created_at::float8 AS "createdAt", reply, received, json,
  checksum, place_checksum AS "placeChecksum"`

const doing = 'read the conversation'

export async function readPath(db: PostgresConnection, id: string, leaf: number): Promise<MessageRecord[]> {
  return storedPath(id, await pathTo(db, (await findConversation(db, id)).id, leaf))
}

const readNumbers = statement(
  doing,
  `SELECT ${messageColumns} FROM %.message WHERE conversation = :conversation
     AND number IN (SELECT value::int FROM json_array_elements_text(:numbers::json)) ORDER BY number`,
)

export async function readMessages(
  db: PostgresConnection,
  id: string,
  numbers: readonly number[],
): Promise<MessageRecord[]> {
  const conversation = (await findConversation(db, id)).id
  const rows = await db.rows<MessageRow>(readNumbers, { conversation, numbers: JSON.stringify(numbers) })
  return rows.map((row) => new StoredMessage(id, row))
}

const readNodes = statement(
  doing,
  `SELECT number, parent, role, state, created_at::float8 AS "createdAt", reply
   FROM %.message WHERE conversation = :conversation ORDER BY number`,
)

export async function readTree(db: PostgresConnection, id: string): Promise<TreeNode[]> {
  return db.rows(readNodes, { conversation: (await findConversation(db, id)).id })
}

const readPage = statement(
  doing,
  `SELECT ${messageColumns} FROM %.message
   WHERE conversation = :conversation AND number > :last::int ORDER BY number LIMIT 100`,
)

export async function* readAllMessages(db: PostgresConnection, id: string): AsyncIterable<MessageRecord> {
  const { id: conversation } = await findConversation(db, id)
  for (let last = 0; ;) {
    const page = await db.rows<MessageRow>(readPage, { conversation, last })
    if (page.length === 0) return
    last = endOfPage(id, page, last)
    yield* page.map((row) => new StoredMessage(id, row))
  }
}

/**
 * Erases a message and all that follow it, if the version of the conversation is the given one.
 *
 * - `conversation` is locked, so that its version cannot change.
 * - `gone` are the message and its descendants, which `erased` deletes, and `journal` their journals.
 * - `billed` keeps the billing data of replies that were paid for.
 * - `freed` lets the key of the parent be used again if no other message follows the parent.
 * - `moved` moves a head that is among the erased messages to the parent.
 * - `charged` charges the reservations of erased replies that are in flight.
 */
const prune = statement(
  'erase the message',
  `WITH RECURSIVE conversation AS (
     SELECT id FROM %.conversation WHERE public_id = :id AND version = :version::int FOR UPDATE
   ), gone AS (
     SELECT m.id, number, parent, reply FROM %.message m, conversation
     WHERE m.conversation = conversation.id AND number = :number::int
     UNION ALL
     SELECT m.id, m.number, m.parent, m.reply
     FROM conversation, gone JOIN %.message m ON m.parent = gone.number AND m.number > gone.number
     WHERE m.conversation = conversation.id
   ), erased AS (
     DELETE FROM %.message WHERE id IN (SELECT id FROM gone)
   ), billed AS (
     INSERT INTO %.erased SELECT conversation.id, ${billingPart('about')} FROM conversation, gone, %.json_or_null(gone.reply) AS about
     WHERE about->'message' IS NOT NULL AND about->'unpaid' IS NULL
   ), journal AS (
     DELETE FROM %.delta WHERE message IN (SELECT id FROM gone)
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
   ), ${chargeErased('m.id IN (SELECT id FROM gone)')}
   SELECT version, (SELECT count(entered) FROM charged) FROM moved`,
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

const startOfRun = (leaf: string): string =>
  `coalesce((SELECT max(number) FROM %.message
     WHERE conversation = :conversation AND parent <> number - 1 AND number <= ${leaf}), 1)`

/** Reads the messages from the beginning to a leaf: the runs of consecutive numbers between the forks on the way. */
const path = statement(
  doing,
  `WITH RECURSIVE run (first, last) AS (
     SELECT ${startOfRun(':leaf::int')}, :leaf::int
     UNION ALL
     SELECT ${startOfRun('fork.parent')}, fork.parent
     FROM run JOIN %.message fork ON fork.conversation = :conversation AND fork.number = run.first
     -- A parent that is damaged must not lead in a circle.
     WHERE fork.parent > 0 AND fork.parent < run.first
   )
   SELECT ${messageColumns} FROM run JOIN %.message ON conversation = :conversation AND number BETWEEN first AND last
   ORDER BY number`,
)

export function pathTo(db: PostgresConnection, conversation: number, leaf: number): Promise<MessageRow[]> {
  return db.rows(path, { conversation, leaf })
}

const replies = statement(
  doing,
  `SELECT number, reply FROM %.message WHERE conversation = :conversation AND reply IS NOT NULL
   UNION ALL SELECT 0, reply FROM %.erased WHERE conversation = :conversation ORDER BY number`,
)

/** Reads `reply` of each reply off the path, and the billing data of erased ones. */
export async function offPathReplies(
  db: PostgresConnection,
  conversation: number,
  onPath: readonly { number: number }[],
): Promise<string[]> {
  const numbers = new Set(onPath.map(({ number }) => number))
  const rows = await db.rows<{ number: number; reply: string }>(replies, { conversation })
  return rows.filter(({ number }) => !numbers.has(number)).map(({ reply }) => reply)
}
