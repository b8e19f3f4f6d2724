import { migrations } from './schema.ts'

/** Runs one statement: a pool or client of `pg`, PGlite, or a small wrapper around another driver. */
export interface PostgresDatabase {
  /** Runs a statement with parameters `$1`, `$2` and so on. */
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/**
 * Brings the schema up to date, and returns the names of unknown migrations, which a newer version has added. It is one
 * statement, so that it happens completely or not at all with any driver; two processes may try at once.
 */
export async function migrate(db: PostgresDatabase, schema: string): Promise<string[]> {
  const steps = migrations.map(
    ({ name, sql }) => `
      IF NOT EXISTS (SELECT 1 FROM ${schema}.migration WHERE name = '${name}') THEN
        ${sql.replaceAll('%.', `${schema}.`)}
        INSERT INTO ${schema}.migration VALUES ('${name}', (extract(epoch FROM now()) * 1000)::bigint);
      END IF;`,
  )
  await db.query(`
    DO $migration$ BEGIN
      -- An arbitrary number; the lock lasts until the statement ends.
      PERFORM pg_advisory_xact_lock(7265544810);
      CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE TABLE IF NOT EXISTS ${schema}.migration (name text PRIMARY KEY, applied_at bigint NOT NULL);
      ${steps.join('\n')}
    END $migration$`)
  const { rows } = await db.query(`SELECT name FROM ${schema}.migration`)
  const known = new Set(migrations.map(({ name }) => name))
  return (rows as { name: string }[]).map(({ name }) => name).filter((name) => !known.has(name))
}
