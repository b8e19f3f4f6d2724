import { setImmediate as nextTask } from 'node:timers/promises'
import { searchText } from '../../../history/text.ts'
import type { SqliteConnection } from '../connection.ts'

// The index tells which messages contain a trigram, a part of three characters: so it finds any part of a word, also in code
// and in languages without spaces. It has neither the text nor the places, which would take three times as much room, so
// each message that it finds is read.

const doing = 'search the conversations'

/** The version of the index: 1 had the text too. */
const format = 2

/** How long messages are indexed in one transaction, in milliseconds. */
const sliceMs = 10

/** The most trigrams that are looked up. A longer query finds messages that then turn out not to match. */
const mostTrigrams = 32

/** The query for the messages that have all trigrams of the words; empty if the words have none. */
export function trigramsOf(words: readonly string[]): string {
  const trigrams = new Set<string>()
  for (const word of words) {
    const characters = Array.from(word)
    for (let end = 3; end <= characters.length; end++) trigrams.add(characters.slice(end - 3, end).join(''))
  }
  return [...trigrams]
    .slice(0, mostTrigrams)
    .map((trigram) => `"${trigram.replaceAll('"', '""')}"`)
    .join(' AND ')
}

/** Whether SQLite has full-text search: in Node it does since 22.15. */
export function hasFts5(db: SqliteConnection): boolean {
  return db.row<{ used: number }>("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used")?.used === 1
}

/** Indexes the messages written since the last search. Other work runs in between. */
export async function indexNewMessages(db: SqliteConnection): Promise<void> {
  for (;;) {
    const { added, last } = await db.write(doing, () => indexMore(db))
    if (added === 0) return
    await nextTask()
    // Each transaction adds a segment to the index, and FTS5 would merge them at some later change, without a limit.
    while ((await db.write(doing, () => mergeMore(db))) && last) await nextTask()
    if (last) return
    await nextTask()
  }
}

/** Merges some segments of the index, and returns whether there may be more to merge. A part of a transaction. */
function mergeMore(db: SqliteConnection): boolean {
  const before = totalChanges(db)
  db.run("INSERT INTO search (search, rank) VALUES ('merge', 40)")
  return totalChanges(db) - before > 1
}

function totalChanges(db: SqliteConnection): number {
  return db.row<{ count: number }>('SELECT total_changes() AS count')!.count
}

/** Takes messages out of the index, if there is one. A part of a transaction, before the messages are erased. */
export function forgetMessages(db: SqliteConnection, which: 'id = ?' | 'conversation = ?', value: number): void {
  const state = db.row<State>(readState)!
  if (!hasIndex(db)) return
  if (state.format !== format) {
    db.run(`DELETE FROM search WHERE rowid IN (SELECT id FROM message WHERE ${which})`, [value])
    return
  }
  const sql = `SELECT id, role, state, json, received FROM message
    WHERE ${which} AND id <= ? AND id NOT IN (SELECT message FROM search_later)`
  for (const row of db.rows<IndexedRow>(sql, [value, state.indexedTo])) {
    const text = textOf(row)
    if (text !== '') db.run("INSERT INTO search (search, rowid, text) VALUES ('delete', ?, ?)", [row.id, text])
  }
}

interface State {
  indexedTo: number
  format: number
}

const readState = 'SELECT indexed_to AS indexedTo, format FROM search_state'

interface IndexedRow {
  id: number
  role: string
  state: string
  json: string
  received: string | null
}

function hasIndex(db: SqliteConnection): boolean {
  return db.row("SELECT 1 FROM sqlite_master WHERE name = 'search'") !== undefined
}

/** Indexes some messages, and returns how many and whether they were the last. A part of a transaction. */
function indexMore(db: SqliteConnection): { added: number; last: boolean } {
  makeIndex(db)
  const end = performance.now() + sliceMs
  let added = indexPostponed(db)
  let { indexedTo } = db.row<State>(readState)!
  const rows = db.prepare('SELECT id, role, state, json, received FROM message WHERE id > ? ORDER BY id')
  let last = true
  for (const row of rows.iterate(indexedTo) as Iterable<unknown>) {
    const message = row as IndexedRow
    if (hasEnded(message)) indexRow(db, message)
    else db.run('INSERT OR IGNORE INTO search_later VALUES (?)', [message.id])
    indexedTo = message.id
    added++
    last = performance.now() < end
    if (!last) break
  }
  if (added > 0) db.run('UPDATE search_state SET indexed_to = ?', [indexedTo])
  return { added, last }
}

function makeIndex(db: SqliteConnection): void {
  if (db.row<State>(readState)!.format === format && hasIndex(db)) return
  db.db.exec(`
    DROP TABLE IF EXISTS search;
    DELETE FROM search_later;
    UPDATE search_state SET format = ${format}, indexed_to = 0;
    CREATE VIRTUAL TABLE search
      USING fts5 (text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1');
    -- Erased text leaves the index at once, not when its segment is merged.
    INSERT INTO search (search, rank) VALUES ('secure-delete', 1), ('automerge', 0), ('crisismerge', 1999);
  `)
}

/** Indexes the replies that had not ended when the index came to them, and have ended since. Returns their number. */
function indexPostponed(db: SqliteConnection): number {
  const rows = db.rows<IndexedRow>(
    'SELECT id, role, state, json, received FROM message WHERE id IN (SELECT message FROM search_later)',
  )
  const ended = rows.filter(hasEnded)
  for (const row of ended) {
    indexRow(db, row)
    db.run('DELETE FROM search_later WHERE message = ?', [row.id])
  }
  return ended.length
}

function hasEnded({ state }: IndexedRow): boolean {
  return state === 'committed' || state === 'interrupted' || state === 'failed'
}

function indexRow(db: SqliteConnection, row: IndexedRow): void {
  const text = textOf(row)
  if (text !== '') db.run('INSERT INTO search (rowid, text) VALUES (?, ?)', [row.id, text])
}

/** The text of a message in the index. Summaries are not searched. */
function textOf({ role, json, received }: IndexedRow): string {
  return role === 'summary' ? '' : searchText(received ?? json)
}
