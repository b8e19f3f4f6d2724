import { setImmediate as nextTask } from 'node:timers/promises'
import { StoreError } from '../../errors.ts'
import type { LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { MessageRecord } from '../store.ts'
import type { SqliteConnection } from './database/connection.ts'
import { eraseRest, freeRow } from './erasing.ts'
import { bytesAtOnce, insertMessage, messagesAtOnce } from './messages.ts'

// The messages of a long conversation are added in slices, before the conversation itself: until then no reader sees them.
// Their row in `erasing` has a lease, so that what a process leaves behind that dies in between is erased.

/** A conversation whose messages are added before it. */
interface Added {
  id: string
  /** Its messages, from `slicesOf()`. */
  slices: readonly (readonly MessageRecord[])[]
}

/** The messages in lists that one transaction each can add. */
export function slicesOf(messages: readonly MessageRecord[]): MessageRecord[][] {
  const slices: MessageRecord[][] = []
  let bytes = 0
  for (const message of messages) {
    const slice = slices.at(-1)
    if (slice === undefined || bytes >= bytesAtOnce || slice.length === messagesAtOnce) {
      slices.push([message])
      bytes = 0
    } else slice.push(message)
    bytes += message.json.length + (message.received?.length ?? 0) + (message.reply?.length ?? 0)
  }
  return slices
}

/**
 * Adds messages in several transactions, then the conversation. Other work runs in between. If it fails, nothing remains.
 *
 * @param doing the end of the error message "Cannot …".
 * @param begin checks that the conversation can be added; a part of the first transaction.
 * @param end adds the conversation with this row id; a part of the last transaction.
 */
export async function addInSlices<T>(
  db: SqliteConnection,
  clock: LeaseClock,
  { id, slices }: Added,
  { doing, begin, end }: { doing: string; begin: () => void; end: (row: number) => T },
): Promise<T> {
  const row = await db.write(doing, () => {
    begin()
    return db.run(`INSERT INTO erasing VALUES (${freeRow}, ?, ?)`, [thisProcess(), clock.end]).id
  })
  try {
    for (const slice of slices) {
      await db.write(doing, () => {
        keepRow(db, row, clock.end)
        for (const message of slice) insertMessage(db, { row, id }, message)
      })
      await nextTask()
    }
    return await db.write(doing, () => {
      keepRow(db, row, clock.end)
      db.run('DELETE FROM erasing WHERE conversation = ?', [row])
      return end(row)
    })
  } catch (error) {
    await eraseAdded(db, clock, row).catch(() => {
      // The store fails still, or is closed: the lease of the row will end.
    })
    throw error
  }
}

/** Extends the lease of a row. Throws if another process found it ended, and erases the messages. */
function keepRow(db: SqliteConnection, row: number, until: number): void {
  // Another process may be adding a conversation in the row by now.
  const sql = 'UPDATE erasing SET until = ? WHERE conversation = ? AND owner = ?'
  const kept = db.run(sql, [until, row, thisProcess()])
  if (kept.changes === 0) {
    throw new StoreError('failed', 'Cannot add the conversation: the process was stopped for longer than its lease')
  }
}

async function eraseAdded(db: SqliteConnection, clock: LeaseClock, row: number): Promise<void> {
  await db.write('erase the messages', () => {
    db.run('UPDATE erasing SET (owner, until) = (NULL, NULL) WHERE conversation = ?', [row])
  })
  await eraseRest(db, clock)
}
