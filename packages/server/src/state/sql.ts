import type { Database, SqlValue, SqlValues } from './database.ts'

/** A statement as a driver takes it. */
export interface DriverStatement {
  sql: string
  /** The names of the parameters, in order. */
  parameters: readonly string[]
}

/** Translates statements for a database, each one once. */
export class Translator {
  readonly #kind: Database['kind']
  readonly #schema: string
  readonly #known = new Map<string, DriverStatement>()

  constructor(kind: Database['kind'], schema: string) {
    this.#kind = kind
    this.#schema = schema
  }

  statement(sql: string): DriverStatement {
    let known = this.#known.get(sql)
    if (known === undefined) {
      known = this.#translate(sql)
      this.#known.set(sql, known)
    }
    return known
  }

  /** Inserts the schema before the names of tables. Its own name may be a word of SQL. */
  withSchema(sql: string): string {
    return sql.replaceAll('%.', this.#schema === '' ? '' : `"${this.#schema}".`)
  }

  #translate(sql: string): DriverStatement {
    const parameters: string[] = []
    const tables = sql.replaceAll(/json_rows\((:\w+), ([^)]*)\)/g, (_, parameter: string, columns: string) =>
      this.#kind === 'sqlite'
        ? sqliteRows(parameter, columns)
        : `json_to_recordset(${parameter}::json) AS row(${columns})`,
    )
    const numbered = this.withSchema(tables).replaceAll(/(?<![:\w]):([a-z]\w*)/gi, (_, name: string) => {
      if (this.#kind === 'postgres' && parameters.includes(name)) return `$${parameters.indexOf(name) + 1}`
      parameters.push(name)
      return this.#kind === 'postgres' ? `$${parameters.length}` : '?'
    })
    return { sql: numbered, parameters }
  }
}

function sqliteRows(parameter: string, columns: string): string {
  const names = columns.split(',').map((column) => column.trim().split(' ')[0]!)
  const fields = names.map((name) => `value ->> '${name}' AS ${name}`)
  return `(SELECT ${fields.join(', ')} FROM json_each(${parameter})) AS row`
}

/** The values in the order of the parameters. Throws a `TypeError` if one is missing. */
export function valuesFor({ parameters }: DriverStatement, values: SqlValues): SqlValue[] {
  return parameters.map((name) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`Cannot run a statement: the parameter ${name} has no value`)
    return value
  })
}

/** A text that PostgreSQL can store: it has no character for U+0000, and none for half a surrogate pair. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed()
}

/** An integer as a number if that is exact. */
export function exactInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}
