import { readFile } from 'node:fs/promises'
import { subcommandOf } from './commands/command.ts'
import { parse, unknownCommand } from './commands/parse.ts'
import { commands } from './commands/table.ts'
import { ExitCode } from './exit.ts'
import { useStoredKeys } from './engine/stored-keys.ts'
import { useProxies } from './proxies.ts'
import { systemReason } from './errors/system-error.ts'
import { writeDocument, writeErrorLine } from './terminal/output.ts'

/** Runs the program and returns its exit code. */
export async function run(words: readonly string[]): Promise<number> {
  if (!isSupported(process.versions.node)) {
    writeErrorLine(`colloquy needs Node 22.13 or newer: found ${process.versions.node}`)
    return ExitCode.failed
  }
  exitOnWriteErrors()
  exitOnUncaughtErrors()
  silenceSqliteWarning()
  try {
    return await runWords(words)
  } catch (error) {
    const { describeError } = await import('./errors/describe-error.ts')
    const { exitCode, line, advice } = describeError(error)
    writeErrorLine(advice === '' ? line : `${line} ${advice}`)
    return exitCode
  }
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

async function runWords(words: readonly string[]): Promise<number> {
  const [first, second, third] = words
  if (first === '-V' || first === '--version' || first === 'version') return print(`colloquy ${await version()}\n`)
  if (first === '-h' || first === '--help') return help(second)
  if (first === 'help') {
    const isKnown = second === undefined || second.startsWith('-') || commands.some(({ name }) => name === second)
    if (!isKnown) throw await unknownCommand([second])
    return help(second, third)
  }
  const { command, words: rest, flags } = await parse(words)
  if (flags.has('help')) return help(command.name, rest[0])
  useStoredKeys(process.env)
  useProxies(process.env)
  return command.run(rest, flags)
}

async function help(name?: string, word = ''): Promise<number> {
  const { commandHelp, programHelp, subcommandHelp } = await import('./commands/help.ts')
  const command = commands.find((candidate) => candidate.name === name)
  const width = process.stdout.isTTY ? process.stdout.columns : undefined
  if (command === undefined) return print(programHelp(commands, width))
  const subcommand = subcommandOf(command, [word])
  return print(subcommand === undefined ? commandHelp(command, width) : subcommandHelp(command, subcommand, width))
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

function print(text: string): number {
  writeDocument(text)
  return ExitCode.ok
}

/**
 * Ends the program when standard output cannot be written: with one sentence, or silently when a pipe is closed, as in
 * `colloquy ask … | head -1`. A terminal that is gone sends SIGHUP as well, so its error is ignored.
 */
function exitOnWriteErrors(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.ok)
    if (error.code === 'EIO' && process.stdout.isTTY) return
    writeErrorLine(`Cannot write to standard output: ${systemReason(error)}.`)
    process.exit(ExitCode.failed)
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? ExitCode.ok : ExitCode.failed)
  })
}

/** Describes an error that no other code handles in one line. Node would write its text unfiltered. */
function exitOnUncaughtErrors(): void {
  process.on('uncaughtException', (error) => {
    writeErrorLine(`Internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exit(ExitCode.failed)
  })
}

/** Node 22 warns that its SQLite is experimental. Users of the program can do nothing about it. */
function silenceSqliteWarning(): void {
  const emit = process.emitWarning.bind(process) as (...parts: unknown[]) => void
  process.emitWarning = (...parts: unknown[]): void => {
    if (!String(parts[0]).startsWith('SQLite is an experimental feature')) emit(...parts)
  }
}
