import { type Candidate, firstMatches } from '../../matches.ts'
import type { SearchHit, SearchQuery } from '../../store.ts'
import type { SqliteConnection } from '../connection.ts'
import { hasFts5, indexNewMessages, trigramsOf } from './text-index.ts'

/** Finds the messages that contain every word, the last added first. */
export async function searchMessages(
  db: SqliteConnection,
  words: readonly string[],
  { limit, owner }: SearchQuery,
): Promise<SearchHit[]> {
  const isIndexed = hasFts5(db)
  if (isIndexed) await indexNewMessages(db)
  // Words of one or two characters have no trigrams: the messages are read.
  const match = isIndexed ? trigramsOf(words) : ''
  return firstMatches(candidates(db, match, owner), words, limit)
}

/** The rows that one statement looks at, so that it takes a few milliseconds. */
const span = 50_000
const page = 100

/** Yields the messages that may match, the last added first. @param match a query of the index; empty: all messages. */
function* candidates(db: SqliteConnection, match: string, owner: string | undefined): Generator<Candidate | undefined> {
  const newest = db.row<{ id: number | null }>('SELECT max(id) AS id FROM message')?.id ?? 0
  for (let last = newest; last > 0; last -= span) {
    for (let before = last + 1; before > 0;) {
      const ids = idsBefore(db, match, before, last - span)
      for (const id of ids) yield read(db, id, owner)
      // The ids of a damaged file may be out of order.
      before = ids.length < page ? 0 : Math.min(ids.at(-1)!, before - 1)
    }
    yield undefined
  }
}

/** The first ids of a page: smaller than `before`, larger than `after`, in descending order. */
function idsBefore(db: SqliteConnection, match: string, before: number, after: number): number[] {
  const rows =
    match === ''
      ? db.rows<{ id: number }>(
          `SELECT id FROM message WHERE id < ? AND id > ? ORDER BY id DESC LIMIT ${page}`, //
          [before, after],
        )
      : db.rows<{ id: number }>(
          `SELECT rowid AS id FROM search WHERE search MATCH ? AND rowid < ? AND rowid > ? ORDER BY rowid DESC LIMIT ${page}`,
          [match, before, after],
        )
  return rows.map(({ id }) => id)
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
