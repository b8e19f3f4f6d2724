import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { SqliteConnection } from '../packages/colloquy/src/conversation/stores/sqlite/database/connection.ts'
import type { MessageRecord, NewConversation } from '../packages/colloquy/src/conversation/stores/store.ts'

/** A conversation of this many messages, each of which has its id in the text. */
export function longConversation(id: string, count: number): NewConversation {
  const messages = Array.from({ length: count }, (_, index) => messageOf(id, index + 1))
  return { id, title: null, settings: '{}', at: 1, messages, head: count }
}

/** The message of `longConversation()` with this number. */
export function messageOf(id: string, number: number): MessageRecord {
  const json = `{"role":"user","content":"${id} ${number}"}`
  const place = { number, parent: number - 1, createdAt: 1 }
  return { ...place, role: 'user', state: 'committed', json, received: null, reply: null }
}

/** Runs after each transaction of a store, with the number of messages in the file, until `mock.restoreAll()`. */
export function afterEachWrite(look: (count: number) => unknown): void {
  const { write } = SqliteConnection.prototype
  mock.method(
    SqliteConnection.prototype,
    'write',
    async function (this: SqliteConnection, doing: string, work: () => unknown) {
      const result = await write.call(this, doing, work)
      await look(this.row<{ count: number }>('SELECT count(*) AS count FROM message')!.count)
      return result
    },
  )
}

/** Does some work of a store as a process does that dies after so many transactions of it. */
export async function cutAfter(writes: number, work: () => Promise<unknown>): Promise<void> {
  let count = 0
  afterEachWrite(() => {
    if (++count >= writes) throw new Error('The process died')
  })
  await assert.rejects(work, /The process died/)
  mock.restoreAll()
}

/** The rows of messages and of conversations that are being added or erased. */
export function rowsLeft(path: string): number {
  const db = new SqliteConnection(path, { busyTimeoutMs: 5_000, mode: 0o600 })
  const sql = 'SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM erasing) AS count'
  const { count } = db.row<{ count: number }>(sql)!
  void db.close()
  return count
}
