import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from '@colloquy/server'
import type { SessionJson } from '@colloquy/server/console'
import { listen, type Listening, type ListenOptions } from '@colloquy/server/node'
import { ExitCode, ExitError } from '../../exit.ts'
import { systemReason } from '../../errors/system-error.ts'
import { writeErrorLine } from '../../terminal/output.ts'
import { endLeanStart } from './lean-memory.ts'
import { programName } from '../../terminal/program-name.ts'

/** The names by which pages of this machine call it. */
export const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]', '::1']

/** Listens. If the port is in use, says by which program if that is this one, and which port to try. */
export async function open(server: Server, options: ListenOptions & { port: number }): Promise<Listening> {
  const { port, host = '127.0.0.1' } = options
  try {
    const listening = await listen(server, options)
    endLeanStart()
    surviveWithoutLog()
    return listening
  } catch (error) {
    const code = (error as { cause?: NodeJS.ErrnoException }).cause?.code
    if (code === 'EADDRINUSE') {
      const pid = await runningConsole(host, port)
      if (pid !== undefined) throw new InUseError(pid, { host, port })
      throw new ExitError(ExitCode.failed, `Port ${port} is in use by another program. Try --port ${port + 1}.`)
    }
    throw error
  }
}

/** From now on a log that cannot be written, because its disk is full or its reader has ended, does not end the program. */
function surviveWithoutLog(): void {
  for (const output of [process.stdout, process.stderr]) output.removeAllListeners('error')
  process.stderr.on('error', () => {})
  process.stdout.once('error', (error) => {
    process.stdout.on('error', () => {})
    writeErrorLine(`Cannot write the log: ${systemReason(error)}. Requests are answered without it.`)
  })
}

/** The port is in use by a server of this program with a console. */
export class InUseError extends ExitError {
  /** The address of its console. */
  readonly url: string

  constructor(pid: number, { host, port }: { host: string; port: number }) {
    super(
      ExitCode.failed,
      `${port} is in use by colloquy (pid ${pid}). Open it: ${programName} web, or try --port ${port + 1}.`,
    )
    this.url = urlOf(host, port)
  }
}

/** The process of a server with a console on a port; undefined if another program uses it. */
async function runningConsole(host: string, port: number): Promise<number | undefined> {
  try {
    const response = await fetch(`${urlOf(host, port)}/api/session`, { signal: AbortSignal.timeout(5_000) })
    const { program, pid } = (await response.json()) as Partial<SessionJson>
    return program === 'colloquy' ? pid : undefined
  } catch {
    return undefined
  }
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

/** The host of a page's origin, in lower case and without a port. */
export function nameOfOrigin(origin: string): string {
  return nameOf(URL.parse(origin)?.host ?? '')
}

function nameOf(host: string | null): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '')
}

/** How a server ends. */
export interface Closing {
  /** Milliseconds that the replies in flight may take. Default 10,000. */
  graceMs?: number
  /** Milliseconds to accept requests after SIGTERM, so that a balancer notices first. Default 0. */
  drainMs?: number
  /** Called before the wait. */
  onDrain?: () => void
  /**
   * Whether SIGHUP stops the server: a terminal that is closed sends it. Default: if there is a terminal. Without one it may be
   * ignored, as `nohup` asks, which a listener would undo.
   */
  stopsOnHangup?: boolean
}

/** Waits for a signal, then for the replies in flight. A second signal ends the program. */
export async function closeOnSignal(listening: Listening, closing: Closing = {}): Promise<number> {
  const { graceMs = 10_000, drainMs = 0, onDrain, stopsOnHangup = process.stdin.isTTY } = closing
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let isStopping = false
  for (const name of ['SIGINT', 'SIGTERM', ...(stopsOnHangup ? (['SIGHUP'] as const) : [])] as const) {
    process.on(name, () => {
      // A terminal and its shell both send SIGHUP.
      if (isStopping && name !== 'SIGHUP') process.exit(ExitCode.interrupted)
      isStopping = true
      resolve(name)
    })
  }
  const signal = await promise
  onDrain?.()
  if (signal === 'SIGTERM' && drainMs > 0) await wait(drainMs)
  await listening.close({ graceMs })
  return ExitCode.ok
}
