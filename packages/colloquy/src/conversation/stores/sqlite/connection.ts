import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy, rollback, storeError } from './error.ts'
import { migrate } from './schema.ts'

/** One open database: its statements, its transactions, and its patience with other processes. */
export class SqliteConnection {
  readonly db: DatabaseSync
  readonly #path: string
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, StatementSync>()
  #isClosed = false

  constructor(path: string, busyTimeoutMs: number) {
    this.#path = path
    this.#busyTimeoutMs = busyTimeoutMs
    this.db = openDatabase(path, busyTimeoutMs)
  }

  /** The statement, prepared once. */
  sql(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  rows<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.sql(sql).all(...values) as Row[]
  }

  /** All reads of the work see one state, whatever other processes write meanwhile. */
  read<T>(doing: string, work: () => T): T {
    try {
      return this.#transaction('BEGIN', work)
    } catch (error) {
      throw this.#explain(error, doing)
    }
  }

  /** All of the work or nothing. A durable write survives the loss of power, others the death of the process. */
  async write<T>(doing: string, work: () => T, { durable = false }: { durable?: boolean } = {}): Promise<T> {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return durable ? this.#durably(work) : this.#transaction('BEGIN IMMEDIATE', work)
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw this.#explain(error, doing)
      }
      // Here, not in SQLite: its own waiting would stop this whole process.
      await sleep(waitMs)
    }
  }

  /** What was erased must not live on in the write-ahead log; a reader in another process delays that. */
  emptyLog(): void {
    try {
      this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (error) {
      if (!isBusy(error)) throw this.#explain(error, 'erase')
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.db.close()
  }

  #durably<T>(work: () => T): T {
    this.db.exec('PRAGMA synchronous = FULL')
    try {
      return this.#transaction('BEGIN IMMEDIATE', work)
    } finally {
      this.db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
    this.sql(begin).run()
    try {
      const result = work()
      this.sql('COMMIT').run()
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

function openDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    // Every page that a turn touches is written whole: small pages halve what a turn of two kilobytes costs.
    db.exec('PRAGMA page_size = 1024; PRAGMA wal_autocheckpoint = 4000')
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    // Erased text is overwritten, not only let go of.
    db.exec('PRAGMA secure_delete = ON')
    migrate(db, path)
    db.exec('PRAGMA busy_timeout = 0')
    return db
  } catch (error) {
    db?.close()
    throw storeError(error, `open ${path}`)
  }
}
