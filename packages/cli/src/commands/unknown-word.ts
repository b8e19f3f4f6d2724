import { UsageError } from '../exit.ts'
import { programName } from '../terminal/program-name.ts'
import { type Command, type Subcommand, subcommandOf } from './command.ts'

/** The known word nearest to a mistyped one. Loaded on demand: a command line without errors does not need it. */
export async function nearest(word: string, known: readonly string[]): Promise<string | undefined> {
  const { nearMiss } = await import('colloquy/protocol')
  return nearMiss(word, known)
}

/** Flags of `llm` and Claude Code, with those that do the same here. */
export const flagsElsewhere: ReadonlyMap<string, string> = new Map([
  ['append-system-prompt', 'system'],
  ['attachment', 'attach'],
  ['cid', 'resume'],
  ['conversation', 'resume'],
  ['effort', 'thinking'],
  ['fragment', 'file'],
  ['fork-session', 'fork'],
  ['json', 'output json'],
  ['max-budget-usd', 'max-cost'],
  ['n', 'no-save'],
  ['no-log', 'no-save'],
  ['output-format', 'output'],
  ['param', 'var'],
  ['schema', 'json-schema'],
  ['session-id', 'resume'],
  ['system-prompt', 'system'],
  ['u', 'usage'],
])

/** Commands of `llm`, Ollama and Claude Code, with those that do the same here. */
export const commandsElsewhere: ReadonlyMap<string, string> = new Map([
  ['history', 'chat list'],
  ['login', 'keys set anthropic'],
  ['logs', 'chat list'],
  ['prompt', 'ask'],
  ['pull', 'models get'],
  ['run', 'chat'],
  ['sessions', 'chat list'],
])

/** The flag that was meant by an unknown one, without its dashes: a mistyped one, or one of another program. */
export async function meantFlag(word: string, known: readonly string[]): Promise<string | undefined> {
  const same = flagsElsewhere.get(word)
  return same !== undefined && known.includes(same.split(' ')[0]!) ? same : nearest(word, known)
}

/** The command that was meant by an unknown one: a mistyped one, a subcommand alone, or one of another program. */
export async function meantCommand(word: string, known: readonly Command[]): Promise<string | undefined> {
  const owner = known.find((command) => subcommandOf(command, [word]) !== undefined)
  if (owner !== undefined) return `${owner.name} ${word}`
  const names = known.map(({ name }) => name)
  return commandsElsewhere.get(word) ?? (await nearest(word, names))
}

/** The error for a word that is none of a command's subcommands, with the one that was probably meant. */
export async function unknownSubcommand(
  command: string,
  word: string,
  subcommands: readonly Subcommand[],
): Promise<UsageError> {
  const names = subcommands.map(({ name }) => name)
  const near = await nearest(word, names)
  const hint =
    near === undefined ? `Give one of ${names.join(', ')}.` : `Did you mean ${programName} ${command} ${near}?`
  return new UsageError(`No subcommand ${word}. ${hint}`)
}
