import { StoreError, type StoreErrorCode } from 'colloquy/conversation/errors'
import type { Database, SqlValue, SqlValues, Work } from './database.ts'
import { type Migration, missingMigrations, sqlOf } from './migrations.ts'
import { type DriverStatement, storableText, Translator, valuesFor } from './sql.ts'

/** A pool of connections, as `pg` has it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  end(): Promise<unknown>
}

/** A connection of the pool. */
export interface PostgresClient {
  /** Runs a statement with parameters `$1`, `$2` and so on; or, without values, several statements. */
  query(sql: string | LongQuery, values?: unknown[]): Promise<{ rows: unknown[] }>
  /** Returns the connection to the pool, or closes it after an error. */
  release(error?: Error | boolean): void
}

/** Statements that may take longer than others, in milliseconds. */
interface LongQuery {
  text: string
  query_timeout: number
}

/** An index of a large table takes minutes. */
const migrationMs = 3_600_000

/** Options of `PostgresDatabase`. */
export interface PostgresDatabaseOptions {
  migrations: readonly Migration[]
  /** The host and name of the database, for messages. */
  name: string
  /** The schema of the tables, created if it does not exist. Lower-case letters, digits and `_`. Default `colloquy_server`. */
  schema?: string
}

/** Keeps the state of servers in PostgreSQL, 14 or newer. Any number of processes may use one database. */
export class PostgresDatabase implements Database {
  readonly kind = 'postgres'
  readonly name: string
  readonly #pool: PostgresPool
  readonly #schema: string
  /** The table of the migrations that were applied. */
  readonly #table: string
  readonly #migrations: readonly Migration[]
  readonly #translator: Translator
  #ready: Promise<void> | undefined

  constructor(pool: PostgresPool, { migrations, name, schema = 'colloquy_server' }: PostgresDatabaseOptions) {
    if (!/^[a-z_][a-z0-9_]*$/.test(schema)) {
      throw new StoreError('cannot_open', `Cannot use the schema ${schema}: its name may only contain a-z, 0-9 and _`)
    }
    this.name = name
    this.#pool = pool
    this.#schema = schema
    this.#migrations = migrations
    this.#translator = new Translator('postgres', schema)
    this.#table = this.#translator.withSchema('%.migration')
  }

  async rows<Row>(doing: string, sql: string, values: SqlValues = {}): Promise<Row[]> {
    const statement = this.#translator.statement(sql)
    const list = storableValues(statement, values)
    return this.#connected(doing, async (client) => (await client.query(statement.sql, list)).rows as Row[])
  }

