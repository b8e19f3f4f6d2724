import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/**
 * Makes committed transactions survive a power failure, by `fdatasync()` of the write-ahead log.
 *
 * SQLite would do so itself with `synchronous = FULL`, but for every transaction, and with the slower `fsync()`. If the log
 * cannot be opened, or there is none, SQLite does it: a database in memory has no log, nor has one on some network drives.
 */
export class LogSync {
  readonly #db: DatabaseSync
  readonly #log: number | undefined
  /** The error of a sync that failed, until the log is emptied. */
  #failure: unknown

  /** @param db a connection that has read the database, so that its log exists and is not replaced until it is closed. */
  constructor(db: DatabaseSync) {
    this.#db = db
    this.#log = openLog(db)
    db.exec(`PRAGMA synchronous = ${this.#log === undefined ? 'FULL' : 'NORMAL'}`)
  }

  /** Brings everything that is committed to the disk. Throws if that is not certain; it is visible nevertheless. */
  sync(): void {
    if (this.#log === undefined) return
    if (this.#failure === undefined) {
      try {
        return fdatasyncSync(this.#log)
      } catch (error) {
        this.#failure = error
      }
    }
    if (!this.#moveToDatabase(this.#log)) throw this.#failure
    this.#failure = undefined
  }

  close(): void {
    if (this.#log !== undefined) closeSync(this.#log)
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

/** Opens the log to sync it. POSIX locks are not lost when it is closed, because SQLite has none on this file. */
function openLog(db: DatabaseSync): number | undefined {
  const mode = db.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
  // The name that SQLite found: the path may be relative, a link or a `file:` URL.
  const main = db.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").get() as { file: string }
  if (mode.journal_mode !== 'wal' || main.file === '') return undefined
  try {
    // Windows syncs only what is open for writing.
    return openSync(`${main.file}-wal`, 'r+')
  } catch {
    return undefined
  }
}
