import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from '../../scripts/compile.ts'
import type { Manifest } from '../../scripts/manifest.ts'

/** A contestant, installed in a folder of its own as a user would install it. Hand-written loops need no package. */
export interface Package {
  name: string
  /** The file name in `contestants/`. */
  contestant: string
  /** The folder of its installation. */
  folder?: string
  /** A module that exports only the functions in use, so that bundlers include nothing else. */
  entry?: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const installs = join(tmpdir(), 'colloquy-bench')
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>
}

const official: Peer = {
  name: `official ${devDependencies['@anthropic-ai/sdk']}`,
  contestant: 'anthropic',
  packages: [`@anthropic-ai/sdk@${devDependencies['@anthropic-ai/sdk']}`],
  entry: `export { default } from '@anthropic-ai/sdk'`,
}

const others: readonly Peer[] = [
  {
    name: 'AI SDK 7.0.173',
    contestant: 'ai-sdk',
    packages: ['ai@7.0.173', '@ai-sdk/anthropic@4.0.105', 'zod@4.6.7'],
    entry: `export { createAnthropic } from '@ai-sdk/anthropic'
export { generateText, jsonSchema, streamText, tool } from 'ai'
globalThis.AI_SDK_LOG_WARNINGS = false`,
  },
  {
    name: 'LangChain 1.5.11',
    contestant: 'langchain',
    packages: ['@langchain/anthropic@1.5.11', '@langchain/core@1.2.13'],
    entry: `export { ChatAnthropic } from '@langchain/anthropic'`,
  },
]

interface Peer extends Package {
  packages: readonly string[]
  entry: string
}

let found: Promise<Contestants> | undefined

export interface Contestants {
  official: Package
  colloquy: Package
  /** The hand-written loop on node:http and node:https. */
  loop: Package
  /** The hand-written loop on node:net and node:tls: the lower bound. */
  socketLoop: Package
  all: readonly Package[]
}

/** All contestants, installed. Earlier installations are reused; our package is packed each time. */
export function contestants(): Promise<Contestants> {
  return (found ??= installAll())
}

async function installAll(): Promise<Contestants> {
  const peers = [official, ...others].map(installed)
  const colloquy = await installedColloquy()
  const fetchLoop = { name: 'loop on fetch', contestant: 'fetch-loop' }
  const loop = { name: 'loop on node:http(s)', contestant: 'http-loop' }
  const socketLoop = { name: 'loop on node:net/tls', contestant: 'socket-loop' }
  const [first, ...rest] = peers
  return { official: first!, colloquy, loop, socketLoop, all: [first!, colloquy, ...rest, fetchLoop, loop, socketLoop] }
}

function installed({ name, contestant, packages, entry }: Peer): Package {
  const folder = join(installs, packages.join('+').replaceAll('/', '-'))
  const file = join(folder, 'entry.mjs')
  if (!existsSync(file)) {
    process.stderr.write(`Installing ${name} beside the repository (once) …\n`)
    install(folder, packages)
    writeFileSync(file, `${entry}\n`)
  }
  return { name, contestant, folder, entry: file }
}

/** Our package as published: built, packed, and installed from the archive. */
async function installedColloquy(): Promise<Package> {
  const staged = join(installs, `staged-${process.pid}`)
  const folder = join(installs, `colloquy-${process.pid}`)
  try {
    mkdirSync(staged, { recursive: true })
    for (const name of ['package.json', 'README.md']) {
      cpSync(join(root, 'packages/colloquy', name), join(staged, name))
    }
    await compile('colloquy', staged, JSON.parse(readFileSync(join(staged, 'package.json'), 'utf8')) as Manifest)
    npm(staged, 'pack', '--silent')
    install(
      folder,
      readdirSync(staged).flatMap((name) => (name.endsWith('.tgz') ? [join(staged, name)] : [])),
    )
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const entry = join(folder, 'entry.mjs')
  writeFileSync(entry, `export { default } from 'colloquy'\n`)
  return { name: 'colloquy', contestant: 'anthropic', folder, entry }
}

export function install(folder: string, packages: readonly string[]): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  npm(folder, 'install', '--save-exact', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...packages)
}

function npm(folder: string, ...parameters: string[]): void {
  const windows = process.platform === 'win32'
  execFileSync(windows ? 'npm.cmd' : 'npm', parameters, { cwd: folder, stdio: ['ignore', 'ignore', 2], shell: windows })
}
