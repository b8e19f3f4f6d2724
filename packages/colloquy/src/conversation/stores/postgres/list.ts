import { StoreError } from '../../errors.ts'
import type { ConversationSummary, ListQuery } from '../store.ts'
import { type CountedReply, TotalsCounter } from '../totals.ts'
import { caseForms } from '../../history/text.ts'
import type { LeaseClock } from '../lease.ts'
import { type PostgresConnection, statement } from './connection.ts'
import { isUnfinished } from './leases.ts'

const doing = 'list the conversations'

/** How often a list is read in which replies are being erased. */
const mostAttempts = 5

interface ListedRow extends Omit<ConversationSummary, 'totals'> {
  row: number
  /** The saved totals, if they are valid. */
  saved: string | null
}

// Chosen first, so that the other tables are read for these rows only. In ORDER BY, `id` alone would be the column of the result,
// which is public.
const readRows = statement(
  doing,
  `SELECT id::float8 AS row, c.version, public_id AS id, owner, m.json AS metadata, shelf, title,
     created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt", last AS messages,
     (SELECT max(number) FROM %.message r WHERE r.conversation = c.id AND number >= c.in_flight_from
       AND role = 'assistant' AND until >= :now::bigint) AS receiving,
     CASE WHEN t.version >= corrected THEN t.json END AS saved
   FROM (SELECT * FROM %.conversation
     WHERE (:owner::text IS NULL OR owner = :owner::text)
       AND (:shelf::text IS NULL OR CASE :shelf::text WHEN 'none' THEN shelf IS NULL ELSE shelf = :shelf::text END)
       AND (:usedBefore::bigint IS NULL OR updated_at < :usedBefore::bigint)
       AND (:pattern::text IS NULL OR title ~ :pattern::text)
       AND (:beforeTime::bigint IS NULL OR (updated_at, id) < (:beforeTime::bigint,
         coalesce((SELECT id FROM %.conversation WHERE public_id = :beforeId::text), 9e18::bigint)))
     ORDER BY updated_at DESC, id DESC LIMIT :limit::int
   ) c LEFT JOIN %.metadata m ON m.conversation = id LEFT JOIN %.totals t ON t.conversation = id
   ORDER BY updated_at DESC, c.id DESC`,
)

export async function listConversations(
  db: PostgresConnection,
  clock: LeaseClock,
  { title, before, totals = true, ...query }: ListQuery,
): Promise<ConversationSummary[]> {
  const pattern =
    title === undefined ? undefined : Array.from(title, (character) => expressionOf(caseForms(character))).join('')
  const place = { beforeTime: before?.updatedAt, beforeId: before?.id }
  for (let attempt = 1; ; attempt++) {
    const rows = await db.rows<ListedRow>(readRows, { ...query, ...place, pattern, now: clock.now() })
    if (!totals) return rows.map(({ row: _, saved: __, ...summary }) => summary)
    const { counters, isValid } = await countReplies(db, rows)
    if (isValid || attempt === mostAttempts)
      return rows.map(({ row, saved: _, ...summary }) => ({ ...summary, totals: counters.get(row)!.totals }))
  }
}

/** A part of a regular expression that matches one of some characters. */
function expressionOf(forms: readonly string[]): string {
  const [only = ''] = forms
  return forms.length === 1 ? only.replace(/[.*+?^$(){}|[\]\\]/, String.raw`\$&`) : `[${forms.join('')}]`
}

interface Counted {
  /** By row. */
  counters: Map<number, TotalsCounter>
  /** Whether no reply was erased while they were counted. */
  isValid: boolean
}

/** Adds the replies since the totals were last saved, and saves the totals. */
async function countReplies(db: PostgresConnection, rows: readonly ListedRow[]): Promise<Counted> {
  const counters = new Map(rows.map(({ row, saved }) => [row, new TotalsCounter(saved)]))
  const stale = rows.filter(({ row, messages }) => counters.get(row)!.countedTo !== messages)
  if (stale.length === 0) return { counters, isValid: true }
  await addErased(db, stale, counters)
  await addReplies(db, stale, counters)
  for (const { row, messages } of stale) counters.get(row)!.end(messages)
  return { counters, isValid: await saveTotals(db, stale, counters) }
}

const readErased = statement(
  doing,
  `SELECT conversation::float8 AS conversation, reply FROM %.erased
   WHERE conversation IN (SELECT value::bigint FROM json_array_elements_text(:conversations::json))`,
)

async function addErased(
  db: PostgresConnection,
  stale: readonly ListedRow[],
  counters: ReadonlyMap<number, TotalsCounter>,
): Promise<void> {
  const conversations = stale.map(({ row }) => row).filter((row) => counters.get(row)!.isNew)
  if (conversations.length === 0) return
  const values = { conversations: JSON.stringify(conversations) }
  const erased = await db.rows<{ conversation: number; reply: string }>(readErased, values)
  for (const { conversation, reply } of erased) counters.get(conversation)!.addErased(reply)
}

const batch = 1_000

/** The replies after the given number of each conversation, by conversation and number. */
const readReplies = statement(
  doing,
  `SELECT conversation::float8 AS conversation, number, state, reply
   FROM json_to_recordset(:stale::json) AS stale (id bigint, after int)
     JOIN %.message ON conversation = stale.id AND number > after
   WHERE reply IS NOT NULL OR ${isUnfinished}
   ORDER BY conversation, number LIMIT :batch::int`,
)

async function addReplies(
  db: PostgresConnection,
  stale: readonly ListedRow[],
  counters: ReadonlyMap<number, TotalsCounter>,
): Promise<void> {
  const after = new Map(stale.map(({ row }) => [row, counters.get(row)!.countedTo]))
  for (;;) {
    const rest = JSON.stringify([...after].map(([id, number]) => ({ id, after: number })))
    const replies = await db.rows<CountedReply & { conversation: number }>(readReplies, { stale: rest, batch })
    for (const { conversation, ...reply } of replies) counters.get(conversation)!.add(reply)
    const last = replies.at(-1)
    if (last === undefined || replies.length < batch) return
    // The batch ended in this conversation: those before it are done.
    for (const id of after.keys()) if (id < last.conversation) after.delete(id)
    after.set(last.conversation, last.number)
  }
}

const save = statement(
  doing,
  `INSERT INTO %.totals
   SELECT conversation, row.version, json
   FROM json_to_recordset(:totals::json) AS row (conversation bigint, version int, json text)
     JOIN %.conversation c ON c.id = conversation AND corrected <= row.version
   ON CONFLICT (conversation) DO UPDATE SET version = excluded.version, json = excluded.json
   RETURNING conversation`,
)

/** Saves totals that are valid. Returns whether all of them are. */
async function saveTotals(
  db: PostgresConnection,
  stale: readonly ListedRow[],
  counters: ReadonlyMap<number, TotalsCounter>,
): Promise<boolean> {
  const totals = stale
    .map(({ row, version }) => ({ conversation: row, version, json: counters.get(row)!.save() }))
    // In one order, so that two lists never wait for each other.
    .toSorted((a, b) => a.conversation - b.conversation)
  try {
    return (await db.rows(save, { totals: JSON.stringify(totals) })).length === stale.length
  } catch (error) {
    // The list is correct without it: a read-only database can be listed, and a conversation may have been deleted.
    if (!(error instanceof StoreError)) throw error
    return true
  }
}
