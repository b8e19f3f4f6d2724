import type { DatabaseSync } from 'node:sqlite'
import type { SqliteConnection } from './connection.ts'
import type { SearchHit } from '../store.ts'
import { excerptOf, wordsOf } from '../../history/text.ts'

/** Finds the messages that hold every word, the newest first. */
export async function searchMessages(
  connection: SqliteConnection,
  words: readonly string[],
  limit: number,
): Promise<SearchHit[]> {
  const { db } = connection
  if (!hasFts5(db)) return connection.read(doing, () => scanMessages(db, words, limit))
  while (await connection.write(doing, () => indexMore(db)));
  return connection.read(doing, () => searchIndex(db, words, limit))
}

/** Takes messages out of the index, which need not be there yet. */
export function forgetMessages(db: DatabaseSync, which: 'id = ?' | 'conversation = ?', value: number): void {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'search'").get() === undefined) return
  db.prepare(`DELETE FROM search WHERE rowid IN (SELECT id FROM message WHERE ${which})`).run(value)
}

const doing = 'search the conversations'

/** SQLite has had it in Node since 22.15. */
function hasFts5(db: DatabaseSync): boolean {
  return db.prepare("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used").get()?.used === 1
}

// Long enough to be quick, short enough that another process's turn does not wait for it.
const batch = 500

interface Row {
  id: number
  state: string
  json: string
  received: string | null
}

/** Puts messages into the index that were written since the last search. Run in a transaction, until it returns false. */
function indexMore(db: DatabaseSync): boolean {
  makeIndex(db)
  const { indexedTo } = db.prepare('SELECT indexed_to AS indexedTo FROM search_state').get() as { indexedTo: number }
  const rows = db
    .prepare('SELECT id, state, json, received FROM message WHERE id > ? ORDER BY id LIMIT ?')
    .all(indexedTo, batch) as unknown as Row[]
  const later = db.prepare('INSERT OR IGNORE INTO search_later VALUES (?)')
  for (const row of rows) {
    if (hasEnded(row)) indexRow(db, row)
    else later.run(row.id)
  }
  if (rows.length > 0) db.prepare('UPDATE search_state SET indexed_to = ?').run(rows.at(-1)!.id)
  indexPassed(db)
  return rows.length === batch
}

function makeIndex(db: DatabaseSync): void {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'search'").get() !== undefined) return
  // Trigrams find any part of a word, in code and in languages without spaces too.
  db.exec("CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram')")
  // Erased text leaves the index at once, not when its segment is merged.
  db.exec("INSERT INTO search (search, rank) VALUES ('secure-delete', 1)")
}

/** The replies that had not ended when the index passed them. */
function indexPassed(db: DatabaseSync): void {
  const rows = db
    .prepare('SELECT id, state, json, received FROM message WHERE id IN (SELECT message FROM search_later)')
    .all() as unknown as Row[]
  for (const row of rows) {
    if (!hasEnded(row)) continue
    indexRow(db, row)
    db.prepare('DELETE FROM search_later WHERE message = ?').run(row.id)
  }
}

function hasEnded({ state }: Row): boolean {
  return state === 'committed' || state === 'interrupted' || state === 'failed'
}

function indexRow(db: DatabaseSync, { id, json, received }: Row): void {
  const text = wordsOf(received ?? json)
  if (text === '') return
  db.prepare('INSERT INTO search (rowid, text) VALUES (?, ?)').run(id, text)
}

function searchIndex(db: DatabaseSync, words: readonly string[], limit: number): SearchHit[] {
  // A trigram index answers from three characters on; shorter words are looked for in the text itself.
  const long = words.filter((word) => Array.from(word).length >= 3)
  const short = words.filter((word) => Array.from(word).length < 3)
  const match = long.map((word) => `"${word.replaceAll('"', '""')}"`).join(' AND ')
  const conditions = [
    ...(long.length > 0 ? ['search MATCH ?'] : []),
    ...short.map(() => "search.text LIKE ? ESCAPE '\\'"),
  ]
  const rows = db
    .prepare(
      `SELECT c.public_id AS conversationId, c.title, m.number, m.role, m.created_at AS createdAt, search.text
       FROM search JOIN message m ON m.id = search.rowid JOIN conversation c ON c.id = m.conversation
       WHERE m.role <> 'summary' AND ${conditions.join(' AND ')} ORDER BY m.id DESC LIMIT ?`,
    )
    .all(
      ...(long.length > 0 ? [match] : []),
      ...short.map((word) => `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`),
      limit,
    ) as unknown as (Omit<SearchHit, 'excerpt'> & { text: string })[]
  return rows.map(({ text, ...hit }) => ({ ...hit, excerpt: excerptOf(text, words[0]!) }))
}

/** Without an index every message is looked at. */
function scanMessages(db: DatabaseSync, words: readonly string[], limit: number): SearchHit[] {
  const folded = words.map((word) => word.toLowerCase())
  const rows = db.prepare(
    `SELECT c.public_id AS conversationId, c.title, m.number, m.role, m.created_at AS createdAt, state, json, received
     FROM message m JOIN conversation c ON c.id = m.conversation WHERE m.role <> 'summary' ORDER BY m.id DESC`,
  )
  const hits: SearchHit[] = []
  for (const row of rows.iterate() as Iterable<unknown>) {
    const { state: _, json, received, ...hit } = row as Omit<SearchHit, 'excerpt'> & Row
    const text = wordsOf(received ?? json)
    if (folded.every((word) => text.toLowerCase().includes(word)))
      hits.push({ ...hit, excerpt: excerptOf(text, words[0]!) })
    if (hits.length === limit) break
  }
  return hits
}
