import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError, type StoreErrorCode } from 'colloquy/conversation/errors'
import type { Database, Query, SqlValues, Work } from './database.ts'
import { type Migration, missingMigrations, sqlOf } from './migrations.ts'
import { exactInteger, Translator, valuesFor } from './sql.ts'

/** Options of `SqliteDatabase`. */
export interface SqliteDatabaseOptions {
  migrations: readonly Migration[]
  /** How long to wait for another process's lock before a `StoreError` with the code `locked`. Default 5,000. */
  busyTimeoutMs?: number
}

/** Keeps the state of servers in a SQLite file, or in memory for `:memory:`. Several processes may use one file. */
export class SqliteDatabase implements Database {
  readonly kind = 'sqlite'
  readonly name: string
  readonly #db: DatabaseSync
  readonly #busyTimeoutMs: number
  readonly #translator = new Translator('sqlite', '')
  readonly #prepared = new Map<string, StatementSync>()

  constructor(path: string, { migrations, busyTimeoutMs = 5_000 }: SqliteDatabaseOptions) {
    this.name = path
    this.#busyTimeoutMs = busyTimeoutMs
    createFile(path)
    this.#db = openFile(path, busyTimeoutMs, migrations)
  }

  async rows<Row>(doing: string, sql: string, values: SqlValues = {}): Promise<Row[]> {
    return this.#retried(doing, () => this.#run({ sql, values }) as Row[])
  }

  transaction<T>(doing: string, work: () => Work<T>): Promise<T> {
    return this.#retried(doing, () => this.#transaction(work))
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close()
  }

  #transaction<T>(work: () => Work<T>): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const steps = work()
      let step = steps.next()
      while (!step.done) step = steps.next(this.#run(step.value))
      this.#db.exec('COMMIT')
      return step.value
    } catch (error) {
      rollback(this.#db)
      throw error
    }
  }

  #run({ sql, values, each }: Query): unknown[] {
    const statement = this.#translator.statement(sql)
    if (each !== undefined) {
      const prepared = this.#prepare(statement.sql)
      return each.filter((row) => prepared.run(...valuesFor(statement, row)).changes > 0)
    }
    const rows = this.#prepare(statement.sql).all(...valuesFor(statement, values)) as Record<string, unknown>[]
    for (const row of rows) {
      for (const name in row) if (typeof row[name] === 'bigint') row[name] = exactInteger(row[name])
    }
    return rows
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      statement.setReadBigInts(true)
      this.#prepared.set(sql, statement)
    }
    return statement
  }

  /** Waits for locks here rather than in SQLite, whose busy handler would block the event loop. */
  async #retried<T>(doing: string, work: () => T): Promise<T> {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return work()
      } catch (error) {
        if (resultCode(error) !== 5 || performance.now() > deadline) throw explained(error, `${doing} in ${this.name}`)
      }
      await sleep(waitMs)
    }
  }
}

/** Creates the file, readable by its owner only: SQLite would create it with the modes of the umask. */
function createFile(path: string): void {
  if (path === ':memory:') return
  try {
    makeFolder(dirname(path))
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It exists, or SQLite will say why it cannot be created.
  }
}

/** With `recursive`, `mkdirSync()` never returns where the system takes a folder that is there for missing, as in `/proc`. */
function makeFolder(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    makeFolder(dirname(path))
    makeOne(path)
  }
}

/** Creates a folder, unless it exists: another process may create it at the same time. */
function makeOne(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function openFile(path: string, busyTimeoutMs: number, migrations: readonly Migration[]): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    migrate(db, path, migrations)
    db.exec('PRAGMA busy_timeout = 0')
    return db
  } catch (error) {
    db?.close()
    throw explained(error, `open ${path}`)
  }
}

function migrate(db: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  if (missingMigrations(migrations, applied(db), path).length === 0) return
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)')
    const translator = new Translator('sqlite', '')
    for (const migration of missingMigrations(migrations, applied(db), path)) {
      db.exec(translator.withSchema(sqlOf(migration, 'sqlite')))
      db.prepare('INSERT INTO migration VALUES (?, ?)').run(migration.name, Date.now())
    }
    db.exec('COMMIT')
  } catch (error) {
    rollback(db)
    throw error
  }
}

function applied(db: DatabaseSync): string[] {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'").get()
  if (table === undefined) return []
  return (db.prepare('SELECT name FROM migration ORDER BY name').all() as { name: string }[]).map(({ name }) => name)
}

/** Rolls back, unless SQLite has done so by itself, for example after a full disk. */
function rollback(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch {}
}

// Primary result codes of https://www.sqlite.org/rescode.html; the extended ones carry them in their low byte.
const problems = new Map<number, [StoreErrorCode, string]>([
  [5, ['locked', 'another process holds its lock']],
  [8, ['read_only', 'it is read-only']],
  [11, ['damaged', 'it is damaged']],
  [13, ['full', 'the disk is full']],
  [14, ['cannot_open', 'the file cannot be opened; it must be readable, and its folder must exist and be writable']],
  [26, ['damaged', 'the file is not a SQLite database']],
])

/** An error of SQLite as a `StoreError` with one sentence. Other errors are returned unchanged. */
function explained(error: unknown, doing: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_INVALID_STATE') return new StoreError('closed', `Cannot ${doing}: it is closed`, { cause: error })
  if (code !== 'ERR_SQLITE_ERROR') return error
  const [storeCode, found] = problems.get(resultCode(error)) ?? (['failed', message] as const)
  return new StoreError(storeCode, `Cannot ${doing}: ${found}`, { cause: error })
}

function resultCode(error: unknown): number {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : 0
}
