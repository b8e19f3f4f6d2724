import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { UsageError } from '../exit.ts'
import { Flags } from '../flags.ts'
import { meantCommand, meantFlag } from './unknown-word.ts'
import { chat } from './chat/command.ts'
import { type Command, type Option, type Subcommand, subcommandOf } from './command.ts'
import { commands } from './table.ts'
import { programName } from '../terminal/program-name.ts'

/** A command line, checked against the table of commands. */
export interface Invocation {
  command: Command
  /** The words that are not flags. */
  words: string[]
  flags: Flags
}

/**
 * Reads the words after the program's name. A first word with a space in it is a message for `chat`. Throws a `UsageError`, if
 * possible with the word that was probably meant.
 */
export async function parse(words: readonly string[]): Promise<Invocation> {
  const [first] = words
  const named = commands.find((command) => command.name === first)
  if (named !== undefined) return parseCommand(named, words.slice(1))
  if (first === undefined || first.startsWith('-') || /\S\s+\S/.test(first)) return parseCommand(chat, words)
  throw await unknownCommand(words)
}

/** The error for a first word that is not a command: a mistyped command, or a message. */
export async function unknownCommand(words: readonly string[]): Promise<UsageError> {
  const [first = ''] = words
  const meant = await meantCommand(first, commands)
  const hint =
    meant === undefined
      ? `${programName} --help lists them; ${programName} ask "${words.join(' ')}" sends a message.`
      : `Did you mean ${programName} ${meant}?`
  return new UsageError(`No command ${first}. ${hint}`)
}

async function parseCommand(command: Command, words: readonly string[]): Promise<Invocation> {
  const tokens = tokensOf(command, words)
  const values = new Map<string, string | true | string[]>()
  const positionals: string[] = []
  let taken = -1
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'positional' && index !== taken) positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = command.options.find(({ name }) => name === token.name)
    if (option === undefined) throw await unknownFlag(command, token.rawName)
    const next = tokens[index + 1]
    let value = token.value
    if (option.kind === 'maybe' && value === undefined && next?.kind === 'positional') {
      value = next.value
      taken = index + 1
    }
    const checked = check(option, token.rawName, value)
    if (option.kind !== 'texts') values.set(option.name, checked)
    else values.set(option.name, [...((values.get(option.name) as string[] | undefined) ?? []), checked as string])
  }
  const subcommand = subcommandOf(command, positionals)
  if (subcommand !== undefined) checkSubcommand(command, subcommand, { words: positionals.slice(1), flags: values })
  const [extra] = positionals
  if (extra !== undefined && command.synopsis === '' && command.subcommands === undefined)
    throw new UsageError(`Cannot use ${extra}: ${programName} ${command.name} takes only flags`)
  return { command, words: positionals, flags: new Flags(values) }
}

/** Refuses flags and words that the subcommand would ignore. */
function checkSubcommand(
  command: Command,
  { name, synopsis, flags }: Subcommand,
  given: { words: readonly string[]; flags: ReadonlyMap<string, unknown> },
): void {
  const line = `${programName} ${command.name} ${name}`
  const other = given.flags.keys().find((flag) => flag !== 'help' && !flags.includes(flag))
  if (other !== undefined) throw new UsageError(`Cannot use --${other} with ${line}. ${line} --help lists its flags.`)
  const [extra] = given.words
  if (extra !== undefined && synopsis === '') throw new UsageError(`Cannot use ${extra}: ${line} takes only flags`)
}

type Token =
  | { kind: 'option'; name: string; rawName: string; value: string | undefined }
  | { kind: 'positional'; value: string }
  | { kind: 'option-terminator' }

function tokensOf(command: Command, words: readonly string[]): Token[] {
  const options: ParseArgsOptionsConfig = {}
  for (const { name, short, kind } of command.options) {
    const type = takesNextWord(kind) ? 'string' : 'boolean'
    options[name] = short === undefined ? { type } : { type, short }
  }
  return parseArgs({
    args: withEquals(words, command.options),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens
}

/** Whether the word after a flag is always its value. */
function takesNextWord(kind: Option['kind']): boolean {
  return kind !== 'flag' && kind !== 'maybe' && kind !== 'attached'
}

/** Writes `-xpython` as `--extract=python`: `parseArgs()` would read the flags x, p, y, and so on. */
function withEquals(words: readonly string[], options: readonly Option[]): string[] {
  const rewritten: string[] = []
  for (const [index, word] of words.entries()) {
    if (word === '--') return [...rewritten, ...words.slice(index)]
    const before = words[index - 1]
    const isValue = options.some(({ name, short, kind }) => {
      return takesNextWord(kind) && before !== undefined && (before === `--${name}` || before === `-${short}`)
    })
    const option = options.find(({ short, kind }) => kind === 'attached' && short === word[1] && word[0] === '-')
    const isShort = option !== undefined && !isValue && word.length > 2
    rewritten.push(isShort ? `--${option.name}=${word.slice(2).replace(/^=/, '')}` : word)
  }
  return rewritten
}

async function unknownFlag({ name, options }: Command, flag: string): Promise<UsageError> {
  const names = options.map((option) => option.name)
  const meant = await meantFlag(flag.replace(/^-+/, ''), names)
  const hint = meant === undefined ? `Run ${programName} ${name} --help for the list.` : `Did you mean --${meant}?`
  return new UsageError(`No flag ${flag}. ${hint}`)
}

function check({ kind, choices, value: label }: Option, name: string, value: string | undefined): string | true {
  if (kind === 'flag') {
    if (value !== undefined) throw new UsageError(`Cannot use ${name}=${value}: ${name} takes no value`)
    return true
  }
  if (kind === 'maybe' || kind === 'attached') return value ?? true
  const isFlag = value?.startsWith('-') && value !== '-' && !/^-\.?\d/.test(value)
  if (value === undefined || (isFlag && kind !== 'text' && kind !== 'texts')) {
    throw new UsageError(`Cannot use ${name}: ${label ?? choices?.join(', ')} is missing`)
  }
  if (value.trim() === '' && isName(kind, label)) throw new UsageError(`Cannot use ${name}: ${label} is empty`)
  if (choices !== undefined && !choices.includes(value)) {
    throw new UsageError(`Cannot use ${name} ${value}: it must be one of ${choices.join(', ')}`)
  }
  if (kind === 'count' && !/^\d{1,9}$/.test(value)) {
    throw new UsageError(`Cannot use ${name} ${value}: it must be a whole number`)
  }
  if (kind === 'amount' && !(/^\d{0,9}\.?\d{0,9}$/.test(value) && Number(value) > 0)) {
    throw new UsageError(`Cannot use ${name} ${value}: it must be a number above 0`)
  }
  return value
}

/** Whether a value is a name, a place or the like. An empty system prompt means something: none. */
function isName(kind: Option['kind'], label: string | undefined): boolean {
  return (kind === 'text' || kind === 'texts') && label !== undefined && !label.startsWith('TEXT')
}
