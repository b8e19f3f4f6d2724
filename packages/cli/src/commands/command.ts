/** One flag. The table of these drives parsing, help and did-you-mean. */
export interface Option {
  name: string
  short?: string
  /** `text` takes a value, `texts` takes one each time it is given, `maybe` takes one if one follows. */
  kind: 'flag' | 'text' | 'texts' | 'maybe' | 'count' | 'amount' | 'choice'
  /** What the value is called in the help. */
  value?: string
  choices?: readonly string[]
  about: string
}

/** One command. */
export interface Command {
  name: string
  summary: string
  /** The line after the command's name in the help. */
  synopsis: string
  /** What may follow the name instead of free words. */
  subcommands?: readonly { name: string; synopsis: string; summary: string }[]
  options: readonly Option[]
  /** Lines of the shell, each with what it does. */
  examples: readonly (readonly [line: string, about: string])[]
}

/** What was asked for, checked against the table. */
export interface Invocation {
  command: Command
  words: string[]
  flags: Flags
}

/** The flags that were given, by name. Those that were not are absent. */
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

  /** The parser has seen to it that it is a number. */
  number(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : Number(value)
  }
}
