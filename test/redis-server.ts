import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** A Redis or Valkey server. */
export interface RedisServer {
  url: string
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the Redis or Valkey server of this machine on a free port. Undefined if none is installed. */
export async function startRedis(): Promise<RedisServer | undefined> {
  const command = ['redis-server', 'valkey-server'].find(isInstalled)
  if (command === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-redis-'))
  const port = await freePort()
  let server = await run(command, port, folder)
  const kill = async (): Promise<void> => {
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      server = await run(command, port, folder)
    },
    async stop() {
      if (server.exitCode === null && server.signalCode === null) await kill()
      rmSync(folder, { recursive: true })
    },
  }
}

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Resolves when the server accepts connections. */
async function run(command: string, port: number, folder: string): Promise<ChildProcess> {
  const server = spawn(command, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let log = ''
  for await (const text of server.stdout) {
    log += String(text)
    if (log.includes('Ready to accept connections')) return server
  }
  throw new Error(`Cannot start ${command}:\n${log}`)
}
