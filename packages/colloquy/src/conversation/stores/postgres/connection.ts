import { StoreError } from '../../errors.ts'
import { type PostgresDatabase, migrate } from './schema.ts'
import { refusalOf } from './spending.ts'

/** A database whose schema is made, or brought up to date, before the first statement. */
export class PostgresConnection {
  readonly #db: PostgresDatabase
  readonly #schema: string
  #ready: Promise<void> | undefined
  #closed = false

  constructor(db: PostgresDatabase, schema: string) {
    if (!/^[a-z_][a-z0-9_]*$/.test(schema)) {
      throw new StoreError('cannot_open', `Cannot use the schema as its name is not of a-z, 0-9 and _: ${schema}`)
    }
    this.#db = db
    this.#schema = schema
  }

  /** Runs one statement, in which `%.` stands for the schema. `doing` is what the error says could not be done. */
  async rows<Row>(doing: string, sql: string, values: unknown[]): Promise<Row[]> {
    if (this.#closed) throw new StoreError('closed', `Cannot ${doing}: the store is closed`)
    this.#ready ??= this.#prepare()
    try {
      await this.#ready
    } catch (error) {
      // The next call tries again: the database may have been starting.
      this.#ready = undefined
      throw error
    }
    try {
      const { rows } = await this.#db.query(sql.replaceAll('%.', `${this.#schema}.`), values)
      return rows as Row[]
    } catch (error) {
      throw refusalOf(error) ?? failure(doing, error)
    }
  }

  close(): void {
    this.#closed = true
  }

  async #prepare(): Promise<void> {
    let unknown: string[]
    try {
      unknown = await migrate(this.#db, this.#schema)
    } catch (error) {
      throw failure(`prepare the schema ${this.#schema}`, error)
    }
    if (unknown.length === 0) return
    const found = `this one does not know its migration "${unknown[0]}"`
    throw new StoreError('newer', `Cannot use the schema ${this.#schema}: a newer version wrote it, ${found}`)
  }
}

function failure(doing: string, error: unknown): StoreError {
  const { code, message } = error as { code?: unknown; message?: unknown }
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  const kind = code === '53100' ? 'full' : code === '25006' ? 'read_only' : code === '55P03' ? 'locked' : 'failed'
  return new StoreError(kind, `Cannot ${doing}: ${String(message ?? error)}`, { cause: error })
}
