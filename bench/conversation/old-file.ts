import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { migrations } from '../../packages/colloquy/src/conversation/stores/sqlite/database/schema.ts'

/** The last version of the schema with an FTS5 index. */
const version = '0008 stop'

/** Creates a file as an earlier version of the library did, with messages and their FTS5 index. */
export function createOldFile(path: string, texts: Iterable<string>): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA synchronous = OFF')
  db.exec('CREATE TABLE migration (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL); BEGIN')
  for (const { name, sql } of migrations.filter(({ name }) => name <= version)) {
    db.exec(sql)
    db.prepare('INSERT INTO migration VALUES (?, 0)').run(name)
  }
  db.exec(`CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram');
    INSERT INTO search (search, rank) VALUES ('secure-delete', 1);`)
  const message = db.prepare(`INSERT INTO message (conversation, number, parent, role, state, created_at, json)
    VALUES (1, ?, ?, 'user', 'committed', 0, ?)`)
  const index = db.prepare('INSERT INTO search (rowid, text) VALUES (?, ?)')
  let last = 0
  for (const text of texts) {
    message.run(++last, last - 1, JSON.stringify({ role: 'user', content: text }))
    index.run(last, text)
    if (last % 1_000 === 0) db.exec('COMMIT; BEGIN')
  }
  db.prepare("INSERT INTO conversation VALUES (1, 'old', 1, ?, ?, 0, 0, NULL, NULL, 0)").run(last, last)
  db.exec("INSERT INTO settings VALUES (1, '{}', NULL); COMMIT")
  db.close()
  sync(path)
}

/** Whether the FTS5 index is still there. */
export function hasOldIndex(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true })
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'search'").get()
  db.close()
  return table !== undefined
}

/** Otherwise the first checkpoint of the measurement would wait for all of the file. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}
