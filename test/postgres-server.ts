import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PostgresServer {
  /** The folder of the server's socket, which `pg` accepts as a host. */
  host: string
  /** The address for programs that take one. */
  url: string
  /** Cuts all connections and starts it again. */
  restart(): void
  stop(): void
}

/**
 * Starts the PostgreSQL server of this machine on a socket in a new folder. Undefined if it is not installed, or if root is
 * the only user that could run it: PostgreSQL refuses to run as root.
 */
export function startPostgres(): PostgresServer | undefined {
  const [bin] = globSync(['/usr/lib/postgresql/*/bin', '/opt/homebrew/opt/postgresql@*/bin', '/usr/local/pgsql/bin'])
  const user: User | undefined = process.getuid?.() === 0 ? serverUser() : {}
  if (bin === undefined || user === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-postgres-'))
  chmodSync(folder, 0o700)
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const run = (command: string, args: readonly string[]): unknown =>
    execFileSync(join(bin, command), args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const data = join(folder, 'data')
  const stop = (): void => {
    run('pg_ctl', ['stop', '-D', data, '-m', 'immediate', '-w'])
    rmSync(folder, { recursive: true })
  }
  try {
    run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'])
    const options = `-c listen_addresses= -c unix_socket_directories=${folder} -c max_connections=60`
    const start = (): unknown => run('pg_ctl', ['start', '-D', data, '-w', '-o', options, '-l', join(folder, 'log')])
    start()
    const restart = (): void => {
      run('pg_ctl', ['stop', '-D', data, '-m', 'immediate', '-w'])
      start()
    }
    return {
      host: folder,
      url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
      restart,
      stop,
    }
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
}

interface User {
  uid?: number
  gid?: number
}

function serverUser(): User | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}
