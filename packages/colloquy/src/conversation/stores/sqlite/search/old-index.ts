import { setImmediate as nextTask } from 'node:timers/promises'
import type { SqliteConnection } from '../database/connection.ts'

const doing = 'erase the search index of an earlier version'

/** The large tables inside the FTS5 index. The others are erased with it. */
const tables = ['search_data', 'search_content', 'search_docsize'] as const

/** The most rows that one transaction erases. A row has up to 4 kB, or the text of a message. */
const rowsAtOnce = 20

/**
 * Erases the FTS5 index that earlier versions wrote. Other work runs in between: dropping it at once would block the event loop
 * for half a second after 10,000 messages.
 */
export async function eraseOldIndex(db: SqliteConnection): Promise<void> {
  if (!db.read(doing, () => hasOldIndex(db))) return
  for (const table of tables) {
    while (await db.write(doing, () => eraseRows(db, table))) await nextTask()
  }
  await db.write(doing, () => db.run('DROP TABLE IF EXISTS search'))
}

/** Whether there is an index that can be erased: Node before 22.15 cannot drop it, because it is built without FTS5. */
function hasOldIndex(db: SqliteConnection): boolean {
  const sql = `SELECT 1 FROM sqlite_master
    WHERE type = 'table' AND name = 'search' AND sqlite_compileoption_used('ENABLE_FTS5')`
  return db.row(sql) !== undefined
}

/** Returns whether rows may be left. False too if SQLite protects the table from changes other than dropping it. */
function eraseRows(db: SqliteConnection, table: (typeof tables)[number]): boolean {
  const connection = db.db as Protectable
  try {
    connection.enableDefensive?.(false)
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} LIMIT ${rowsAtOnce})`
    return db.run(sql).changes > 0
  } catch (error) {
    // Another process may have dropped it.
    if (/may not be modified|no such table/.test((error as Error).message)) return false
    throw error
  } finally {
    connection.enableDefensive?.(true)
  }
}

/** A connection of Node 24.14 or newer, which protects the tables inside an index. */
interface Protectable {
  enableDefensive?(isActive: boolean): void
}
