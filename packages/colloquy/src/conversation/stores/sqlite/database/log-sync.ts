import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { FilesReplacedError } from './error.ts'

/** Another thread takes 75 µs more of CPU time. A fast disk takes 0.1 ms for a sync, others up to 10 ms. */
const slowMs = 2
const checkMs = 1_000

/**
 * Makes committed transactions survive a power failure, by `fdatasync()` of the write-ahead log.
 *
 * SQLite would do so itself with `synchronous = FULL`, but for every transaction, and with the slower `fsync()`. If the log
 * cannot be opened, or there is none, SQLite does it: a database in memory has no log, nor has one on some network drives.
 */
export class LogSync {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #log: number | undefined
  /** The inode of the database. */
  readonly #file: number | undefined
  /** When the files were last there, on the clock of `performance.now()`. */
  #checkedAt = performance.now()
  /** The error of a sync that failed, until the log is emptied. */
  #failure: Error | undefined
  /** Whether the last sync took so long that the event loop should not wait for the next. */
  #isSlow = false
  /** The sync of another thread that has begun. It never rejects. */
  #current: Promise<void> | undefined
  /** The one after it, for what is committed in the meantime. */
  #next: Promise<void> | undefined

  /** @param db a connection that has read the database, so that its log exists and is not replaced until it is closed. */
  constructor(db: DatabaseSync) {
    this.#db = db
    // The name that SQLite found: the path may be relative, a link or a `file:` URL.
    const main = db.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").get() as { file: string }
    this.#path = main.file
    this.#log = openLog(db, main.file)
    this.#file = inodeOf(main.file)
    db.exec(`PRAGMA synchronous = ${this.#log === undefined ? 'FULL' : 'NORMAL'}`)
  }

  /**
   * Throws if the database or its log was deleted or replaced, as what is written now would be lost with the process; and another
   * process that opens the database would have a second log for it, or this one for another database. Looks once a second.
   */
  checkFiles(): void {
    const now = performance.now()
    if (this.#log === undefined || now - this.#checkedAt < checkMs) return
    if (fstatSync(this.#log).nlink === 0 || inodeOf(this.#path) !== this.#file) throw new FilesReplacedError()
    this.#checkedAt = now
  }

  /**
   * Brings everything that is committed to the disk. Throws or rejects if that is not certain; it is visible nevertheless.
   * Undefined if it is done already.
   *
   * @param isAlone false to let another thread wait for a slow disk, because the event loop has other turns to serve.
   */
  sync({ isAlone }: { isAlone: boolean }): Promise<void> | undefined {
    if (this.#log === undefined) return undefined
    if (this.#isSlow && !isAlone) return (this.#next ??= this.#syncLater(this.#log))
    const start = performance.now()
    try {
      if (this.#failure === undefined) fdatasyncSync(this.#log)
    } catch (error) {
      this.#failure = error as Error
    }
    this.#confirm(this.#log, start)
    return undefined
  }

  async close(): Promise<void> {
    if (this.#log === undefined) return
    await Promise.allSettled([this.#next, this.#current])
    closeSync(this.#log)
  }

  /** Syncs after the current sync, which began before the latest commits. */
  async #syncLater(log: number): Promise<void> {
    await this.#current
    this.#next = undefined
    const start = performance.now()
    if (this.#failure === undefined) {
      this.#current = syncInThread(log).catch((error: Error) => {
        this.#failure = error
      })
      await this.#current
    }
    this.#confirm(log, start)
  }

  /** Throws if a sync failed and the log cannot be emptied. */
  #confirm(log: number, start: number): void {
    this.#isSlow = performance.now() - start > slowMs
    if (this.#failure === undefined) return
    if (!this.#moveToDatabase(log)) throw this.#failure
    this.#failure = undefined
  }

  /**
   * Writes the pages of the log into the database file and empties the log. Returns false if that fails, or if a reader in
   * another process prevents it.
   *
   * A second sync of the log would prove nothing: after a failed one the kernel may forget which pages are not on the disk.
   */
  #moveToDatabase(log: number): boolean {
    try {
      const { busy } = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
      if (busy === 0) fdatasyncSync(log)
      return busy === 0
    } catch {
      return false
    }
  }
}

/** Undefined if there is no such file. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

function syncInThread(log: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(log, (error) => (error ? reject(error) : resolve())))
}

/** Opens the log to sync it. POSIX locks are not lost when it is closed, because SQLite has none on this file. */
function openLog(db: DatabaseSync, path: string): number | undefined {
  const mode = db.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
  if (mode.journal_mode !== 'wal' || path === '') return undefined
  try {
    // Windows syncs only what is open for writing.
    return openSync(`${path}-wal`, 'r+')
  } catch {
    return undefined
  }
}
