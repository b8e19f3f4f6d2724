import { readFileSync } from 'node:fs'
import { createServer } from '@colloquy/server'
import { servedEngine } from '../engine/connect.ts'
import { namedEngine } from '../engine/choose.ts'
import { engineLabel, isOnThisMachine } from '../engine/engine-kind.ts'
import { UsageError } from '../exit.ts'
import type { Flags } from '../flags.ts'
import { systemReason } from '../system-error.ts'
import { writeLine } from '../terminal/output.ts'
import { accessLogger, logOptions } from './access-log.ts'
import { closeOnSignal, loopback, nameOfOrigin, open } from './serve/listening.ts'
import { openState, type ServeState } from './serve/state.ts'

const defaultPort = 4141

/** Runs `colloquy serve`: serves on a port of this machine until a signal stops it. */
export async function serve(flags: Flags): Promise<number> {
  if (flags.has('schema')) return (await import('./serve/print-schema.ts')).printSchema()
  if (flags.has('check') && !flags.has('config')) throw new UsageError('Cannot use --check without --config FILE')
  if (flags.has('config')) return (await import('./serve/serve-config.ts')).serveConfig(flags)
  const { port = defaultPort, host = '127.0.0.1', keys } = readFlags(flags)
  const chosen = namedEngine(flags.text('engine') ?? 'offline')
  const isOffline = chosen.kind === 'offline'
  const engine = await servedEngine(chosen, flags)
  const isLocal = isOnThisMachine(chosen)
  const log = accessLogger({ ...logOptions(flags), isLocal: () => isLocal })
  const names = [...loopback, ...flags.texts('allow-host')]
  const origins = (origin: string): boolean => names.includes(nameOfOrigin(origin))
  const state = await openState(flags, { engine: engineLabel(chosen), isPriced: !isLocal, host, keys })
  try {
    const { access } = state
    const server = createServer({ engine, lenient: !isOffline || flags.has('lenient'), log, origins, access })
    const listening = await open(server, { port, host, ...(loopback.includes(host) && { allowedHosts: names }) })
    if (!flags.has('json')) startScreen(listening.url, engineLabel(chosen), state).forEach(writeLine)
    return await closeOnSignal(listening)
  } finally {
    await state.close()
  }
}

function readFlags(flags: Flags): { port?: number; host?: string; keys?: string[] } {
  const port = flags.number('port')
  if (port !== undefined && port > 65_535) throw new UsageError(`Cannot listen on port ${port}: the highest is 65535`)
  const host = flags.text('host')
  const file = flags.text('key-file')
  const keys = file === undefined ? undefined : readKeys(file)
  return { ...(port !== undefined && { port }), ...(host !== undefined && { host }), ...(keys && { keys }) }
}

function readKeys(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read the keys in ${path}: ${systemReason(error)}`)
  }
  const keys = text.split('\n').map((line) => line.trim())
  const found = keys.filter((line) => line !== '' && !line.startsWith('#'))
  if (found.length === 0) throw new UsageError(`Cannot use the keys in ${path}: it contains none`)
  return found
}

function startScreen(url: string, engine: string, { accessText, store }: ServeState): string[] {
  return [
    `  API       ${url}/v1/messages      export ANTHROPIC_BASE_URL=${url}`,
    `  Engine    ${engine}      Access  ${accessText}      Log  metadata only`,
    `  Data      ${store.database.name}      colloquy usage shows what is used`,
    '  Ctrl-C stops after open replies finish; twice stops now.',
    '',
  ]
}
