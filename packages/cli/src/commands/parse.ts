import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Flags, type Command, type Invocation, type Option } from './command.ts'
import { chat, commands } from './commands/commands.ts'
import { UsageError } from './exit.ts'

/** Reads the words after the program's name. Throws `UsageError`, with what was probably meant. */
export async function parse(words: readonly string[]): Promise<Invocation> {
  const [first] = words
  const named = commands.find((command) => command.name === first)
  if (named !== undefined) return parseCommand(named, words.slice(1))
  if (first === undefined || first.startsWith('-')) return parseCommand(chat, words)
  const names = commands.map((command) => command.name)
  throw new UsageError(`No command ${first}. ${await meant(first, names, '', 'Run colloquy --help for the list.')}`)
}

async function parseCommand(command: Command, words: readonly string[]): Promise<Invocation> {
  const config: ParseArgsOptionsConfig = {}
  for (const { name, short, kind } of command.options) {
    const type = kind === 'flag' || kind === 'maybe' ? 'boolean' : 'string'
    config[name] = short === undefined ? { type } : { type, short }
  }
  const { tokens } = parseArgs({
    args: [...words],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values = new Map<string, string | true | string[]>()
  const positionals: string[] = []
  let taken = -1
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'positional' && index !== taken) positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = command.options.find(({ name }) => name === token.name)
    if (option === undefined) {
      const names = command.options.map(({ name }) => name)
      const hint = await meant(
        token.rawName.replace(/^-+/, ''),
        names,
        '--',
        `Run colloquy ${command.name} --help for the list.`,
      )
      throw new UsageError(`No flag ${token.rawName}. ${hint}`)
    }
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
  return { command, words: positionals, flags: new Flags(values) }
}

function check({ kind, choices, value: called }: Option, name: string, value: string | undefined): string | true {
  if (kind === 'flag') {
    if (value !== undefined) throw new UsageError(`Cannot use ${name}=${value}: ${name} takes no value`)
    return true
  }
  if (kind === 'maybe') return value ?? true
  if (value === undefined || (value.startsWith('-') && value !== '-' && kind !== 'text' && kind !== 'texts')) {
    throw new UsageError(`Cannot use ${name}: ${called ?? choices?.join(', ')} is missing`)
  }
  if (choices !== undefined && !choices.includes(value)) {
    throw new UsageError(`Cannot use ${name} ${value}: it is one of ${choices.join(', ')}`)
  }
  if (kind === 'count' && !/^\d{1,9}$/.test(value)) {
    throw new UsageError(`Cannot use ${name} ${value}: it must be a whole number`)
  }
  if (kind === 'amount' && !(/^\d{0,9}\.?\d{0,9}$/.test(value) && Number(value) > 0)) {
    throw new UsageError(`Cannot use ${name} ${value}: it must be a number above 0`)
  }
  return value
}

/** Loaded only where something was mistyped: a start without a mistake should not pay for it. */
async function meant(word: string, known: readonly string[], mark: string, otherwise: string): Promise<string> {
  const { nearMiss } = await import('colloquy/protocol')
  const near = nearMiss(word, known)
  return near === undefined ? otherwise : `Did you mean ${mark}${near}?`
}
