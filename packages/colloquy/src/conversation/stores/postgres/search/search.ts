import { excerptOf } from '../../../history/text.ts'
import type { Candidate } from '../../matches.ts'
import type { SearchHit, SearchQuery } from '../../store.ts'
import { type PostgresConnection, type Statement, statement } from '../connection.ts'
import { indexNewMessages } from './text-index.ts'

/** Finds the messages that contain every word, the last added first. */
export async function searchMessages(
  db: PostgresConnection,
  words: readonly string[],
  { limit, owner }: SearchQuery,
): Promise<SearchHit[]> {
  await indexNewMessages(db)
  const rows = await db.rows<Candidate>(searchFor(words.length), {
    limit,
    owner,
    ...Object.fromEntries(words.map((word, index) => [`word${index}`, patternOf(word)])),
  })
  return rows.map(({ json, ...hit }) => ({ ...hit, excerpt: excerptOf(json, words[0]!) }))
}

function searchFor(count: number): Statement {
  const conditions = Array.from({ length: count }, (_, index) => `words LIKE :word${index}::text`).join(' AND ')
  return statement(
    'search the conversations',
    `SELECT public_id AS "conversationId", title, number, role, m.created_at::float8 AS "createdAt",
       coalesce(received, json) AS json
     FROM %.search s JOIN %.message m ON m.id = s.message JOIN %.conversation c ON c.id = m.conversation
     WHERE ${conditions} AND (:owner::text IS NULL OR c.owner = :owner::text)
     ORDER BY s.message DESC LIMIT :limit::int`,
  )
}

function patternOf(word: string): string {
  return `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
}
