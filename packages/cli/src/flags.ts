/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The flags of a command line, by name. A flag that was not given is absent. */
export class Flags {
  readonly #values: ReadonlyMap<string, string | true | string[]>

  constructor(values: ReadonlyMap<string, string | true | string[]>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  texts(name: string): string[] {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : []
  }

  /** The value as a number. The parser has already refused values that are not numbers. */
  number(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : Number(value)
  }
}
