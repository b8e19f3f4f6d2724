import type { Invocation } from './command.ts'
import { ExitCode } from './exit.ts'
import { parse } from './parse.ts'

/** Runs the program and says with which code it ends. */
export async function run(words: readonly string[]): Promise<number> {
  leaveQuietlyWhenNobodyReads()
  silenceSqliteWarning()
  try {
    const [first] = words
    if (first === '-V' || first === '--version') return await print(`colloquy ${await version()}\n`)
    if (first === '-h' || first === '--help' || first === 'help') return await help(words.slice(1))
    return await runCommand(await parse(words))
  } catch (error) {
    const { failureOf } = await import('./failure.ts')
    const { exitCode, line } = failureOf(error)
    process.stderr.write(`${line}\n`)
    return exitCode
  }
}

async function runCommand(invocation: Invocation): Promise<number> {
  const { command, words, flags } = invocation
  if (flags.has('help')) return help([command.name])
  switch (command.name) {
    case 'serve':
      return (await import('./commands/serve.ts')).serve(flags)
    case 'models':
      return (await import('./commands/models.ts')).listModels(words, flags)
    case 'paths':
      return (await import('./commands/paths.ts')).showPaths(flags)
    case 'ask':
      return (await import('./commands/ask.ts')).ask(words, flags)
  }
  const isKept = command.subcommands?.some(({ name }) => name === words[0]) === true
  if (isKept) return (await import('./commands/chats.ts')).chats(words, flags)
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY && !flags.has('print') && !flags.has('output')
  if (isInteractive) return (await import('./commands/chat.ts')).chat(words, flags)
  return (await import('./commands/ask.ts')).ask(words, flags)
}

async function help([name]: readonly string[]): Promise<number> {
  const [{ commandHelp, programHelp }, { commands }] = await Promise.all([
    import('./commands/help.ts'),
    import('./commands/commands.ts'),
  ])
  const command = commands.find((candidate) => candidate.name === name)
  return print(command === undefined ? programHelp() : commandHelp(command))
}

async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

async function print(text: string): Promise<number> {
  process.stdout.write(text)
  return ExitCode.ok
}

/** `colloquy ask … | head -1`: the reader has what it wanted. */
function leaveQuietlyWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(ExitCode.ok)
      throw error
    })
  }
}

/** Node 22 calls its SQLite experimental. Whoever chats cannot do anything about it. */
function silenceSqliteWarning(): void {
  const emit = process.emitWarning.bind(process) as (...parts: unknown[]) => void
  process.emitWarning = (...parts: unknown[]): void => {
    if (!String(parts[0]).startsWith('SQLite is an experimental feature')) emit(...parts)
  }
}
