import { ConversationExistsError } from '../../errors.ts'
import { isUnfinished } from '../../history/tree.ts'
import { inSlices, mapped } from '../../in-slices.ts'
import type { LeaseClock } from '../lease.ts'
import type {
  ConversationChanges,
  ConversationRecord,
  DeleteOptions,
  NewConversation,
  OpenedConversation,
  OpenOptions,
} from '../store.ts'
import { crc32 } from '../crc32.ts'
import { recordOf } from '../new-conversation.ts'
import { checksumOf, intactSettings, type MessageRow, placeChecksum, storedPath } from '../stored-message.ts'
import { type PostgresConnection, statement } from './connection.ts'
import { refuseChange } from './conversation-row.ts'
import { joinLeases, leaseColumns, type LeaseRow, unfinishedReply } from './leases.ts'
import { pathTo, repliesExcept } from './messages.ts'

/** Inserts the conversation, unless its id is taken, with its settings, its metadata and its messages. */
const create = statement(
  'create the conversation',
  `WITH added AS (
     INSERT INTO %.conversation (public_id, owner, shelf, version, head, last, in_flight_from, created_at, updated_at,
       title)
     VALUES (:id, :owner::text, :shelf::text, 1, :head::int, :last::int, :last::int + 1, :createdAt::bigint,
       :updatedAt::bigint, :title::text)
     ON CONFLICT (public_id) DO NOTHING RETURNING id
   ), configured AS (
     INSERT INTO %.settings SELECT id, :settings::text, :checksum::int FROM added
   ), described AS (
     INSERT INTO %.metadata SELECT id, :metadata::text FROM added WHERE :metadata::text IS NOT NULL
   ), copied AS (
     INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, checksum,
       place_checksum)
     SELECT id, number, parent, role, state, "createdAt", reply, received, json, checksum, "placeChecksum"
     FROM added, json_to_recordset(:messages::json) AS row (number int, parent int, role text, state text,
       "createdAt" bigint, reply text, received text, json text, checksum int, "placeChecksum" int)
   )
   SELECT id FROM added`,
)

export async function createConversation(db: PostgresConnection, added: NewConversation): Promise<ConversationRecord> {
  const record = recordOf(added)
  const { version: _, ...columns } = record
  const rows = await inSlices(
    mapped(added.messages ?? [], (message) =>
      JSON.stringify({ ...message, checksum: checksumOf(message), placeChecksum: placeChecksum(record.id, message) }),
    ),
  )
  const values = { ...columns, checksum: crc32(record.settings) | 0, messages: `[${rows.join(',')}]` }
  if ((await db.row(create, values)) === undefined) throw new ConversationExistsError(record.id)
  return record
}

/**
 * Reads the conversation with its leases. They are of one moment, so that a turn that ends meanwhile is either in flight here, or
 * has its last reply before the head.
 *
 * Integers are read as float8, because drivers differ in how they return bigint; it is exact for all integers used here.
 */
const open = statement(
  'open the conversation',
  `SELECT public_id AS id, c.owner, d.json AS metadata, shelf, version, head, last,
     c.created_at::float8 AS "createdAt", c.updated_at::float8 AS "updatedAt", title, c.id::float8 AS row, s.json AS settings, s.checksum, ${leaseColumns}
   FROM %.conversation c JOIN %.settings s ON s.conversation = c.id LEFT JOIN %.metadata d ON d.conversation = c.id
     ${joinLeases}
   WHERE public_id = :id ORDER BY m.number`,
)

interface OpenedRow extends ConversationRecord, LeaseRow {
  row: number
  checksum: number | null
}

