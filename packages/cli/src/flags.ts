/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The flags of a command line, by name. A flag that was not given has the value of the user's configuration, if that has one. */
export class Flags {
  readonly #values: ReadonlyMap<string, string | true | string[]>
  readonly #defaults: ReadonlyMap<string, string>

  constructor(
    values: ReadonlyMap<string, string | true | string[]>,
    defaults: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#values = values
    this.#defaults = defaults
  }

  /** The same flags, with other values where none was given. */
  withDefaults(defaults: ReadonlyMap<string, string>): Flags {
    return new Flags(this.#values, defaults)
  }

  /** The flags that were given, without the configuration. */
  get given(): Flags {
    return new Flags(this.#values)
  }

  /** Whether the flag was given. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : this.#defaults.get(name)
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
