import { StoreError } from 'colloquy/conversation'

/** A step of the schema. `%.` stands for the schema, as in statements. */
export interface Migration {
  /** Its number and subject, such as `0001 keys`. */
  name: string
  /** One SQL for both databases, or one for each. */
  sql: string | { sqlite: string; postgres: string }
}

/**
 * Migrations go forward only: one that was released is never changed, and a new one is added at the end. Each part of the
 * state has its own. Times are milliseconds since 1970; amounts are picodollars.
 */
export const migrations: readonly Migration[] = []

/** The migrations that a database lacks. Throws a `StoreError` if it has one that is not known here. */
export function missingMigrations(all: readonly Migration[], applied: readonly string[], name: string): Migration[] {
  const unknown = applied.find((each) => !all.some((migration) => migration.name === each))
  if (unknown !== undefined) {
    const found = `a newer version wrote it, and this one does not know its migration "${unknown}"`
    throw new StoreError('newer', `Cannot open ${name}: ${found}`)
  }
  return all.filter((migration) => !applied.includes(migration.name))
}

/** The SQL of a migration for a kind of database. */
export function sqlOf({ sql }: Migration, kind: 'sqlite' | 'postgres'): string {
  return typeof sql === 'string' ? sql : sql[kind]
}
