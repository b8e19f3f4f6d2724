import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
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
  const run: Run = (command, args) =>
    execFileSync(join(bin, command), args, { ...user, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  const data = join(folder, 'data')
  const stop = (): void => {
    run('pg_ctl', ['stop', '-D', data, '-m', 'immediate', '-w'])
    rmSync(folder, { recursive: true })
  }
  try {
    copyData(data, run)
    // No test ends the machine, so nothing has to reach the disk. Tables that were filled a moment ago have no statistics, without
    // which the planner expects so many rows that it compiles a statement for seconds.
    const options = `-c fsync=off -c jit=off -c listen_addresses= -c unix_socket_directories=${folder} -c max_connections=60`
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

type Run = (command: string, args: readonly string[]) => string

/** Copies the files of an empty database, which are kept in node_modules: `initdb` takes ten times as long. */
function copyData(data: string, run: Run): void {
  const [version] = /\d+/.exec(run('postgres', ['--version']))!
  const cache = join(import.meta.dirname, '../node_modules/.cache')
  const kept = join(cache, `postgres-${version}`)
  const copy = (from: string, to: string): unknown => execFileSync('cp', ['-a', from, to])
  if (existsSync(kept)) return void copy(kept, data)
  run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'])
  mkdirSync(cache, { recursive: true })
  const begun = mkdtempSync(`${kept}-`)
  try {
    copy(data, join(begun, 'data'))
    renameSync(join(begun, 'data'), kept)
  } catch (error) {
    if (!existsSync(kept)) throw error // Otherwise another file of tests was first.
  } finally {
    rmSync(begun, { recursive: true })
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
