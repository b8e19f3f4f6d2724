import { UsageError } from '../exit.ts'
import type { Subcommand } from './command.ts'

/** The known word nearest to a mistyped one. Loaded on demand: a command line without errors does not need it. */
export async function nearest(word: string, known: readonly string[]): Promise<string | undefined> {
  const { nearMiss } = await import('colloquy/protocol')
  return nearMiss(word, known)
}

/** The error for a word that is none of a command's subcommands, with the one that was probably meant. */
export async function unknownSubcommand(
  command: string,
  word: string,
  subcommands: readonly Subcommand[],
): Promise<UsageError> {
  const names = subcommands.map(({ name }) => name)
  const near = await nearest(word, names)
  const hint = near === undefined ? `Give one of ${names.join(', ')}.` : `Did you mean colloquy ${command} ${near}?`
  return new UsageError(`No subcommand ${word}. ${hint}`)
}
