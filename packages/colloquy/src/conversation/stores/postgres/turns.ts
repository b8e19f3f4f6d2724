import { ConversationNotFoundError } from '../../errors.ts'
import { usageOf } from '../../money/spending.ts'
import { lateFinish } from '../late-finish.ts'
import type { LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { BeginStep, BegunTurn, FinishedTurn, FinishStep, JournalStep, RepeatedTurn } from '../store.ts'
import { checksumOf, type MessageRow, originChecksum, placeSql, StoredMessage } from '../stored-message.ts'
import { commitLater, type PostgresConnection, statement } from './connection.ts'
import { findConversation, refuseChange } from './conversation-row.ts'
import { isAway } from './error.ts'
import { isOfId, messageColumns, rowsOf } from './messages.ts'
import { accountsJson, limitedJson } from './spending.ts'

/** Finds the message with the key, and the newest reply to it. */
const find = statement(
  'read the conversation',
  `WITH sent AS (SELECT number FROM %.message WHERE ${isOfId} AND key = :key::text)
   SELECT ${messageColumns}, (SELECT number FROM sent) AS sent FROM %.message
   WHERE ${isOfId} AND parent = (SELECT number FROM sent) AND role = 'assistant'
   ORDER BY number DESC LIMIT 1`,
)

export async function findTurn(db: PostgresConnection, id: string, key: string): Promise<RepeatedTurn | undefined> {
  const [repeated] = await rowsOf<MessageRow & { sent: number }>(db, find, { id, key })
  if (repeated === undefined) return undefined
  const { sent, ...reply } = repeated
  return { repeated: true, message: sent, reply: new StoredMessage(id, reply) }
}

const begin = statement(
  'begin the turn',
  `SELECT begun.*, ${commitLater} FROM %.begin_turn(:id, :version, :parent, :count, :messages, :role, :key, :title, :at, :owner,
     :until, :picoUsd, :tokens, :accounts, :limited, :origin) AS begun`,
  { isFrequent: true },
)

interface BegunRow {
  begun_version: number
  begun_last: number
  handle: number
}

/** Finds a turn that was begun although its answer was lost: the last one, begun by this process at that time. */
const findBegun = statement(
  'begin the turn',
  `SELECT version AS begun_version, last AS begun_last, m.id::float8 AS handle
   FROM %.conversation c JOIN %.message m ON m.conversation = c.id AND number = last
   WHERE public_id = :id::text AND version = :version::int + 1 AND m.created_at = :at::bigint AND m.role = :role::text
     AND m.owner = :owner::text AND (:json::text IS NULL OR :json::text =
       (SELECT json FROM %.message WHERE conversation = c.id AND number = m.parent))`,
)

/**
 * Begins a turn, also if the database is away for a while. Once an attempt has failed, a version that has changed may be the
 * work of that attempt, whose answer was lost. Undefined if nothing was begun.
 */
async function beginOnce(
  db: PostgresConnection,
  clock: LeaseClock,
  values: Readonly<Record<string, unknown>>,
): Promise<BegunRow | undefined> {
  let hasFailed = false
  const attempt = async (): Promise<BegunRow | undefined> => {
    try {
      const begun = await db.row<BegunRow>(begin, { ...values, until: clock.end })
      if (begun !== undefined || !hasFailed) return begun
      const found = await db.row<BegunRow>(findBegun, values)
      // Another turn of this process may have begun with the same words at the same time.
      const known = found && db.begun.get(found.handle)
      return known?.id === values['id'] && known?.at === values['at'] ? undefined : found
    } catch (error) {
      hasFailed = true
      throw error
    }
  }
  return whileAway(attempt, clock.heartbeatMs)
}

export async function beginTurn(
  db: PostgresConnection,
  clock: LeaseClock,
  step: BeginStep,
): Promise<BegunTurn | RepeatedTurn> {
  const { id, version, parent, messages, role = 'assistant', key, title, reservation, at } = step
  const { picoUsd = 0n, tokens = 0n, accounts = [] } = reservation ?? {}
  const count = messages.length
  const values = {
    id,
    version,
    parent,
    role,
    key,
    title,
    at,
    count,
    messages: JSON.stringify(messages.map((message) => questionRow(step, message))),
    json: messages.at(-1)?.json,
    owner: thisProcess(),
    picoUsd: String(picoUsd),
    tokens: String(tokens),
    accounts: accountsJson(accounts),
    limited: limitedJson(accounts),
    origin: originChecksum(id, { role, createdAt: at }),
  }
  const begun = await beginOnce(db, clock, values)
  if (begun !== undefined) {
    const { begun_version: newVersion, begun_last: last } = begun
    const handle = db.begun.has(begun.handle) ? await newHandle(db, begun.handle) : begun.handle
    db.begun.set(handle, { ...step, reply: last })
    return { repeated: false, version: newVersion, first: last - count, reply: last, handle }
  }
  const repeated = key === undefined ? undefined : await findTurn(db, id, key)
  return repeated ?? refuseChange(db, id, version, parent)
}

const moveHandle = statement(
  'begin the turn',
  'UPDATE %.message SET id = DEFAULT WHERE id = :handle RETURNING id::float8 AS handle',
)

/** Changes the handle of a reply that was begun. A database that crashes may forget a reply and use its handle again. */
async function newHandle(db: PostgresConnection, used: number): Promise<number> {
  return (await db.row<{ handle: number }>(moveHandle, { handle: used }))!.handle
}

/** Extends the lease and, if there is text, adds it to the journal and marks the reply as streaming. */
const journal = statement(
  'write the journal of the reply',
  `WITH reply AS (
     UPDATE %.message SET until = :until::bigint,
       state = CASE WHEN state = 'pending' AND :json::text <> '' THEN 'streaming' ELSE state END
     WHERE id = :handle::bigint AND owner = :owner::text RETURNING id, stopping
   ), journal AS (
     INSERT INTO %.delta SELECT id, :index::int, :json::text FROM reply WHERE :json::text <> '' ON CONFLICT DO NOTHING
   )
   SELECT stopping, ${commitLater} FROM reply`,
  { isFrequent: true },
)

export async function journalReply(db: PostgresConnection, clock: LeaseClock, step: JournalStep): Promise<boolean> {
  const { handle, index, json } = step
  const write = (): Promise<{ stopping: boolean | null } | undefined> =>
    db.row(journal, { handle, index, json, owner: thisProcess(), until: clock.end })
  const lease = await whileAway(write, clock.heartbeatMs)
  return lease?.stopping ?? false
}

/** Does work again that fails because the database is away, such as for a restart. Gives up after a time in milliseconds. */
async function whileAway<T>(work: () => Promise<T>, limitMs: number): Promise<T> {
  const end = performance.now() + limitMs
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error) || performance.now() + waitMs > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

const finish = statement(
  'save the reply',
  `SELECT %.finish_turn(:handle::bigint, :state, :json, :received, :reply, :checksum, :picoUsd, :tokens, :continues) AS number
   WHERE :owner::text IS NULL OR EXISTS (SELECT 1 FROM %.message WHERE id = :handle::bigint AND owner = :owner::text)`,
  { isFrequent: true },
)

export async function finishReply(db: PostgresConnection, clock: LeaseClock, step: FinishStep): Promise<FinishedTurn> {
  try {
    const finished = await whileAway(() => storeReply(db, clock, step), clock.heartbeatMs)
    db.begun.delete(step.handle)
    return finished
  } catch (error) {
    // A turn that was erased never ends. After any other error the step is repeated.
    if (error instanceof ConversationNotFoundError) db.begun.delete(step.handle)
    throw error
  }
}

async function storeReply(db: PostgresConnection, clock: LeaseClock, step: FinishStep): Promise<FinishedTurn> {
  const { handle, state, json, received, reply, continues = false } = step
  const used = usageOf(reply)
  const [picoUsd, tokens] = [used.picoUsd?.toString(), String(used.tokens)]
  // Another process may have recovered the reply; or the database has lost it, and gave its handle to the reply of another turn.
  const owner = step.recovering === true ? null : thisProcess()
  const values = { handle, state, json, received, reply, checksum: checksumOf(step), picoUsd, tokens, continues, owner }
  const number = (await db.row<{ number: number | null }>(finish, values))?.number
  return number == null ? finishLate(db, clock, step) : { number }
}

/** Reads the stored reply, and the number of the reply if the step has stored it before. */
const readStored = statement(
  'save the reply',
  `SELECT ${messageColumns}, (SELECT number FROM %.message AS sent
     WHERE sent.conversation = message.conversation AND sent.number >= message.number AND sent.parent = message.parent
       AND (sent.id = message.id OR sent.created_at = :at::bigint) AND sent.state = :state::text AND sent.json = :json::text
       AND sent.received IS NOT DISTINCT FROM :received::text AND sent.reply = :reply::text LIMIT 1) AS sent
   FROM %.message AS message
   WHERE id = :handle::bigint AND conversation = (SELECT id FROM %.conversation WHERE public_id = :id::text)
     AND (:begunAt::bigint IS NULL OR created_at = :begunAt::bigint)`,
)

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
     INSERT INTO %.message (conversation, number, parent, role, state, created_at, reply, received, json, checksum,
       place_checksum)
     SELECT id, last, parent, role, :state::text, :at::bigint, :reply::text, :received::text, :json::text, :checksum::int,
       ${placeSql(':origin::int', 'last', 'parent')}
     FROM conversation RETURNING number
   )
   SELECT number, CASE WHEN :accounts::text IS NOT NULL
     THEN %.enter(:accounts::text, :picoUsd::bigint, :tokens::bigint, 0, 0, :unpriced::int) END
   FROM added`,
)

async function finishLate(db: PostgresConnection, clock: LeaseClock, step: FinishStep): Promise<FinishedTurn> {
  const { id, handle, state, json, received, reply, at, accounts = [] } = step
  const values = { id, handle, at, state, json, received, reply, begunAt: db.begun.get(handle)?.at }
  const stored = await db.row<MessageRow & { reply: string; sent: number | null }>(readStored, values)
  if (stored === undefined) return finishReply(db, clock, { ...step, handle: await beginAgain(db, clock, step) })
  if (stored.sent !== null) return { number: stored.sent }
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
    checksum: checksumOf(step),
    origin: originChecksum(id, { role: stored.role, createdAt: at }),
    stored: stored.reply,
    replaced,
    replacedChecksum: checksumOf({ ...stored, reply: replaced }),
    accounts: correction && accountsJson(accounts),
    picoUsd: String(correction?.picoUsd ?? 0n),
    tokens: String(correction?.tokens ?? 0n),
    unpriced: correction?.unpriced ?? 0,
  })
  // It was erased meanwhile, or an earlier attempt of this step has stored it after all.
  return added === undefined ? finishLate(db, clock, step) : { number: added.number }
}

/** Finds the reply of a turn that this process has begun again, after which the connection was lost. */
const findAgain = statement(
  'save the reply',
  `SELECT m.id::float8 AS handle FROM %.conversation c JOIN %.message m ON m.conversation = c.id AND number = :reply::int
   WHERE public_id = :id::text AND m.created_at = :at::bigint AND coalesce(m.owner, :owner::text) = :owner::text`,
)

/**
 * Begins a turn again whose beginning was lost, and returns the new handle: nothing waits for it to reach the disk, so that a
 * database that crashes may forget it. Throws a `ConversationNotFoundError` if the turn was erased, or the conversation.
 */
async function beginAgain(db: PostgresConnection, clock: LeaseClock, { id, handle }: FinishStep): Promise<number> {
  const lost = db.begun.get(handle)
  const { version } = await findConversation(db, id)
  const again = lost && (await db.row<{ handle: number }>(findAgain, { ...lost, owner: thisProcess() }))
  if (again !== undefined) return again.handle
  // Erasing it changes the version, which a loss returns to what it was.
  if (version !== lost?.version) throw new ConversationNotFoundError(id)
  return ((await beginTurn(db, clock, lost)) as BegunTurn).handle
}

function questionRow({ id, at }: BeginStep, { role, json }: { role: string; json: string }): object {
  const checksum = checksumOf({ state: 'committed', json, received: null, reply: null })
  return { role, json, checksum, origin: originChecksum(id, { role, createdAt: at }) }
}
