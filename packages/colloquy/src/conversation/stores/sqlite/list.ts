import { setImmediate as nextTask } from 'node:timers/promises'
import { StoreError } from '../../errors.ts'
import type { ConversationSummary, ConversationTotals, ListQuery } from '../store.ts'
import { endOfPage } from '../stored-message.ts'
import { caseForms } from '../../history/text.ts'
import { type CountedReply, TotalsCounter } from '../totals.ts'
import type { LeaseClock } from '../lease.ts'
import type { SqliteConnection } from './database/connection.ts'
import { isUnfinished } from './leases.ts'

const doing = 'list the conversations'

/** How often a list is read in which replies are being erased. */
const mostAttempts = 5

interface ListedRow extends Omit<ConversationSummary, 'totals'> {
  row: number
  /** The saved totals, if they are valid. */
  saved: string | null
}

export async function listConversations(
  db: SqliteConnection,
  clock: LeaseClock,
  { totals = true, ...query }: ListQuery,
): Promise<ConversationSummary[]> {
  for (let attempt = 1; ; attempt++) {
    let isValid = true
    const summaries: ConversationSummary[] = []
    for (const listed of db.read(doing, () => readRows(db, clock, query))) {
      const { row: _, saved: __, ...summary } = listed
      const counted = totals ? await countReplies(db, listed) : undefined
      isValid &&= counted?.isValid ?? true
      summaries.push(counted === undefined ? summary : { ...summary, totals: counted.totals })
    }
    if (isValid || attempt === mostAttempts) return summaries
  }
}

function readRows(
  db: SqliteConnection,
  clock: LeaseClock,
  { limit, before, usedBefore, owner, shelf, title }: ListQuery,
): ListedRow[] {
  const conditions: string[] = []
  const values: (string | number)[] = [clock.now()]
  if (owner !== undefined) {
    conditions.push('owner = ?')
    values.push(owner)
  }
  if (shelf === 'none') conditions.push('shelf IS NULL')
  else if (shelf !== undefined) {
    conditions.push('shelf = ?')
    values.push(shelf)
  }
  if (title !== undefined) {
    conditions.push('title GLOB ?')
    values.push(`*${Array.from(title, (character) => globOf(caseForms(character))).join('')}*`)
  }
  if (usedBefore !== undefined) {
    conditions.push('updated_at < ?')
    values.push(usedBefore)
  }
  if (before !== undefined) {
    conditions.push('(updated_at, id) < (?, coalesce((SELECT id FROM conversation WHERE public_id = ?), 9e18))')
    values.push(before.updatedAt, before.id)
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  // Chosen first: SQLite sorts rows with all their columns, which would be read for every conversation.
  const chosen = `SELECT id FROM conversation ${where} ORDER BY updated_at DESC, id DESC LIMIT ?`
  // In ORDER BY, `id` alone would be the column of the result, which is public.
  return db.rows<ListedRow>(
    `SELECT id AS row, c.version, public_id AS id, owner, m.json AS metadata, shelf, title, created_at AS createdAt,
       updated_at AS updatedAt, last AS messages,
       (SELECT max(number) FROM message r WHERE r.conversation = c.id AND number >= c.in_flight_from
         AND role = 'assistant' AND until >= ?) AS receiving, CASE WHEN t.version >= corrected THEN t.json END AS saved
     FROM conversation c LEFT JOIN metadata m ON m.conversation = id LEFT JOIN totals t ON t.conversation = id
     WHERE c.id IN (${chosen}) ORDER BY updated_at DESC, c.id DESC`,
    [...values, limit],
  )
}

/** Matches one of some characters. The only one, in brackets of its own, has no other meaning. */
function globOf(forms: readonly string[]): string {
  const [only = ''] = forms
  return forms.length === 1 && !'*?['.includes(only) ? only : `[${forms.join('')}]`
}

// Few enough to be read in some milliseconds.
const batch = 1_000

interface Counted {
  totals: ConversationTotals
  /** Whether no reply was erased while they were counted. */
  isValid: boolean
}

/** Adds the replies since the totals were last saved, and saves the totals. */
async function countReplies(db: SqliteConnection, listed: ListedRow): Promise<Counted> {
  const { id, row, saved, messages } = listed
  const counter = new TotalsCounter(saved)
  if (counter.countedTo === messages) return { totals: counter.totals, isValid: true }
  if (counter.isNew) for (const reply of erasedReplies(db, row)) counter.addErased(reply)
  for (let from = counter.countedTo; ;) {
    const replies = repliesAfter(db, row, from)
    for (const reply of replies) counter.add(reply)
    // Let other work run before the next batch or conversation.
    await nextTask()
    if (replies.length < batch) break
    from = endOfPage(id, replies, from)
  }
  counter.end(messages)
  return { totals: counter.totals, isValid: await saveTotals(db, listed, counter.save()) }
}

function erasedReplies(db: SqliteConnection, conversation: number): string[] {
  const sql = 'SELECT reply FROM erased WHERE conversation = ?'
  return db.read(doing, () => db.rows<{ reply: string }>(sql, [conversation])).map(({ reply }) => reply)
}

function repliesAfter(db: SqliteConnection, conversation: number, number: number): CountedReply[] {
  const sql = `SELECT number, state, reply FROM message WHERE conversation = ? AND number > ?
    AND (reply IS NOT NULL OR ${isUnfinished}) ORDER BY number LIMIT ?`
  return db.read(doing, () => db.rows<CountedReply>(sql, [conversation, number, batch]))
}

/** Saves totals if they are valid, and returns whether they are. */
async function saveTotals(db: SqliteConnection, { row, id, version }: ListedRow, json: string): Promise<boolean> {
  // The row may be that of another conversation by now.
  const sql = `INSERT OR REPLACE INTO totals
    SELECT id, ?, ? FROM conversation WHERE id = ? AND public_id = ? AND corrected <= ?`
  try {
    return (await db.write(doing, () => db.run(sql, [version, json, row, id, version]))).changes > 0
  } catch (error) {
    // The list is correct without it: a file that is read-only or locked can still be listed.
    if (!(error instanceof StoreError)) throw error
    return true
  }
}