export async function openConversation(
  db: PostgresConnection,
  clock: LeaseClock,
  id: string,
  { messages: isPathRead = true }: OpenOptions = {},
): Promise<OpenedConversation | undefined> {
  const rows = await db.rows<OpenedRow>(open, { id })
  const [found] = rows
  if (found === undefined) return undefined
  const { row, checksum, owner, metadata, shelf, version, head, last, createdAt, updatedAt, title } = found
  const settings = intactSettings(found.settings, checksum)
  const conversation = { id, owner, metadata, shelf, version, head, last, createdAt, updatedAt, title, settings }
  const unfinished = rows.map((each) => unfinishedReply(clock, each)).filter((reply) => reply !== undefined)
  const receiving = unfinished.filter(({ awaitsTools }) => !awaitsTools).map(({ number }) => number)
  // Read after the leases, so that no reply is missed.
  const messages = isPathRead ? await pathTo(db, row, head) : []
  const isCut = isPathRead && (messages.at(-1)?.number ?? 0) !== head
  // Another process has erased the end of the path, or the conversation; or it has ended a reply, and may run its tools.
  const hasChanged = isCut
    ? (await db.row<OpenedRow>(open, { id }))?.version !== version
    : hasEnded(messages, receiving)
  if (hasChanged) return openConversation(db, clock, id)
  // A reply that has ended since its lease was read is in flight here, with what it has reserved.
  const elsewhere = [...messages.map(({ number }) => number), ...receiving]
  const replies = !isPathRead || messages.length === last ? [] : await repliesExcept(db, row, elsewhere)
  return { conversation, messages: storedPath(id, messages), offPathReplies: replies, unfinished }
}

/** Whether a reply that was being received has ended since. */
function hasEnded(messages: readonly MessageRow[], receiving: readonly number[]): boolean {
  return (
    receiving.length > 0 && messages.some(({ number, state }) => receiving.includes(number) && !isUnfinished(state))
  )
}

/**
 * Changes the conversation, if its version is the given one and the new head exists, then its settings and its metadata. A
 * field is changed if its flag is set, or if it is never null and a value is given.
 */
const update = statement(
  'change the conversation',
  `WITH changed AS (
     UPDATE %.conversation c SET version = version + 1, updated_at = :at::bigint, head = coalesce(:head::int, head),
       title = CASE WHEN :hasTitle::boolean THEN :title::text ELSE title END,
       owner = CASE WHEN :hasOwner::boolean THEN :owner::text ELSE owner END,
       shelf = CASE WHEN :hasShelf::boolean THEN :shelf::text ELSE shelf END
     WHERE public_id = :id AND version = :version::int AND (coalesce(:head::int, 0) = 0
       OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = :head::int))
     RETURNING id, version
   ), configured AS (
     UPDATE %.settings SET json = :settings::text, checksum = :checksum::int FROM changed
     WHERE conversation = changed.id AND :settings::text IS NOT NULL
   ), described AS (
     INSERT INTO %.metadata SELECT id, :metadata::text FROM changed WHERE :metadata::text IS NOT NULL
     ON CONFLICT (conversation) DO UPDATE SET json = excluded.json
   ), bare AS (
     DELETE FROM %.metadata USING changed
     WHERE conversation = changed.id AND :hasMetadata::boolean AND :metadata::text IS NULL
   )
   SELECT version FROM changed`,
)

export async function updateConversation(
  db: PostgresConnection,
  id: string,
  version: number,
  changes: ConversationChanges,
): Promise<number> {
  const changed = await db.row<{ version: number }>(update, {
    ...changes,
    id,
    version,
    checksum: changes.settings === undefined ? undefined : crc32(changes.settings) | 0,
    hasTitle: changes.title !== undefined,
    hasOwner: changes.owner !== undefined,
    hasShelf: changes.shelf !== undefined,
    hasMetadata: changes.metadata !== undefined,
  })
  return changed?.version ?? refuseChange(db, id, version, changes.head ?? 0)
}

/** Deletes the conversation with all that refers to it. A trigger ends its replies in flight. */
const remove = statement(
  'delete the conversation',
  `DELETE FROM %.conversation WHERE public_id = :id AND (:usedBefore::bigint IS NULL OR updated_at < :usedBefore::bigint)
   RETURNING id`,
)

export async function deleteConversation(
  db: PostgresConnection,
  id: string,
  { usedBefore }: DeleteOptions = {},
): Promise<boolean> {
  return (await db.row(remove, { id, usedBefore })) !== undefined
}
