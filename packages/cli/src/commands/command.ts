import type { Flags } from '../flags.ts'

/** A flag of a command. Parsing, help and suggestions for typing errors all use it. */
export interface Option {
  name: string
  short?: string
  /**
   * `text` takes a value, `texts` a value each time it is given, `maybe` a value if one follows, and `attached` only one that
   * is written together with the flag: `-xpython` or `--extract=python`.
   */
  kind: 'flag' | 'text' | 'texts' | 'maybe' | 'attached' | 'count' | 'amount' | 'choice'
  /** The name of the value in the help. */
  value?: string
  choices?: readonly string[]
  about: string
}

/** Runs a command and returns the program's exit code. */
export type Run = (words: readonly string[], flags: Flags) => Promise<number>

/** A word after the command's name that makes it do something else: `colloquy chat list`. */
export interface Subcommand {
  name: string
  synopsis: string
  summary: string
  /** The names of the command's flags that it takes. */
  flags: readonly string[]
  run: Run
}

export interface Command {
  name: string
  summary: string
  /** The words after the command's name, as the help shows them. */
  synopsis: string
  subcommands?: readonly Subcommand[]
  options: readonly Option[]
  /** Command lines, each with an explanation. */
  examples: readonly (readonly [line: string, about: string])[]
  run: Run
}

/** The subcommand that the words after the command's name begin with. */
export function subcommandOf({ subcommands = [] }: Command, [first]: readonly string[]): Subcommand | undefined {
  return subcommands.find(({ name }) => name === first)
}

export const helpOption: Option = { name: 'help', short: 'h', kind: 'flag', about: 'Show this help' }
export const jsonOption: Option = { name: 'json', kind: 'flag', about: 'Print JSON' }
export const databaseOption: Option = {
  name: 'database',
  kind: 'text',
  value: 'FILE|URL',
  about: 'Keys and usage: a SQLite file or postgres://… (default: see colloquy paths)',
}
