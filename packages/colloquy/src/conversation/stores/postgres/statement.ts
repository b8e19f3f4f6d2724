/** A statement with named parameters. */
export interface Statement {
  /** The end of the error message "Cannot …" if it fails. */
  doing: string
  /** The SQL with numbered parameters. `%.` stands for the schema. */
  sql: string
  /** The names of the parameters `$1`, `$2`, … */
  parameters: readonly string[]
}

/** Makes a statement from SQL in which `:name` is a parameter. */
export function statement(doing: string, named: string): Statement {
  const parameters: string[] = []
  const sql = named.replaceAll(/(?<!:):([a-z]\w*)/gi, (_, name: string) => {
    if (!parameters.includes(name)) parameters.push(name)
    return `$${parameters.indexOf(name) + 1}`
  })
  return { doing, sql, parameters }
}
