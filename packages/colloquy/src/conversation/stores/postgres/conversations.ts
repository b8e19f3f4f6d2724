import { wordsOf } from '../../history/text.ts'
import type { LeaseClock } from '../lease.ts'
import type {
  ConversationChanges,
  ConversationRecord,
  ConversationSummary,
  NewConversation,
  OpenedConversation,
} from '../store.ts'
import type { PostgresConnection } from './connection.ts'
import { findConversation, refuseChange } from './conversation-row.ts'
import { unfinishedReplies } from './leases.ts'
import { offPathReplies, pathTo } from './messages.ts'
import { chargeErased } from './spending.ts'
import { statement } from './statement.ts'

/** Inserts the conversation, its settings and its messages. */
const create = statement(
  'create the conversation',
  `WITH added AS (
     INSERT INTO %.conversation (public_id, version, head, last, created_at, updated_at, title)
     VALUES (:id, 1, :head::int, :last::int, :at::bigint, :at::bigint, :title::text) RETURNING id
   ), configured AS (
     INSERT INTO %.settings SELECT id, :settings::text FROM added
   )
   INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, words)
   SELECT id, number, parent, role, state, "createdAt", reply, received, json, words
   FROM added, json_to_recordset(:messages::json) AS row (number int, parent int, role text, state text,
     "createdAt" bigint, reply text, received text, json text, words text)`,
)

export async function createConversation(
  db: PostgresConnection,
  { id, title, settings, at, messages = [], head = 0 }: NewConversation,
): Promise<ConversationRecord> {
  const last = messages.at(-1)?.number ?? 0
  const rows = messages.map((message) => ({ ...message, words: wordsOf(message.received ?? message.json) }))
  await db.rows(create, { id, head, last, at, title, settings, messages: JSON.stringify(rows) })
  return { id, version: 1, head, last, createdAt: at, updatedAt: at, title, settings }
}

// Integers are read as float8, because drivers differ in how they return bigint; it is exact for all integers used here.
const open = statement(
  'open the conversation',
  `SELECT public_id AS id, version, head, last, created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt",
     title, c.id::float8 AS row, json AS settings
   FROM %.conversation c JOIN %.settings s ON s.conversation = c.id WHERE public_id = :id`,
)

export async function openConversation(
  db: PostgresConnection,
  clock: LeaseClock,
  id: string,
): Promise<OpenedConversation | undefined> {
  const found = await db.row<ConversationRecord & { row: number }>(open, { id })
  if (found === undefined) return undefined
  const { row, ...conversation } = found
  // Read leases before messages: a reply that ends in between is then counted twice rather than not at all.
  const unfinished = await unfinishedReplies(db, clock, row)
  const messages = await pathTo(db, row, conversation.head)
  const replies = messages.length === conversation.last ? [] : await offPathReplies(db, row, messages)
  return { conversation, messages, offPathReplies: replies, unfinished }
}

/** Changes the conversation if its version is the given one and the new head exists, then its settings. */
const update = statement(
  'change the conversation',
  `WITH changed AS (
     UPDATE %.conversation c SET version = version + 1, updated_at = :at::bigint, head = coalesce(:head::int, head),
       title = CASE WHEN :hasTitle::boolean THEN :title::text ELSE title END
     WHERE public_id = :id AND version = :version::int AND (coalesce(:head::int, 0) = 0
       OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = :head::int))
     RETURNING id, version
   ), configured AS (
     UPDATE %.settings SET json = :settings::text FROM changed
     WHERE conversation = changed.id AND :settings::text IS NOT NULL
   )
   SELECT version FROM changed`,
)

export async function updateConversation(
  db: PostgresConnection,
  id: string,
  version: number,
  { title, settings, head, at }: ConversationChanges,
): Promise<number> {
  const hasTitle = title !== undefined
  const changed = await db.row<{ version: number }>(update, { id, version, at, head, hasTitle, title, settings })
  return changed?.version ?? refuseChange(db, id, version, head ?? 0)
}

const summaryColumns = `public_id AS id, title, created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt",
  last AS messages`

const list = statement(
  'list the conversations',
  `SELECT ${summaryColumns} FROM %.conversation c ORDER BY updated_at DESC, c.id DESC LIMIT :limit::int`,
)

const listAfter = statement(
  'list the conversations',
  `SELECT ${summaryColumns} FROM %.conversation c
   WHERE (updated_at, c.id) < (SELECT updated_at, id FROM %.conversation WHERE id = :before::bigint)
   ORDER BY updated_at DESC, c.id DESC LIMIT :limit::int`,
)

export async function listConversations(
  db: PostgresConnection,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<ConversationSummary[]> {
  if (before === undefined) return db.rows(list, { limit })
  return db.rows(listAfter, { limit, before: (await findConversation(db, before)).id })
}

/** Deletes the conversation with all that refers to it, and charges the reservations of its replies in flight. */
const remove = statement(
  'delete the conversation',
  `WITH removed AS (
     DELETE FROM %.conversation WHERE public_id = :id RETURNING id
   ), journal AS (
     DELETE FROM %.delta WHERE message IN (SELECT m.id FROM %.message m JOIN removed ON m.conversation = removed.id)
   ), ${chargeErased('m.conversation IN (SELECT id FROM %.conversation WHERE public_id = :id)')}
   SELECT (SELECT count(entered) FROM charged) FROM removed`,
)

export async function deleteConversation(db: PostgresConnection, id: string): Promise<boolean> {
  return (await db.row(remove, { id })) !== undefined
}
