import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '../../errors.ts'
import { isBusy, rollback, storeError } from './error.ts'
import { migrate } from './schema.ts'

/** One open database: its prepared statements, its transactions, and its waiting for locks of other processes. */
export class SqliteConnection {
  readonly db: DatabaseSync
  readonly #path: string
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, StatementSync>()
  #isClosed = false

  constructor(path: string, { busyTimeoutMs, mode }: { busyTimeoutMs: number; mode: number }) {
    this.#path = path
    this.#busyTimeoutMs = busyTimeoutMs
    createFile(path, mode)
    this.db = openDatabase(path, busyTimeoutMs)
  }

  /** Prepares a statement, or returns it if it has been prepared before. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  rows<Row>(sql: string, values: readonly SQLInputValue[] = []): Row[] {
    return this.prepare(sql).all(...values) as Row[]
  }

  row<Row>(sql: string, values: readonly SQLInputValue[] = []): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined
  }

  run(sql: string, values: readonly SQLInputValue[] = []): { changes: number; id: number } {
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values)
    return { changes: Number(changes), id: Number(lastInsertRowid) }
  }

  /**
   * Runs work that only reads: all of its reads see one state, whatever other processes write in the meantime.
   *
   * @param doing the end of the error message "Cannot …".
   */
  read<T>(doing: string, work: () => T): T {
    try {
      return this.#transaction('BEGIN', work)
    } catch (error) {
      throw this.#explain(error, doing)
    }
  }

  /**
   * Runs work that writes, all of it or nothing. The result survives the death of the process; a durable write also
   * survives a power failure.
   */
  async write<T>(doing: string, work: () => T, { durable = false }: { durable?: boolean } = {}): Promise<T> {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return durable ? this.#withFullSync(work) : this.#transaction('BEGIN IMMEDIATE', work)
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw this.#explain(error, doing)
      }
      // Wait here rather than in SQLite: its busy handler would block the event loop.
      await sleep(waitMs)
    }
  }

  /** A text that changes with every change of the database, by this process or another. */
  stamp(): string {
    return this.read('read the database', () => {
      // It counts the changes of other connections only.
      const others = this.row<{ data_version: number }>('PRAGMA data_version')!.data_version
      const own = this.row<{ changes: number }>('SELECT total_changes() AS changes')!.changes
      return `${others} ${own}`
    })
  }

  /** Empties the write-ahead log, which still holds erased text. A reader in another process delays that. */
  truncateWal(): void {
    try {
      this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (error) {
      if (!isBusy(error)) throw this.#explain(error, 'erase')
    }
  }

  /** A sentence for each of the first 100 problems of the file. */
  integrity(): string[] {
    return this.read('check the database', () => {
      const rows = this.rows<{ integrity_check: string }>('PRAGMA integrity_check')
      return rows.map((row) => row.integrity_check).filter((found) => found !== 'ok')
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.db.close()
  }

  #withFullSync<T>(work: () => T): T {
    this.db.exec('PRAGMA synchronous = FULL')
    try {
      return this.#transaction('BEGIN IMMEDIATE', work)
    } finally {
      this.db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
    this.prepare(begin).run()
    try {
      const result = work()
      // It would be committed before the asynchronous part had run.
      if (result instanceof Promise) throw new TypeError('Cannot run a transaction whose work returns a promise')
      this.prepare('COMMIT').run()
      return result
    } catch (error) {
      rollback(this.db)
      throw error
    }
  }

  #explain(error: unknown, doing: string): unknown {
    return storeError(error, `${doing} in ${this.#path}`)
  }
}

/** Creates the file if it does not exist, since SQLite would create it with the modes of the umask. */
function createFile(path: string, mode: number): void {
  if (path === '') throw new StoreError('cannot_open', 'Cannot open a store: its path is empty')
  if (path === ':memory:' || path.startsWith('file:')) return
  try {
    // SQLite creates its two other files with the mode of this one.
    closeSync(openSync(path, 'wx', mode))
  } catch {
    // It exists, or SQLite will say why it cannot be created.
  }
}

function openDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    // SQLite writes every page that a turn touches: small pages halve the cost of a turn of two kilobytes.
    db.exec('PRAGMA page_size = 1024; PRAGMA wal_autocheckpoint = 4000')
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    // Erased text is overwritten, not only unlinked.
    db.exec('PRAGMA secure_delete = ON')
    migrate(db, path)
    db.exec('PRAGMA busy_timeout = 0')
    return db
  } catch (error) {
    db?.close()
    throw storeError(error, `open ${path}`)
  }
}
