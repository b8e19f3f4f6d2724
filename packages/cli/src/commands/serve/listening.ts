import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from '@colloquy/server'
import { listen, type Listening, type ListenOptions } from '@colloquy/server/node'
import { ExitCode, ExitError } from '../../exit.ts'

/** The names of this machine that only this machine can reach. */
export const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]', '::1']

/** Listens, and says which port to try if this one is in use. */
export async function open(server: Server, options: ListenOptions & { port: number }): Promise<Listening> {
  const { port } = options
  try {
    return await listen(server, options)
  } catch (error) {
    const code = (error as { cause?: NodeJS.ErrnoException }).cause?.code
    if (code === 'EADDRINUSE') {
      throw new ExitError(ExitCode.failed, `Port ${port} is in use. Try colloquy serve --port ${port + 1}.`)
    }
    throw error
  }
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
}

/** Waits for a signal, then for the replies in flight. A second signal ends the program. */
export async function closeOnSignal(listening: Listening, closing: Closing = {}): Promise<number> {
  const { graceMs = 10_000, drainMs = 0, onDrain } = closing
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let isStopping = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (isStopping) process.exit(ExitCode.interrupted)
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
