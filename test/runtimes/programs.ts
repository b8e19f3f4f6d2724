import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { isAbsolute, join } from 'node:path'
import { type Plugin, build } from 'esbuild'
import { root } from '../source.ts'
import type { Outcome } from './programs/promise.ts'

const sources = join(root, 'test/runtimes/programs')

export interface BundleOptions {
  /** A project with the packages installed. */
  project: string
  /** The name of a program in `programs/`, or the path of any other. */
  source: string
  /** The path of the JavaScript file in the project. */
  target: string
  /** Whether to bundle the packages too, as for browsers and workers. Default false. */
  withPackages?: boolean
  /** Additional conditions of `exports`. */
  conditions?: string[]
}

/** Bundles a program into one JavaScript file. */
export async function bundle(options: BundleOptions): Promise<string> {
  const { project, source, target, withPackages = false, conditions = [] } = options
  const outfile = join(project, target)
  await build({
    entryPoints: [isAbsolute(source) ? source : join(sources, `${source}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: withPackages ? 'browser' : 'neutral',
    target: 'es2022',
    conditions,
    logLevel: 'error',
    ...(withPackages ? { plugins: [findingIn(project)] } : { packages: 'external' }),
  })
  return outfile
}

/** Resolves the imports of the programs, which are in this repository, from the project. */
function findingIn(project: string): Plugin {
  return {
    name: 'installed packages',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, kind, resolveDir }) =>
        resolveDir === sources ? resolve(path, { kind, resolveDir: project }) : undefined,
      )
    },
  }
}

export interface StartOptions {
  /** The working directory. Default: that of this process. */
  folder?: string
  /** The environment. Default: that of this process. */
  env?: NodeJS.ProcessEnv
}

export interface Ended {
  stdout: string
  stderr: string
  code: number | null
}

export interface Running {
  child: ChildProcess
  /** The address that the program prints; rejects if the program ends first. */
  url: Promise<string>
  ended: Promise<Ended>
}

/** Starts a program, and kills it after a minute: its work takes seconds. */
export function start(program: string, parameters: string[], options: StartOptions = {}): Running {
  const { folder, env } = options
  const child = spawn(program, parameters, { cwd: folder, env, timeout: 60_000, killSignal: 'SIGKILL' })
  let stdout = ''
  let stderr = ''
  const url = Promise.withResolvers<string>()
  const look = (): void => {
    // Deno prints the address on standard error.
    const [, found] = /(http:\/\/[^\s/]+)\/?\s/.exec(`${stdout}\n${stderr}`) ?? []
    if (found !== undefined) url.resolve(found)
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    look()
  })
  child.stdin.on('error', () => {})
  const ended = once(child, 'close').then(([code]: unknown[]) => ({ stdout, stderr, code: code as number | null }))
  ended.then(
    ({ code }) => url.reject(new Error(`${program} ended with ${code}: ${stderr}`)),
    (error: unknown) => url.reject(error),
  )
  url.promise.catch(() => {})
  return { child, url: url.promise, ended }
}

/** Runs the program to its end and returns the results of its promises. */
export async function report(program: string, parameters: string[], options: StartOptions): Promise<Outcome[]> {
  const { child, ended } = start(program, parameters, options)
  child.stdin?.end()
  const { stdout, stderr, code } = await ended
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Outcome[]
}
