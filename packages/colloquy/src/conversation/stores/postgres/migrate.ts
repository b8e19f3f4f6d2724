import { migrations } from './schema.ts'

/** Runs one statement: a pool or client of `pg`, PGlite, or a small wrapper around another driver. */
export interface PostgresDatabase {
  /** Runs a statement with parameters `$1`, `$2` and so on. */
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** Waits for an answer, but not for ever. */
type TimeLimit = <T>(answer: Promise<T>) => Promise<T>

/**
 * Brings the schema up to date, and returns the names of unknown migrations, which a newer version has added. A schema that
 * is up to date is only read: the role may lack the right to create tables, and the database may be a read-only replica.
 *
 * @param inTime limits the time for reading. Changing the schema of a large database takes as long as it takes.
 */
export async function migrate(db: PostgresDatabase, schema: string, inTime: TimeLimit): Promise<string[]> {
  let applied = await inTime(appliedMigrations(db, schema))
  if (applied.length === 0) await inTime(checkEncoding(db))
  if (!migrations.every(({ name }) => applied.includes(name))) {
    await applyMigrations(db, schema)
    applied = await inTime(appliedMigrations(db, schema))
  }
  const known = new Set(migrations.map(({ name }) => name))
  return applied.filter((name) => !known.has(name))
}

async function appliedMigrations(db: PostgresDatabase, schema: string): Promise<string[]> {
  const table = inSchema('%.migration', schema)
  const { rows: tables } = await db.query(`SELECT 1 WHERE to_regclass('${table}') IS NOT NULL`)
  if (tables.length === 0) return []
  const { rows } = await db.query(`SELECT name FROM ${table}`)
  return (rows as { name: string }[]).map(({ name }) => name)
}

/** In other encodings, the first message with a character that they lack would fail. */
async function checkEncoding(db: PostgresDatabase): Promise<void> {
  const { rows } = await db.query(
    "SELECT e AS encoding FROM current_setting('server_encoding') e WHERE e NOT IN ('UTF8', 'SQL_ASCII')",
  )
  const [refused] = rows as { encoding: string }[]
  if (refused === undefined) return
  throw new Error(
    `its database has the encoding ${refused.encoding}, which lacks most characters: create one with ENCODING 'UTF8'`,
  )
}

/** One statement, so that all are applied or none, with any driver; two processes may try at once. */
async function applyMigrations(db: PostgresDatabase, schema: string): Promise<void> {
  const steps = migrations.map(
    ({ name, sql }) => `
      IF NOT EXISTS (SELECT 1 FROM %.migration WHERE name = '${name}') THEN
        ${sql}
        INSERT INTO %.migration VALUES ('${name}', (extract(epoch FROM now()) * 1000)::bigint);
      END IF;`,
  )
  const sql = `
    DO $migration$ BEGIN
      -- An arbitrary number; the lock lasts until the statement ends.
      PERFORM pg_advisory_xact_lock(7265544810);
      -- CREATE SCHEMA IF NOT EXISTS demands the right to create schemas also if it exists.
      IF to_regnamespace('"${schema}"') IS NULL THEN CREATE SCHEMA "${schema}"; END IF;
      CREATE TABLE IF NOT EXISTS %.migration (name text PRIMARY KEY, applied_at bigint NOT NULL);
      ${steps.join('\n')}
    END $migration$`
  await db.query(inSchema(sql, schema))
}

/** SQL in which `%.` stands for the schema, whose name may be a word of SQL. */
export function inSchema(sql: string, schema: string): string {
  return sql.replaceAll('%.', `"${schema}".`)
}
