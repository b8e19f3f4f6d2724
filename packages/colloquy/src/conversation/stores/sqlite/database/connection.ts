import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { StoreError } from '../../../errors.ts'
import { LastTurns } from '../last-turns.ts'
import { RepliesInFlight } from './in-flight.ts'
import { isBusy, rollback, storeError } from './error.ts'
import { LogSync } from './log-sync.ts'
import { migrate } from './schema.ts'
import { type Outcome, WriteQueue } from './write-queue.ts'

/** The longest log, in pages of a kilobyte. SQLite finds a page in a log of up to 4,062 pages by one look-up. */
const logPages = 4_000
/** The longest log while many turns are committed at once: each of them would wait for the disk while it is moved. */
const longLogPages = 16_000
/** The number of writes in one transaction from which the log may grow longer. */
const manyAtOnce = 50

/** One open database: its prepared statements, its transactions, and its waiting for locks of other processes. */
export class SqliteConnection {
  readonly db: DatabaseSync
  readonly #path: string
  readonly #writes: WriteQueue
  readonly #log: LogSync
  readonly #statements = new Map<string, Prepared>()
  /** The turns that this process has begun here and not finished. */
  readonly inFlight: RepliesInFlight = new RepliesInFlight()
  readonly lastTurns: LastTurns = new LastTurns()
  #logPages = logPages
  #isClosed = false

  constructor(path: string, { busyTimeoutMs, mode }: { busyTimeoutMs: number; mode: number }) {
    this.#path = path
    const transactions = {
      transaction: (work: () => void, jobs: number) => {
        this.#log.checkFiles()
        this.#limitLog(jobs < manyAtOnce ? logPages : longLogPages)
        this.#transaction('BEGIN IMMEDIATE', work)
      },
      sync: () => this.#log.sync({ isAlone: this.inFlight.count <= 1 }),
      part: (work: () => unknown) => this.#part(work),
      isBusy,
      explain: (error: unknown, doing: string) => this.#explain(error, doing),
    }
    this.#writes = new WriteQueue(transactions, busyTimeoutMs)
    createFile(path, mode)
    ;[this.db, this.#log] = openDatabase(path, busyTimeoutMs)
  }

  /** Prepares a statement, or returns it if it has been prepared before. */
  prepare(sql: string): StatementSync {
    return this.#prepared(sql).statement
  }

  rows<Row>(sql: string, values: readonly SQLInputValue[] = []): Row[] {
    const { statement, places } = this.#prepared(sql)
    return statement.all(...inPlaces(values, places)) as Row[]
  }

  row<Row>(sql: string, values: readonly SQLInputValue[] = []): Row | undefined {
    const { statement, places } = this.#prepared(sql)
    return statement.get(...inPlaces(values, places)) as Row | undefined
  }

  run(sql: string, values: readonly SQLInputValue[] = []): { changes: number; id: number } {
    const { statement, places } = this.#prepared(sql)
    const { changes, lastInsertRowid } = statement.run(...inPlaces(values, places))
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
   * Runs work that writes, all of it or nothing, together with what other callers write at this moment. The result survives
   * the death of the process; a durable write also survives a power failure. If a durable write is committed and then does
   * not reach the disk for certain, it fails: a caller who retries finds it done.
   */
  write<T>(doing: string, work: () => T, { durable = false }: { durable?: boolean } = {}): Promise<T> {
    // Several callers are likely to write at once. A durable write is the end of a turn, which itself is in flight.
    return this.#writes.add({ doing, work, durable, gathers: this.inFlight.count > (durable ? 1 : 0) })
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

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#writes.flush()
    // Windows deletes no file that is open, and SQLite deletes the log.
    await this.#log.close()
    this.db.close()
  }

  #part(work: () => unknown): Outcome {
    this.prepare('SAVEPOINT part').run()
    try {
      const result = work()
      this.prepare('RELEASE part').run()
      return { result }
    } catch (error) {
      try {
        this.db.exec('ROLLBACK TO part; RELEASE part')
      } catch {
        // SQLite has undone the whole transaction, for example after a full disk.
        throw error
      }
      return { error }
    }
  }

  /** Sets the length of the log at which a commit moves it into the database file. */
  #limitLog(pages: number): void {
    if (pages === this.#logPages) return
    this.db.exec(`PRAGMA wal_autocheckpoint = ${pages}`)
    this.#logPages = pages
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
    this.prepare(begin).run()
    try {
      const result = work()
      this.prepare('COMMIT').run()
      return result
    } catch (error) {
      rollback(this.db)
      throw error
    }
  }

  #prepared(sql: string): Prepared {
    let prepared = this.#statements.get(sql)
    if (prepared === undefined) {
      // Node 22.13 does not bind numbered parameters (`?1`), so each place of one becomes a parameter of its own.
      const places = [...sql.matchAll(numbered)].map(([, number]) => Number(number))
      prepared = { statement: this.db.prepare(sql.replaceAll(numbered, '?')), places }
      this.#statements.set(sql, prepared)
    }
    return prepared
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

function openDatabase(path: string, busyTimeoutMs: number): [DatabaseSync, LogSync] {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    // SQLite writes every page that a turn touches: small pages halve the cost of a turn of two kilobytes.
    db.exec('PRAGMA page_size = 1024')
    db.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
    db.exec('PRAGMA journal_mode = WAL')
    // Erased text is overwritten, not only unlinked.
    db.exec('PRAGMA secure_delete = ON')
    migrate(db, path)
    const log = new LogSync(db)
    db.exec('PRAGMA busy_timeout = 0')
    return [db, log]
  } catch (error) {
    db?.close()
    throw storeError(error, `open ${path}`)
  }
}

const numbered = /\?(\d+)/g

interface Prepared {
  statement: StatementSync
  /** The number of each numbered parameter, in the order of the places. Empty if there are none. */
  places: readonly number[]
}

function inPlaces<T>(values: readonly T[], places: readonly number[]): readonly T[] {
  return places.length === 0 ? values : places.map((place) => values[place - 1]!)
}
