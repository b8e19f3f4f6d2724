import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asked, type Contestant, history, replied } from '../contestant.ts'

/** The way of many programs: the list of messages is one JSON text, rewritten after each reply. */
export async function open(folder: string): Promise<Contestant> {
  const db = new DatabaseSync(join(folder, 'array.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE conversation (id INTEGER PRIMARY KEY, messages TEXT)')
  const create = db.prepare('INSERT INTO conversation (messages) VALUES (?)')
  const save = db.prepare('UPDATE conversation SET messages = ? WHERE id = ?')
  const read = db.prepare('SELECT messages FROM conversation WHERE id = ?')
  return {
    async start(turns) {
      const messages = history(turns)
      const id = create.run(JSON.stringify(messages)).lastInsertRowid
      return {
        async turn() {
          messages.push(asked, replied)
          save.run(JSON.stringify(messages), id)
        },
        load: async () => (JSON.parse(read.get(id)!.messages as string) as unknown[]).length,
      }
    },
    close: async () => db.close(),
  }
}
