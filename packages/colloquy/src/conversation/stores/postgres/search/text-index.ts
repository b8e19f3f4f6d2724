import { searchText } from '../../../history/text.ts'
import { type PostgresConnection, statement } from '../connection.ts'
import { isUnfinished } from '../leases.ts'

interface UnindexedRow {
  conversation: number
  /** The number of the newest message of the conversation. */
  last: number
  /** Null if the conversation has no message after those that are indexed: some were erased. */
  id: number | null
  number: number
  role: string
  unfinished: boolean
  json: string
}

const doing = 'search the conversations'
const batch = 200

/**
 * The messages that are not indexed, from a place on, by conversation and number. The messages have the condition on the place too:
 * a merge join reads their index from its beginning otherwise.
 */
const readUnindexed = statement(
  doing,
  `SELECT c.id::float8 AS conversation, last, m.id::float8 AS id, number, role, ${isUnfinished} AS unfinished,
     coalesce(received, json) AS json
   FROM %.conversation c LEFT JOIN %.message m
     ON m.conversation = c.id AND number > indexed_to AND m.conversation > :after::bigint
   WHERE indexed_to < last AND c.id > :after::bigint
   ORDER BY c.id, number LIMIT ${batch}`,
)

/**
 * Adds words to the index, and notes how far each conversation is indexed and which replies have not ended. Conversations
 * are locked before messages and in one order, as by the other statements. A message that is erased in the meantime is left
 * out.
 */
const index = statement(
  doing,
  `WITH locked AS (
     SELECT id FROM %.conversation WHERE id IN (SELECT id FROM json_to_recordset(:done::json) AS row (id bigint))
     ORDER BY id FOR NO KEY UPDATE
   ), present AS (
     SELECT m.id, words FROM json_to_recordset(:rows::json) AS row (id bigint, words text)
       JOIN %.message m ON m.id = row.id JOIN locked ON locked.id = m.conversation
     FOR KEY SHARE OF m
   ), added AS (
     INSERT INTO %.search SELECT id, words FROM present WHERE words <> '' ON CONFLICT DO NOTHING
   ), later AS (
     INSERT INTO %.search_later SELECT id FROM present WHERE words IS NULL ON CONFLICT DO NOTHING
   )
   UPDATE %.conversation c SET indexed_to = greatest(indexed_to, number)
   FROM locked, json_to_recordset(:done::json) AS row (id bigint, number int)
   WHERE c.id = locked.id AND row.id = locked.id`,
)

/** Indexes the messages written since the last search. */
export async function indexNewMessages(db: PostgresConnection): Promise<void> {
  for (let after = 0; ;) {
    const found = await db.rows<UnindexedRow>(readUnindexed, { after })
    if (found.length > 0) await indexRows(db, found)
    if (found.length < batch) break
    // The rest of the last conversation is in the next batch.
    after = found.at(-1)!.conversation - 1
  }
  await indexPostponed(db)
}

async function indexRows(db: PostgresConnection, found: readonly UnindexedRow[]): Promise<void> {
  const cutOff = found.length < batch ? undefined : found.at(-1)!.conversation
  const done = Array.from(
    Map.groupBy(found, ({ conversation }) => conversation),
    ([id, messages]) => {
      const { last, number } = messages.at(-1)!
      // The messages after the last one that exists were erased.
      return { id, number: id === cutOff ? number : last }
    },
  )
  const rows = found.map(({ id, role, unfinished, json }) => ({ id, words: unfinished ? null : wordsOf(role, json) }))
  await db.rows(index, { rows: JSON.stringify(rows), done: JSON.stringify(done) })
}

const readPostponed = statement(
  doing,
  `SELECT m.id::float8 AS id, role, coalesce(received, json) AS json
   FROM %.search_later l JOIN %.message m ON m.id = l.message WHERE NOT ${isUnfinished} ORDER BY m.id LIMIT ${batch}`,
)

const addPostponed = statement(
  doing,
  `WITH done AS (
     DELETE FROM %.search_later USING json_to_recordset(:rows::json) AS row (id bigint, words text)
     WHERE message = row.id RETURNING message, words
   )
   INSERT INTO %.search SELECT message, words FROM done WHERE words <> '' ON CONFLICT DO NOTHING`,
)

/** Indexes the replies that had not ended when the index came to them, and have ended since. */
async function indexPostponed(db: PostgresConnection): Promise<void> {
  for (;;) {
    const ended = await db.rows<{ id: number; role: string; json: string }>(readPostponed, {})
    if (ended.length === 0) return
    const rows = ended.map(({ id, role, json }) => ({ id, words: wordsOf(role, json) }))
    await db.rows(addPostponed, { rows: JSON.stringify(rows) })
  }
}

/** The words of a message in the index. Summaries are not searched. */
function wordsOf(role: string, json: string): string {
  return role === 'summary' ? '' : searchText(json)
}
