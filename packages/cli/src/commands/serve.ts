import { readFileSync } from 'node:fs'
import { createServer, type AccessEntry, type Server } from '@colloquy/server'
import { listen, type Listening } from '@colloquy/server/node'
import { newId, offline } from 'colloquy/engines'
import { apiError, costOf, errorResponse, formatUsd, type Engine } from 'colloquy/protocol'
import type { Flags } from '../command.ts'
import { connect, engineLabel } from '../connect.ts'
import { seconds, tokens } from '../chat/cost-line.ts'
import { ExitCode, ExitError, UsageError } from '../exit.ts'
import { failureOf } from '../failure.ts'
import { painterFor } from '../chat/look.ts'

const defaultPort = 4141
const loopback = ['127.0.0.1', 'localhost', '[::1]', '::1']

/** `colloquy serve`: the server on a port of this machine, until it is stopped. */
export async function serve(flags: Flags): Promise<number> {
  const { port = defaultPort, host = '127.0.0.1', keys } = readFlags(flags)
  const kind = flags.text('engine') ?? 'offline'
  const isOffline = kind === 'offline'
  const engine: Engine = isOffline ? offline() : (await connect(kind, flags)).engine
  const log = logger(flags, isOffline)
  const names = [...loopback, ...flags.texts('allow-host')]
  const origins = (origin: string): boolean => names.includes(nameOfOrigin(origin))
  const server = createServer({ engine, lenient: !isOffline, log, origins, ...(keys === undefined ? {} : { keys }) })
  const guarded = loopback.includes(host) ? onlyFor(names, server) : server
  const listening = await open(guarded, port, host)
  if (!flags.has('json')) process.stdout.write(startScreen(listening.url, engineLabel(kind), keys?.length))
  return closed(listening)
}

function readFlags(flags: Flags): { port?: number; host?: string; keys?: string[] } {
  const port = flags.number('port')
  if (port !== undefined && port > 65_535) throw new UsageError(`Cannot listen on port ${port}: the highest is 65535`)
  const host = flags.text('host')
  const file = flags.text('key-file')
  const keys = file === undefined ? undefined : readKeys(file)
  if (host !== undefined && !loopback.includes(host) && keys === undefined) {
    throw new UsageError(
      `Cannot listen on ${host} without keys: whoever reaches this machine could use the engine. Add --key-file FILE`,
    )
  }
  return { ...(port !== undefined && { port }), ...(host !== undefined && { host }), ...(keys && { keys }) }
}

function readKeys(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read the keys: ${error instanceof Error ? error.message : String(error)}`)
  }
  const keys = text.split('\n').map((line) => line.trim())
  const found = keys.filter((line) => line !== '' && !line.startsWith('#'))
  if (found.length === 0) throw new UsageError(`Cannot use the keys of ${path}: there is none in it`)
  return found
}

async function open(server: Server, port: number, host: string): Promise<Listening> {
  try {
    return await listen(server, { port, host })
  } catch (error) {
    const code = (error as { cause?: NodeJS.ErrnoException }).cause?.code
    if (code === 'EADDRINUSE') {
      throw new ExitError(ExitCode.failed, `Port ${port} is in use. Try colloquy serve --port ${port + 1}.`)
    }
    throw error
  }
}

/**
 * Answers only requests that are addressed to this machine by one of its names, and that no page of another site sent: a
 * page could otherwise have its own name point here and talk to the server as if it were its own.
 */
function onlyFor(names: readonly string[], server: Server): Server {
  return {
    async fetch(input, init) {
      const request = new Request(input, init)
      const host = nameOf(request.headers.get('host'))
      const origin = request.headers.get('origin')
      const sender = origin === null ? undefined : nameOfOrigin(origin)
      if (names.includes(host) && (sender === undefined || names.includes(sender))) return server.fetch(request)
      const found = names.includes(host) ? `origin ${origin}` : `host ${host || '(none)'}`
      const { body, headers } = errorResponse(
        apiError('permission_error', `Not allowed: ${found}. colloquy serve --allow-host NAME allows a name`),
        newId('req_01'),
      )
      return Response.json(body, { status: 403, headers })
    },
  }
}

function nameOf(host: string | null): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '')
}

function nameOfOrigin(origin: string): string {
  return nameOf(URL.parse(origin)?.host ?? '')
}

function startScreen(url: string, engine: string, keys: number | undefined): string {
  const access = keys === undefined ? 'any key or none' : `${keys} ${keys === 1 ? 'key' : 'keys'}`
  return [
    `  API       ${url}/v1/messages      export ANTHROPIC_BASE_URL=${url}`,
    `  Engine    ${engine}      Access  ${access}      Log  metadata only`,
    '  Ctrl-C stops after open replies finish; twice stops now.',
    '',
    '',
  ].join('\n')
}

/** Who writes a line for each request. */
function logger(flags: Flags, isOffline: boolean): (entry: AccessEntry) => void {
  if (flags.has('quiet')) return () => {}
  if (flags.has('json')) return (entry) => void process.stdout.write(`${JSON.stringify(recordOf(entry))}\n`)
  const paint = painterFor(flags)
  return (entry) => {
    const line = accessLine(entry, { at: new Date(), isOffline })
    process.stdout.write(`${paint(line, entry.status >= 400 ? { color: 'red' } : {})}\n`)
  }
}

/** `12:01:03  POST /v1/messages  200  stream  MODEL  1.2k→900  10.4 s  ttft 0.6 s  $0.0329  req_01…` */
export function accessLine(entry: AccessEntry, { at, isOffline }: { at: Date; isOffline: boolean }): string {
  const { method, path, status, stream, model, inputTokens, outputTokens, ms, ttftMs, aborted, error, requestId } =
    entry
  const usage = outputTokens === null ? '' : `${tokens(inputTokens ?? 0)}→${tokens(outputTokens)}`
  return [
    at.toTimeString().slice(0, 8),
    `${method} ${path}`,
    aborted ? 'stopped by client' : String(status),
    stream ? 'stream' : '',
    model ?? '',
    aborted && usage !== '' ? `≈${usage}` : usage,
    seconds(ms),
    ttftMs === null ? '' : `ttft ${seconds(ttftMs)}`,
    usage === '' ? '' : priceOf(entry, isOffline),
    error === undefined || aborted ? '' : failureOf(error).sentence,
    requestId,
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function priceOf(entry: AccessEntry, isOffline: boolean): string {
  if (isOffline) return 'local'
  const { model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, aborted } = entry
  const usage = {
    input_tokens: inputTokens ?? 0,
    output_tokens: outputTokens ?? 0,
    cache_read_input_tokens: cacheReadTokens,
    cache_creation_input_tokens: cacheWriteTokens,
  }
  const cost = model === null ? undefined : costOf(usage, model)
  if (cost === undefined) return 'no price'
  // The log does not know how long what was written lives, so with writes the price is a lower bound.
  return `${aborted || cacheWriteTokens ? '≈' : ''}${formatUsd(cost.picoUsd)}`
}

function recordOf({ error, ...entry }: AccessEntry): object {
  const failure = error === undefined ? null : failureOf(error)
  return { at: new Date().toISOString(), ...entry, error: failure && { type: failure.type, message: failure.sentence } }
}

/** Waits for a signal, then for the replies that are under way. */
async function closed(listening: Listening): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isStopping = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (isStopping) process.exit(ExitCode.interrupted)
      isStopping = true
      resolve()
    })
  }
  await promise
  await listening.close({ graceMs: 10_000 })
  return ExitCode.ok
}
