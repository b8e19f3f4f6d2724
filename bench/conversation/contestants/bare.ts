import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  type AskedMessage,
  asked,
  type Contestant,
  history,
  type RepliedMessage,
  replied,
  usage,
} from '../contestant.ts'

/**
 * Writes the same rows by hand and does nothing else. The question is written before the request is sent
 * (`synchronous = NORMAL`) and the reply survives a loss of power (`FULL`), so a turn is two transactions here too.
 */
export async function open(folder: string): Promise<Contestant> {
  const db = new DatabaseSync(join(folder, 'bare.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec(`
    CREATE TABLE conversation (id INTEGER PRIMARY KEY, head INTEGER, version INTEGER);
    CREATE TABLE message (
      id INTEGER PRIMARY KEY, conversation INTEGER, number INTEGER, parent INTEGER, role TEXT, state TEXT, created_at INTEGER,
      reply TEXT, json TEXT, UNIQUE (conversation, number)
    );
  `)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const create = db.prepare('INSERT INTO conversation (head, version) VALUES (0, 0)')
  const insert = db.prepare(
    'INSERT INTO message (conversation, number, parent, role, state, created_at, reply, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const move = db.prepare('UPDATE conversation SET head = ?, version = version + 1 WHERE id = ? AND version = ?')
  const rows = db.prepare(
    'SELECT number, parent, role, state, created_at, reply, json FROM message WHERE conversation = ? ORDER BY number',
  )
  return {
    async start(turns) {
      begin.run()
      const id = create.run().lastInsertRowid
      let number = 0
      const add = (message: AskedMessage | RepliedMessage): void => {
        const reply = message.role === 'assistant' ? JSON.stringify(usage) : null
        insert.run(id, number + 1, number++, message.role, 'committed', Date.now(), reply, JSON.stringify(message))
      }
      for (const message of history(turns)) add(message)
      commit.run()
      let version = 0
      return {
        async turn() {
          begin.run()
          add(asked)
          move.run(number, id, version++)
          commit.run()
          db.exec('PRAGMA synchronous = FULL')
          begin.run()
          add(replied)
          move.run(number, id, version++)
          commit.run()
          db.exec('PRAGMA synchronous = NORMAL')
        },
        load: async () => rows.all(id).length,
        show: async () => rows.all(id).map(({ json, ...row }) => ({ ...row, ...JSON.parse(json as string) })).length,
      }
    },
    close: async () => db.close(),
  }
}
