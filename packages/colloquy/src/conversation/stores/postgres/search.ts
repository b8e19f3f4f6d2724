import type { PostgresConnection } from './connection.ts'
import type { SearchHit } from '../store.ts'
import { excerptOf } from '../../history/text.ts'

/** The messages that hold every word, the newest first. */
export async function searchMessages(
  db: PostgresConnection,
  words: readonly string[],
  limit: number,
): Promise<SearchHit[]> {
  const patterns = words.map((word) => `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)
  const conditions = patterns.map((_, index) => `words ILIKE $${index + 2}::text`).join(' AND ')
  const rows = await db.rows<Omit<SearchHit, 'excerpt'> & { words: string }>(
    'search the conversations',
    `SELECT public_id AS "conversationId", title, number, role, m.created_at::float8 AS "createdAt", words
     FROM %.message m JOIN %.conversation c ON c.id = m.conversation
     WHERE role <> 'summary' AND ${conditions} ORDER BY m.created_at DESC, m.conversation DESC, number DESC LIMIT $1::int`,
    [limit, ...patterns],
  )
  return rows.map(({ words: text, ...hit }) => ({ ...hit, excerpt: excerptOf(text, words[0]!) }))
}
