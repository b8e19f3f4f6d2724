import { setImmediate as nextTask } from 'node:timers/promises'
import { excerptOf, searchText } from '../../../history/text.ts'
import type { SearchHit, SearchQuery } from '../../store.ts'
import type { SqliteConnection } from '../connection.ts'

const doing = 'search the conversations'

/** Finds the messages that contain every word, the newest first. */
export async function searchMessages(
  db: SqliteConnection,
  words: readonly string[],
  query: SearchQuery,
): Promise<SearchHit[]> {
  if (!hasFts5(db)) return db.read(doing, () => scanMessages(db, words, query))
  // Other work runs between the batches.
  while (await db.write(doing, () => indexMore(db))) await nextTask()
  return db.read(doing, () => searchIndex(db, words, query))
}

/** Takes messages out of the index, if there is one. A part of a transaction. */
export function forgetMessages(db: SqliteConnection, which: 'id = ?' | 'conversation = ?', value: number): void {
  if (hasIndex(db)) db.run(`DELETE FROM search WHERE rowid IN (SELECT id FROM message WHERE ${which})`, [value])
}

/** Whether SQLite has full-text search: in Node it does since 22.15. */
function hasFts5(db: SqliteConnection): boolean {
  return db.row<{ used: number }>("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used")?.used === 1
}

function hasIndex(db: SqliteConnection): boolean {
  return db.row("SELECT 1 FROM sqlite_master WHERE name = 'search'") !== undefined
}

// Few enough to be indexed in about 10 ms, so that neither this process nor another one waits long.
const batch = 50

interface IndexedRow {
  id: number
  state: string
  json: string
  received: string | null
}

/** Indexes messages written since the last search, and returns whether there may be more. A part of a transaction. */
function indexMore(db: SqliteConnection): boolean {
  makeIndex(db)
  const { indexedTo } = db.row<{ indexedTo: number }>('SELECT indexed_to AS indexedTo FROM search_state')!
  const sql = 'SELECT id, state, json, received FROM message WHERE id > ? ORDER BY id LIMIT ?'
  const rows = db.rows<IndexedRow>(sql, [indexedTo, batch])
  for (const row of rows) {
    if (hasEnded(row)) indexRow(db, row)
    else db.run('INSERT OR IGNORE INTO search_later VALUES (?)', [row.id])
  }
  if (rows.length > 0) db.run('UPDATE search_state SET indexed_to = ?', [rows.at(-1)!.id])
  indexPostponed(db)
  return rows.length === batch
}

function makeIndex(db: SqliteConnection): void {
  const { isFolded } = db.row<{ isFolded: number }>('SELECT is_folded AS isFolded FROM search_state')!
  if (isFolded === 1 && hasIndex(db)) return
  // An index of an earlier version distinguishes composed from decomposed letters.
  db.db.exec('DROP TABLE IF EXISTS search; DELETE FROM search_later')
  db.db.exec('UPDATE search_state SET is_folded = 1, indexed_to = 0')
  // Trigrams find any part of a word, also in code and in languages without spaces.
  db.db.exec("CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram')")
  // Erased text leaves the index at once, not when its segment is merged.
  db.db.exec("INSERT INTO search (search, rank) VALUES ('secure-delete', 1)")
}

/** Indexes the replies that had not ended when the index came to them, and have ended since. */
function indexPostponed(db: SqliteConnection): void {
  const rows = db.rows<IndexedRow>(
    'SELECT id, state, json, received FROM message WHERE id IN (SELECT message FROM search_later)',
  )
  for (const row of rows.filter(hasEnded)) {
    indexRow(db, row)
    db.run('DELETE FROM search_later WHERE message = ?', [row.id])
  }
}

function hasEnded({ state }: IndexedRow): boolean {
  return state === 'committed' || state === 'interrupted' || state === 'failed'
}

function indexRow(db: SqliteConnection, { id, json, received }: IndexedRow): void {
  const text = searchText(received ?? json)
  if (text !== '') db.run('INSERT INTO search (rowid, text) VALUES (?, ?)', [id, text])
}

function searchIndex(db: SqliteConnection, words: readonly string[], { limit, owner }: SearchQuery): SearchHit[] {
  // A trigram index answers for three characters or more; shorter words are looked for in the text.
  const long = words.filter((word) => Array.from(word).length >= 3)
  const short = words.filter((word) => Array.from(word).length < 3)
  const match = long.map((word) => `"${word.replaceAll('"', '""')}"`).join(' AND ')
  const conditions = [
    ...(long.length > 0 ? ['search MATCH ?'] : []),
    ...short.map(() => "search.text LIKE ? ESCAPE '\\'"),
    ...(owner === undefined ? [] : ['c.owner = ?']),
  ]
  const rows = db.rows<Omit<SearchHit, 'excerpt'> & { json: string }>(
    `SELECT c.public_id AS conversationId, c.title, m.number, m.role, m.created_at AS createdAt,
       coalesce(m.received, m.json) AS json
     FROM search JOIN message m ON m.id = search.rowid JOIN conversation c ON c.id = m.conversation
     WHERE m.role <> 'summary' AND ${conditions.join(' AND ')} ORDER BY search.rowid DESC LIMIT ?`,
    [
      ...(long.length > 0 ? [match] : []),
      ...short.map((word) => `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`),
      ...(owner === undefined ? [] : [owner]),
      limit,
    ],
  )
  return rows.map(({ json, ...hit }) => ({ ...hit, excerpt: excerptOf(json, words[0]!) }))
}

/** Reads every message, for a SQLite without full-text search. */
function scanMessages(db: SqliteConnection, words: readonly string[], { limit, owner }: SearchQuery): SearchHit[] {
  const rows = db.prepare(
    `SELECT c.public_id AS conversationId, c.title, m.number, m.role, m.created_at AS createdAt, state, json, received
     FROM message m JOIN conversation c ON c.id = m.conversation
     WHERE m.role <> 'summary' ${owner === undefined ? '' : 'AND c.owner = ?'} ORDER BY m.id DESC`,
  )
  const hits: SearchHit[] = []
  for (const row of rows.iterate(...(owner === undefined ? [] : [owner])) as Iterable<unknown>) {
    const { state: _, json, received, ...hit } = row as Omit<SearchHit, 'excerpt'> & IndexedRow
    const text = searchText(received ?? json)
    if (words.every((word) => text.includes(word))) {
      hits.push({ ...hit, excerpt: excerptOf(received ?? json, words[0]!) })
    }
    if (hits.length === limit) break
  }
  return hits
}
