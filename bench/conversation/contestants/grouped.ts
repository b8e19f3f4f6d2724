import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asked, type Contestant, replied, usage } from '../contestant.ts'

/** Writes the same rows as `bare`, but all that is to be written at one moment in one transaction. */
export async function open(folder: string): Promise<Contestant> {
  const db = new DatabaseSync(join(folder, 'grouped.db'))
  db.exec('PRAGMA page_size = 1024; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = NORMAL')
  db.exec(`
    CREATE TABLE conversation (id INTEGER PRIMARY KEY, head INTEGER, version INTEGER);
    CREATE TABLE message (
      id INTEGER PRIMARY KEY, conversation INTEGER, number INTEGER, parent INTEGER, role TEXT, state TEXT, created_at INTEGER,
      reply TEXT, json TEXT, UNIQUE (conversation, number)
    );
  `)
  const create = db.prepare('INSERT INTO conversation (head, version) VALUES (0, 0)')
  const insert = db.prepare(
    'INSERT INTO message (conversation, number, parent, role, state, created_at, reply, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const move = db.prepare('UPDATE conversation SET head = ?, version = version + 1 WHERE id = ? AND version = ?')
  const begin = groups(db, 'NORMAL')
  const finish = groups(db, 'FULL')
  return {
    async start() {
      const id = create.run().lastInsertRowid
      let number = 0
      const add = (message: object & { role: string }, reply: string | null): void => {
        insert.run(id, number + 1, number, message.role, 'committed', Date.now(), reply, JSON.stringify(message))
        move.run(++number, id, number - 1)
      }
      return {
        async turn() {
          await begin(() => add(asked, null))
          await finish(() => add(replied, JSON.stringify(usage)))
        },
        load: async () => number,
      }
    },
    close: async () => db.close(),
  }
}

/** Collects work, and does it in one transaction after the current events. */
function groups(db: DatabaseSync, synchronous: 'NORMAL' | 'FULL'): (work: () => void) => Promise<void> {
  let waiting: (() => void)[] = []
  let done = Promise.resolve()
  const flush = (resolve: () => void): void => {
    const group = waiting
    waiting = []
    db.exec(`PRAGMA synchronous = ${synchronous}; BEGIN IMMEDIATE`)
    for (const work of group) work()
    db.exec('COMMIT')
    resolve()
  }
  return (work) => {
    if (waiting.push(work) === 1) done = new Promise((resolve) => setImmediate(flush, resolve))
    return done
  }
}
