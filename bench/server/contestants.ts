import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compile, packageNames } from '../../scripts/compile.ts'
import type { Manifest } from '../../scripts/manifest.ts'
import { install } from '../client/packages.ts'

/** The CPU time of all threads of a process in microseconds, and its resident memory. */
export interface Used {
  cpuUs: number
  rssBytes: number
}

/** A server that stands in front of the upstream. */
export interface Contestant {
  name: string
  /** The module to run, and its parameters. */
  module: string
  parameters: (upstream: string, port: number) => string[]
}

export const bare: Contestant = program('bare node:http proxy', 'bare-proxy.js')
export const library: Contestant = program('colloquy', 'library.js')
/** The same with keys, limits, budgets and the ledger. */
export const withAccess: Contestant = program('colloquy with access', 'with-access.js')
export const serve: Contestant = {
  name: 'colloquy serve',
  module: here('../../packages/cli/dist/main.js'),
  parameters: (upstream, port) => ['serve', '--engine', upstream, '--port', String(port)],
}

const aimockVersion = '1.43.0'
const skipped = [
  'Portkey 1.15.2: with the dependencies that npm installs it answers every stream with 500',
  'claude-code-router 2.0.0: it is configured through the home folder only',
]

let found: Promise<Contestant[]> | undefined

/**
 * The contestants, the bare proxy first. Our packages are compiled as they are published. Peers are installed beside the
 * repository once; those that are skipped are named.
 */
export function contestants(): Promise<Contestant[]> {
  return (found ??= prepare())
}

async function prepare(): Promise<Contestant[]> {
  for (const name of packageNames) {
    const folder = here(`../../packages/${name}`)
    await compile(name, folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest)
  }
  for (const why of skipped) process.stderr.write(`Skipped ${why}\n`)
  return [bare, library, withAccess, serve, ...aimock()]
}

function aimock(): Contestant[] {
  const folder = join(tmpdir(), 'colloquy-bench', `aimock@${aimockVersion}`)
  const module = join(folder, 'node_modules/@copilotkit/aimock/dist/cli.js')
  try {
    if (!existsSync(module)) install(folder, [`@copilotkit/aimock@${aimockVersion}`])
  } catch (error) {
    process.stderr.write(`Skipped aimock: it cannot be installed (${(error as Error).message.split('\n')[0]})\n`)
    return []
  }
  const fixtures = join(folder, 'fixtures')
  mkdirSync(fixtures, { recursive: true })
  const options = ['--log-level', 'silent', '--fixtures', fixtures, '--proxy-only']
  return [
    {
      name: `aimock ${aimockVersion}, proxy`,
      module,
      parameters: (upstream, port) => ['--port', String(port), '--provider-anthropic', upstream, ...options],
    },
  ]
}

function program(name: string, file: string): Contestant {
  return { name, module: here(file), parameters: (upstream, port) => [upstream, String(port)] }
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}

/** A contestant in a process of its own, listening on a port. */
export class Running {
  readonly contestant: Contestant
  readonly port: number
  readonly #child: ChildProcess

  private constructor(contestant: Contestant, port: number, child: ChildProcess) {
    this.contestant = contestant
    this.port = port
    this.#child = child
  }

  static async start(contestant: Contestant, upstream: string): Promise<Running> {
    const port = await freePort()
    const output = openSync(devNull, 'w')
    const child = fork(contestant.module, contestant.parameters(upstream, port), {
      execArgv: ['--import', new URL('usage-probe.js', import.meta.url).href],
      env: { ...process.env, ANTHROPIC_API_KEY: 'sk-upstream', XDG_DATA_HOME: dataFolder(), NODE_ENV: 'production' },
      stdio: ['ignore', output, 'inherit', 'ipc'],
    })
    closeSync(output)
    await isListening(port)
    return new Running(contestant, port, child)
  }

  used(): Promise<Used> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (used: Used) => resolve(used))
      this.#child.send('used', (error) => error && reject(error))
    })
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

let upstream: Promise<string> | undefined

/** The base URL of the upstream, which is started once and ends with this process. */
export function upstreamUrl(): Promise<string> {
  return (upstream ??= startUpstream())
}

async function startUpstream(): Promise<string> {
  const child = fork(here('upstream.ts'), {
    execArgv: ['--conditions=@colloquy/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.unref()
  process.once('exit', () => child.kill())
  return new Promise((resolve, reject) => {
    child.once('message', (port) => {
      child.channel!.unref()
      resolve(`http://127.0.0.1:${String(port)}`)
    })
    child.once('exit', (code) => reject(new Error(`The upstream ended with ${code}`)))
  })
}

let data: string | undefined

/** The folder of databases, which is removed at the end. */
function dataFolder(): string {
  if (data !== undefined) return data
  const made = (data = mkdtempSync(join(tmpdir(), 'colloquy-bench-data-')))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  return made
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

const startMs = 20_000

async function isListening(port: number): Promise<void> {
  const endsAt = performance.now() + startMs
  while (performance.now() < endsAt) {
    if (await accepts(port)) return
    await setTimeout(20)
  }
  throw new Error(`A server does not listen on its port after ${startMs} ms`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
