import { StoreError } from '../../errors.ts'
import { crc32 } from '../crc32.ts'
import type { BeginStep } from '../store.ts'
import { codeOf, LateError, storeError } from './error.ts'
import { inSchema, migrate, type PostgresDatabase } from './migrate.ts'

/** A statement with named parameters. */
export interface Statement {
  /** The end of the error message "Cannot …" if it fails. */
  doing: string
  /** The SQL with numbered parameters. `%.` stands for the schema. */
  sql: string
  /** The names of the parameters `$1`, `$2`, … */
  parameters: readonly string[]
  /** Whether each turn runs it, so that parsing it once for each connection pays. */
  isFrequent: boolean
}

/** A driver that prepares a statement with a name once for each connection. */
interface PreparingDatabase {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>
}

/** A column that makes the transaction end without waiting for the disk: its changes survive the death of this process only. */
export const commitLater = "set_config('synchronous_commit', 'off', true)"

/** Makes a statement from SQL in which `:name` is a parameter. */
export function statement(
  doing: string,
  named: string,
  { isFrequent = false }: { isFrequent?: boolean } = {},
): Statement {
  const parameters: string[] = []
  const sql = named.replaceAll(/(?<!:):([a-z]\w*)/gi, (_, name: string) => {
    if (!parameters.includes(name)) parameters.push(name)
    return `$${parameters.indexOf(name) + 1}`
  })
  return { doing, sql, parameters, isFrequent }
}

const mostAttempts = 10
/** A process that is frozen, with its timers, misses one part of a time limit and not the whole. */
const partsOfLimit = 10
const longestTimerMs = 2 ** 31 - 1

/** Whether the database ended one of two transactions that wait for each other, or that read what the other wrote. */
function isConflict(error: unknown): boolean {
  return ['40P01', '40001'].includes(codeOf(error))
}

/** Whether a connection lacks a prepared statement, or has it already: a pooler gave the statement another connection. */
function isNotPrepared(error: unknown): boolean {
  return ['26000', '42P05'].includes(codeOf(error))
}

/** Options of a `PostgresConnection`. */
export interface ConnectionOptions {
  /** Whether the database is a `PreparingDatabase`. Default false. */
  prepare?: boolean | undefined
  /** How long a statement may take, in milliseconds. Default 20,000. */
  timeoutMs?: number | undefined
}

/** A database whose schema is created, or brought up to date, before the first statement. */
export class PostgresConnection {
  readonly #db: PostgresDatabase
  readonly #schema: string
  readonly #timeoutMs: number
  #prepares: boolean
  /** The SQL of statements, with the schema. */
  readonly #sql = new WeakMap<Statement, string>()
  /** The turns of this process that have not ended, with the number of the reply, by its handle. */
  readonly begun: Map<number, BeginStep & { reply: number }> = new Map()
  #ready: Promise<void> | undefined
  #closed = false

  constructor(db: PostgresDatabase, schema: string, { prepare = false, timeoutMs = 20_000 }: ConnectionOptions = {}) {
    if (!/^[a-z_][a-z0-9_]*$/.test(schema)) {
      throw new StoreError('cannot_open', `Cannot use the schema ${schema}: its name may only contain a-z, 0-9 and _`)
    }
    this.#db = db
    this.#schema = schema
    this.#prepares = prepare
    this.#timeoutMs = timeoutMs
  }

  /** Runs a statement and returns its rows. `values` are its parameters by name. */
  async rows<Row>(statement: Statement, values: Readonly<Record<string, unknown>>): Promise<Row[]> {
    const { doing, parameters } = statement
    if (this.#closed) throw new StoreError('closed', `Cannot ${doing}: the store is closed`)
    await this.#prepared()
    const parts = parameters.map((name) => values[name])
    for (let attempt = 1; ; attempt++) {
      const prepares = this.#prepares && statement.isFrequent
      try {
        const { rows } = await this.#inTime(this.#send(statement, parts, prepares))
        return rows as Row[]
      } catch (error) {
        // Each statement is a transaction of its own, which wrote nothing.
        if (prepares && isNotPrepared(error)) this.#prepares = false
        else if (attempt === mostAttempts || !isConflict(error)) throw storeError(error, doing)
        // Those that conflicted must not meet again.
        else await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** attempt))
      }
    }
  }

  async row<Row>(statement: Statement, values: Readonly<Record<string, unknown>>): Promise<Row | undefined> {
    const [row] = await this.rows<Row>(statement, values)
    return row
  }

  close(): void {
    this.#closed = true
  }

  async #prepared(): Promise<void> {
    this.#ready ??= this.#prepare()
    try {
      await this.#ready
    } catch (error) {
      // The next call retries: the database may have been starting.
      this.#ready = undefined
      throw error
    }
  }

  async #prepare(): Promise<void> {
    let unknown: string[]
    try {
      // The database may be starting.
      unknown = await migrate(this.#db, this.#schema, (answer) => this.#inTime(answer, 3 * this.#timeoutMs))
    } catch (error) {
      throw storeError(error, `prepare the schema ${this.#schema}`)
    }
    if (unknown.length === 0) return
    const found = `a newer version wrote it, and this one does not know its migration "${unknown[0]}"`
    throw new StoreError('newer', `Cannot use the schema ${this.#schema}: ${found}`)
  }

  /** Waits for an answer. A database whose machine is frozen, or behind a broken network, would never send it. */
  async #inTime<T>(answer: Promise<T>, limitMs = this.#timeoutMs): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const late = new LateError(`the database did not answer for ${limitMs / 1000} s`)
    let left = partsOfLimit
    const timer = setInterval(() => --left === 0 && reject(late), Math.min(limitMs / partsOfLimit, longestTimerMs))
    try {
      return await Promise.race([answer, promise])
    } finally {
      clearInterval(timer)
    }
  }

  #send(statement: Statement, values: unknown[], prepares: boolean): Promise<{ rows: unknown[] }> {
    const text = this.#sqlOf(statement)
    if (!prepares) return this.#db.query(text, values)
    // The name follows from the text, because a pooler may share a connection with another version of this library.
    const name = `colloquy_${crc32(text).toString(36)}`
    return (this.#db as unknown as PreparingDatabase).query({ name, text, values })
  }

  #sqlOf(statement: Statement): string {
    let sql = this.#sql.get(statement)
    if (sql === undefined) {
      sql = inSchema(statement.sql, this.#schema)
      this.#sql.set(statement, sql)
    }
    return sql
  }
}