  async transaction<T>(doing: string, work: () => Work<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connected(doing, (client) => this.#transaction(client, work))
      } catch (error) {
        // Two transactions that wait for each other: PostgreSQL ends one of them, which may simply run again.
        if (attempt === 5 || !isConflict((error as Error).cause)) throw error
      }
    }
  }

  /**
   * Runs a statement as `pg` does, for parts with a schema of their own. Errors are those of the driver. Without values it may
   * change a schema, which takes as long as it takes.
   */
  async query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    const client = await this.#pool.connect()
    try {
      const { rows } = await client.query(values ? sql : { text: sql, query_timeout: migrationMs }, values)
      client.release()
      return { rows }
    } catch (error) {
      client.release(isUnreachable(error))
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #transaction<T>(client: PostgresClient, work: () => Work<T>): Promise<T> {
    await client.query('BEGIN')
    try {
      const steps = work()
      let step = steps.next()
      while (!step.done) {
        const statement = this.#translator.statement(step.value.sql)
        const { rows } = await client.query(statement.sql, storableValues(statement, step.value.values))
        step = steps.next(rows)
      }
      await client.query('COMMIT')
      return step.value
    } catch (error) {
      // A connection that failed is closed.
      if (!isUnreachable(error)) await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  }

  /** Runs work on a connection. The schema is brought up to date before the first. */
  async #connected<T>(doing: string, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    this.#ready ??= this.#withClient(`prepare the schema ${this.#schema}`, (client) => this.#migrate(client))
    try {
      await this.#ready
    } catch (error) {
      // The next call retries: the database may have been starting.
      this.#ready = undefined
      throw error
    }
    return this.#withClient(doing, work)
  }

  async #withClient<T>(doing: string, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    let client: PostgresClient | undefined
    try {
      client = await this.#pool.connect()
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      client?.release(isUnreachable(error))
      throw explained(error, doing, this.name)
    }
  }

  /** A schema that is up to date is only read: the role may lack the right to create it. */
  async #migrate(client: PostgresClient): Promise<void> {
    if ((await this.#missing(client)).length === 0) return
    await client.query('BEGIN')
    try {
      // An arbitrary number. The lock lasts until the transaction ends.
      await client.query({ text: 'SELECT pg_advisory_xact_lock(7265544811)', query_timeout: migrationMs })
      // CREATE SCHEMA IF NOT EXISTS demands the right to create schemas also if it exists.
      await client.query(`DO $$ BEGIN
          IF to_regnamespace('"${this.#schema}"') IS NULL THEN CREATE SCHEMA "${this.#schema}"; END IF;
        END $$`)
      await client.query(
        `CREATE TABLE IF NOT EXISTS ${this.#table} (name text PRIMARY KEY, applied_at bigint NOT NULL)`,
      )
      // Another process may have migrated meanwhile.
      for (const migration of await this.#missing(client)) {
        const text = this.#translator.withSchema(sqlOf(migration, 'postgres'))
        await client.query({ text, query_timeout: migrationMs })
        await client.query(`INSERT INTO ${this.#table} VALUES ($1, $2)`, [migration.name, Date.now()])
      }
      await client.query('COMMIT')
    } catch (error) {
      if (!isUnreachable(error)) await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  }

  /** The migrations that the schema lacks. Throws a `StoreError` if a newer version wrote it. */
  async #missing(client: PostgresClient): Promise<Migration[]> {
    const { rows: found } = await client.query('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [this.#table])
    const { rows } = found.length === 0 ? { rows: [] } : await client.query(`SELECT name FROM ${this.#table}`, [])
    const applied = (rows as { name: string }[]).map(({ name }) => name)
    return missingMigrations(this.#migrations, applied, this.name)
  }
}

function storableValues(statement: DriverStatement, values: SqlValues): SqlValue[] {
  return valuesFor(statement, values).map((value) => (typeof value === 'string' ? storableText(value) : value))
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const problems: Readonly<Record<string, [StoreErrorCode, string]>> = {
  '25006': ['read_only', 'it is read-only'],
  '28P01': ['cannot_open', 'the password is wrong'],
  '3D000': ['cannot_open', 'there is no database of this name'],
  '53100': ['full', 'its disk is full'],
  '53300': ['locked', 'it has no connection left'],
  '55P03': ['locked', 'another process holds a lock'],
}

function explained(error: unknown, doing: string, name: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  // An error of the work itself.
  if (error instanceof StoreError || (code === '' && !isUnreachable(error))) return error
  const unreachable = `the database ${name} cannot be reached (${code === '' ? message : code})`
  if (isUnreachable(error)) return new StoreError('cannot_open', `Cannot ${doing}: ${unreachable}`, { cause: error })
  const [storeCode, found] = problems[code] ?? (['failed', message] as const)
  return new StoreError(storeCode, `Cannot ${doing} in ${name}: ${found}`, { cause: error })
}

/** Whether the connection failed or was cut, so that the same work may succeed later. */
function isUnreachable(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string }
  if (/^(?:ECONN|ENOTFOUND|ENOENT|EPIPE|ETIMEDOUT|EAI_|EHOSTUNREACH|08|57P)/.test(String(code))) return true
  return /^(?:Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered)/.test(
    message,
  )
}

function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(String((error as { code?: unknown } | undefined)?.code))
}
