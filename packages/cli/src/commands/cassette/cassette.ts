import { spawn } from 'node:child_process'
import { createServer } from '@colloquy/server'
import { record } from 'colloquy/engines'
import { cassetteFile } from 'colloquy/engines/cassettes'
import { connect } from '../../engine/connect.ts'
import { namedEngine } from '../../engine/choose.ts'
import { engineLabel } from '../../engine/engine-kind.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { systemReason } from '../../errors/system-error.ts'
import { writeErrorLine } from '../../terminal/output.ts'
import { accessLogger, logOptions } from '../serve/access-log.ts'
import { closeOnSignal, loopback, nameOfOrigin, open } from '../serve/listening.ts'
import { programName } from '../../terminal/program-name.ts'

const defaultPort = 4142

/** Runs `colloquy record`: forwards requests to an engine, and writes them and the replies to a file. */
export async function recordTo(words: readonly string[], flags: Flags): Promise<number> {
  const { file, command } = wordsOf('record', words)
  const chosen = namedEngine(flags.text('engine') ?? 'api')
  const { engine } = await connect(chosen, flags)
  const mode = flags.has('new') ? 'record' : 'record-missing'
  const recording = record({ ...options(file, flags), engine, mode, secrets: keysOfEnvironment() })
  return run(recording, { command, flags, line: `${file} records ${engineLabel(chosen)}` })
}

/** Runs `colloquy replay`: answers requests with the replies of a file. */
export async function replayFrom(words: readonly string[], flags: Flags): Promise<number> {
  const { file, command } = wordsOf('replay', words)
  const cassette = cassetteFile(file)
  if ((await cassette.read()) === undefined)
    throw new UsageError(`Cannot replay ${file}: no such file or folder. ${programName} record ${file} makes it`)
  return run(record(options(file, flags)), { command, flags, line: `${file} is replayed` })
}

function wordsOf(name: string, [file, ...command]: readonly string[]): { file: string; command: string[] } {
  if (file === undefined)
    throw new UsageError(`Cannot ${name} without a file: ${programName} ${name} FILE [-- COMMAND…]`)
  return { file, command }
}

function options(file: string, flags: Flags): Parameters<typeof record>[0] {
  return { cassette: cassetteFile(file), ignore: flags.texts('ignore'), timing: flags.has('timing') }
}

function keysOfEnvironment(): string[] {
  const names = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'OPENAI_API_KEY']
  return names.flatMap((name) => process.env[name] || [])
}

interface Work {
  command: readonly string[]
  flags: Flags
  line: string
}

/** Serves the engine until a signal, or while a command runs that is told the address. */
async function run(engine: ReturnType<typeof record>, { command, flags, line }: Work): Promise<number> {
  const origins = (origin: string): boolean => loopback.includes(nameOfOrigin(origin))
  const hasCommand = command.length > 0
  const format = hasCommand ? { format: 'off' as const } : logOptions(flags)
  const log = accessLogger({ ...format, isLocal: () => false })
  const server = createServer({ engine, lenient: true, origins, log })
  const listening = await open(server, { port: flags.number('port') ?? (hasCommand ? 0 : defaultPort) })
  if (!hasCommand) {
    writeErrorLine(`${line}      export ANTHROPIC_BASE_URL=${listening.url}`)
    return closeOnSignal(listening)
  }
  try {
    return await runCommand(command, listening.url)
  } finally {
    await listening.close({ graceMs: 1_000 })
  }
}

/** Runs a program of the user with the address of the server in its environment. Returns its exit code. */
function runCommand([program, ...words]: readonly string[], url: string): Promise<number> {
  const env = { ANTHROPIC_API_KEY: 'any', ...process.env, ANTHROPIC_BASE_URL: url }
  const child = spawn(program!, words, { stdio: 'inherit', env })
  // Ctrl-C in a terminal reaches the child by itself; this program waits for its end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new UsageError(`Cannot run ${program}: ${systemReason(error)}`)))
    child.on('close', (code) => resolve(code ?? ExitCode.failed))
  })
}
