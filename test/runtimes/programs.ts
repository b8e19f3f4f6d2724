import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { isAbsolute, join } from 'node:path'
import { type Plugin, build } from 'esbuild'
import { root } from '../source.ts'
import type { Outcome } from './programs/promise.ts'

const sources = join(root, 'test/runtimes/programs')

export interface BundleOptions {
  /** A project that has the packages installed. */
  project: string
  /** A program of `programs/` by its name, or any other by its path. */
  source: string
  /** Where in the project the JavaScript goes. */
  target: string
  /** Whether the packages go into the file too, as bundlers for browsers and workers do it. Default false. */
  withPackages?: boolean
  /** Conditions of `exports` besides the usual ones. */
  conditions?: string[]
}

/** Makes one file of JavaScript of a program. */
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

/** The programs are in this checkout, but what they import is looked for where it is installed. */
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
  /** Where it runs. Default: here. */
  folder?: string
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv
}

export interface Ended {
  stdout: string
  stderr: string
  code: number | null
}

export interface Running {
  child: ChildProcess
  /** The address that it says it serves; rejects where it ends before. */
  url: Promise<string>
  ended: Promise<Ended>
}

/** Starts a program. It is killed after a minute: what it was to do takes seconds. */
export function start(program: string, parameters: string[], options: StartOptions = {}): Running {
  const { folder, env } = options
  const child = spawn(program, parameters, { cwd: folder, env, timeout: 60_000, killSignal: 'SIGKILL' })
  let stdout = ''
  let stderr = ''
  const url = Promise.withResolvers<string>()
  const look = (): void => {
    // Deno says it on standard error.
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

/** What the program, run to its end, says of its promises. */
export async function report(program: string, parameters: string[], options: StartOptions): Promise<Outcome[]> {
  const { child, ended } = start(program, parameters, options)
  child.stdin?.end()
  const { stdout, stderr, code } = await ended
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Outcome[]
}
