import { ConversationNotFoundError } from '../../errors.ts'
import { searchText } from '../../history/text.ts'
import { usageOf } from '../../money/spending.ts'
import { lateFinish } from '../late-finish.ts'
import type { LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { BeginStep, BegunTurn, FinishedTurn, FinishStep, JournalStep, RepeatedTurn } from '../store.ts'
import { checksumOf, type MessageRow, StoredMessage } from '../stored-message.ts'
import { type PostgresConnection, statement } from './connection.ts'
import { findConversation, refuseChange } from './conversation-row.ts'
import { messageColumns } from './messages.ts'
import { accountsJson, limitedJson } from './spending.ts'

/** Finds the message with the key, and the newest reply to it. */
const find = statement(
  'read the conversation',
  `WITH sent AS (SELECT number FROM %.message WHERE conversation = :conversation AND key = :key::text)
   SELECT ${messageColumns}, (SELECT number FROM sent) AS sent FROM %.message
   WHERE conversation = :conversation AND parent = (SELECT number FROM sent) AND role = 'assistant'
   ORDER BY number DESC LIMIT 1`,
)

export async function findTurn(db: PostgresConnection, id: string, key: string): Promise<RepeatedTurn | undefined> {
  const conversation = (await findConversation(db, id)).id
  const repeated = await db.row<MessageRow & { sent: number }>(find, { conversation, key })
  if (repeated === undefined) return undefined
  const { sent, ...reply } = repeated
  return { repeated: true, message: sent, reply: new StoredMessage(id, reply) }
}

/**
 * Begins a turn in one round trip.
 *
 * - `conversation` takes the numbers of the new messages, if the version is the given one, the parent exists and the key is
 *   new. Otherwise it is empty, and nothing else happens.
 * - `question` are the user's messages, each the child of the one before; the last one gets the key.
 * - `answer` is the empty message for the reply, `leased` its lease.
 * - The last line reserves in the accounts. If that exceeds a limit, `enter` raises an error and undoes the whole statement.
 */
const begin = statement(
  'begin the turn',
  `WITH conversation AS (
     UPDATE %.conversation c SET version = version + 1, last = last + :count::int + 1,
       head = CASE WHEN :role::text = 'summary' THEN head ELSE last + :count::int + 1 END, updated_at = :at::bigint,
       title = coalesce(title, :title::text)
     WHERE public_id = :id AND version = :version::int
       AND (:parent::int = 0 OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = :parent::int))
       AND (:key::text IS NULL OR NOT EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND key = :key::text))
     RETURNING id, version, last
   ), question AS (
     INSERT INTO %.message (conversation, number, parent, role, state, created_at, key, json, words, checksum)
     SELECT id, last - :count::int - 1 + i, CASE WHEN i = 1 THEN :parent::int ELSE last - :count::int - 2 + i END,
       value->>'role', 'committed', :at::bigint, CASE WHEN i = :count::int THEN :key::text END, value->>'json',
       value->>'words', (value->>'checksum')::int
     FROM conversation, json_array_elements(:messages::json) WITH ORDINALITY AS row (value, i)
   ), answer AS (
     INSERT INTO %.message (conversation, number, parent, role, state, created_at, json, words)
     SELECT id, last, CASE WHEN :count::int = 0 THEN :parent::int ELSE last - 1 END, :role::text, 'pending',
       :at::bigint, '', ''
     FROM conversation RETURNING id, conversation
   ), leased AS (
     INSERT INTO %.lease (message, conversation, owner, until, held_pico_usd, held_tokens, accounts)
     SELECT id, conversation, :owner, :until::bigint, :picoUsd::bigint, :tokens::bigint, :accounts::text FROM answer
   )
   SELECT version, last, answer.id::float8 AS handle, CASE WHEN :limited::text IS NOT NULL
     THEN %.enter(:limited::text, 0, 0, :picoUsd::bigint, :tokens::bigint, 0) END
   FROM conversation, answer`,
)

export async function beginTurn(
  db: PostgresConnection,
  clock: LeaseClock,
  step: BeginStep,
): Promise<BegunTurn | RepeatedTurn> {
  const { id, version, parent, messages, role = 'assistant', key, title, reservation, at } = step
  const { picoUsd = 0n, tokens = 0n, accounts = [] } = reservation ?? {}
  const count = messages.length
  const begun = await db.row<{ version: number; last: number; handle: number }>(begin, {
    id,
    version,
    parent,
    role,
    key,
    title,
    at,
    count,
    messages: JSON.stringify(messages.map(questionRow)),
    owner: thisProcess(),
    until: clock.end,
    picoUsd: String(picoUsd),
    tokens: String(tokens),
    accounts: accountsJson(accounts),
    limited: limitedJson(accounts),
  })
  if (begun !== undefined) {
    const { version: newVersion, last, handle } = begun
    return { repeated: false, version: newVersion, first: last - count, reply: last, handle }
  }
  const repeated = key === undefined ? undefined : await findTurn(db, id, key)
  return repeated ?? refuseChange(db, id, version, parent)
}

/** Extends the lease and, if there is text, adds it to the journal and marks the reply as streaming. */
const journal = statement(
  'write the journal of the reply',
  `WITH lease AS (
     UPDATE %.lease SET until = :until::bigint WHERE message = :handle::bigint RETURNING message, stopping
   ), journal AS (
     INSERT INTO %.delta SELECT message, :index::int, :json::text FROM lease WHERE :json::text <> ''
   ), reply AS (
     UPDATE %.message SET state = 'streaming' FROM lease
     WHERE id = lease.message AND state = 'pending' AND :json::text <> ''
   )
   SELECT stopping FROM lease`,
)

export async function journalReply(db: PostgresConnection, clock: LeaseClock, step: JournalStep): Promise<boolean> {
  const { handle, index, json } = step
  const lease = await db.row<{ stopping: boolean }>(journal, { handle, index, json, until: clock.end })
  return lease?.stopping ?? false
}

/**
 * Ends a reply in one round trip.
 *
 * - `journal` deletes its journal.
 * - `ended` writes the reply, unless it has ended before.
 * - `lease` ends its lease, unless it waits for tools, and `settled` settles its reservation. A reply without a known price
 *   is charged with its whole reservation.
 */
const finish = statement(
  'save the reply',
  `WITH journal AS (
     DELETE FROM %.delta WHERE message = :handle::bigint
   ), ended AS (
     UPDATE %.message SET state = :state::text, json = :json::text, received = :received::text, reply = :reply::text,
       words = :words::text, checksum = :checksum::int
     WHERE id = :handle::bigint AND state IN ('pending', 'streaming', 'awaiting_tools') RETURNING number
   ), lease AS (
     DELETE FROM %.lease WHERE message = :handle::bigint AND :state::text <> 'awaiting_tools'
     RETURNING held_pico_usd, held_tokens, accounts
   ), settled AS (
     SELECT %.enter(accounts, coalesce(:picoUsd::bigint, held_pico_usd), :tokens::bigint, -held_pico_usd, -held_tokens,
       (:picoUsd::bigint IS NULL)::int) AS entered FROM lease WHERE accounts IS NOT NULL
   )
   SELECT number, (SELECT count(entered) FROM settled) FROM ended`,
)

export async function finishReply(db: PostgresConnection, step: FinishStep): Promise<FinishedTurn> {
  const { handle, state, json, received, reply } = step
  const used = usageOf(reply)
  const [picoUsd, tokens] = [used.picoUsd?.toString(), String(used.tokens)]
  const words = searchText(received ?? json)
  const checksum = checksumOf(step)
  const values = { handle, state, json, received, reply, words, checksum, picoUsd, tokens }
  const ended = await db.row<FinishedTurn>(finish, values)
  return ended ? { number: ended.number } : finishLate(db, step)
}

const readStored = statement('save the reply', `SELECT ${messageColumns} FROM %.message WHERE id = :handle`)

/**
 * Adds a reply beside the stored one.
 *
 * - `stored` marks the stored reply as unpaid, if another process has not changed it in the meantime.
 * - `conversation` takes a number for the late reply and moves the head to it from the stored one.
 * - `added` is the late reply.
 * - The last line corrects the accounts.
 */
const finishBeside = statement(
  'save the reply',
  `WITH stored AS (
     UPDATE %.message SET reply = :replaced::text, checksum = :replacedChecksum::int
     WHERE id = :handle::bigint AND reply = :stored::text
     RETURNING conversation, number, parent, role
   ), conversation AS (
     UPDATE %.conversation c SET version = version + 1, corrected = version + 1, last = last + 1,
       updated_at = :at::bigint, head = CASE WHEN head = stored.number THEN last + 1 ELSE head END
     FROM stored WHERE c.id = stored.conversation RETURNING c.id, last, stored.parent, stored.role
   ), added AS (
     INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, words, checksum)
     SELECT id, last, parent, role, :state::text, :at::bigint, :reply::text, :received::text, :json::text, :words::text,
       :checksum::int
     FROM conversation RETURNING number
   )
   SELECT number, CASE WHEN :accounts::text IS NOT NULL
     THEN %.enter(:accounts::text, :picoUsd::bigint, :tokens::bigint, 0, 0, :unpriced::int) END
   FROM added`,
)

async function finishLate(db: PostgresConnection, step: FinishStep): Promise<FinishedTurn> {
  const { id, handle, state, json, received, reply, at, accounts = [] } = step
  const stored = await db.row<MessageRow & { reply: string }>(readStored, { handle })
  if (stored === undefined) throw new ConversationNotFoundError(id)
  const late = lateFinish(stored.reply, step)
  if (late === undefined) return { number: stored.number }
  const { replaced, correction } = late
  const added = await db.row<FinishedTurn>(finishBeside, {
    handle,
    state,
    json,
    received,
    reply,
    at,
    words: searchText(received ?? json),
    checksum: checksumOf(step),
    stored: stored.reply,
    replaced,
    replacedChecksum: checksumOf({ ...stored, reply: replaced }),
    accounts: correction && accountsJson(accounts),
    picoUsd: String(correction?.picoUsd ?? 0n),
    tokens: String(correction?.tokens ?? 0n),
    unpriced: correction?.unpriced ?? 0,
  })
  if (added === undefined) throw new ConversationNotFoundError(id)
  return { number: added.number }
}

function questionRow({ role, json }: { role: string; json: string }): object {
  const checksum = checksumOf({ state: 'committed', json, received: null, reply: null })
  return { role, json, words: searchText(json), checksum }
}
