import { type Candidate, firstMatches } from '../../matches.ts'
import type { SearchHit, SearchQuery } from '../../store.ts'
import type { SqliteConnection } from '../database/connection.ts'
import { trigramsOf } from './postings.ts'
import { idsWith, indexNewMessages } from './text-index.ts'

/** Finds the messages that contain every word, the last added first. */
export async function searchMessages(
  db: SqliteConnection,
  words: readonly string[],
  { limit, owner }: SearchQuery,
): Promise<SearchHit[]> {
  await indexNewMessages(db)
  return firstMatches(candidates(db, trigramsOf(words), owner), words, limit)
}

/** Yields the messages that may match, the last added first. Without trigrams, these are all messages. */
function* candidates(
  db: SqliteConnection,
  trigrams: readonly number[],
  owner: string | undefined,
): Generator<Candidate | undefined> {
  for (const ids of idsWith(db, trigrams)) {
    for (const id of ids) yield read(db, id, owner)
    yield undefined
  }
}

function read(db: SqliteConnection, id: number, owner: string | undefined): Candidate | undefined {
  const row = db.row<Candidate>(
    `SELECT c.public_id AS conversationId, c.title, m.number, m.role, m.created_at AS createdAt,
       coalesce(m.received, m.json) AS json
     FROM message m JOIN conversation c ON c.id = m.conversation
     WHERE m.id = ?1 AND m.role <> 'summary' AND (?2 IS NULL OR c.owner = ?2)`,
    [id, owner ?? null],
  )
  return row && { ...row }
}
