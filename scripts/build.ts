// Writes the published files into `packages/*/dist` and checks them with publint and attw.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, packageNames } from './compile.ts'
import type { Manifest } from './manifest.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

// The page of the console is a part of the server's package.
if (existsSync(join(root, 'packages/console/vite.config.ts'))) run(root, 'vite', 'build', 'packages/console')
for (const name of packageNames) await build(name)
run(root, 'tsc', '--project', 'examples')
// The program writes its usage: not into the data of the person who builds.
const data = mkdtempSync(join(tmpdir(), 'colloquy-build-'))
process.env['XDG_DATA_HOME'] = data
const main = 'packages/cli/dist/main.js'
const answer = run(root, 'node', main, 'ask', '--no-save', '--engine', 'offline', 'What is 6 * 7?')
rmSync(data, { recursive: true })
if (answer !== '6 * 7 = 42\n') fail(`Cannot use what was built: the program answered ${JSON.stringify(answer)}`)

async function build(name: string): Promise<void> {
  const folder = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  await compile(name, folder, manifest).catch((error: Error) =>
    fail(String((error as { stdout?: string }).stdout ?? error)),
  )
  run(folder, 'publint', '--strict')
  if (manifest.exports) run(folder, 'attw', '--pack', '.', '--profile', 'esm-only', '--format', 'ascii')
  process.stdout.write(`${manifest.name} is built and passes publint${manifest.exports ? ' and attw' : ''}\n`)
}

/** Returns the output of a command. If the command fails, prints the output and ends the build. */
function run(folder: string, command: string, ...parameters: string[]): string {
  const shell = process.platform === 'win32'
  return attempt(folder, command, () => execFileSync(command, parameters, { cwd: folder, encoding: 'utf8', shell }))
}

function attempt<T>(folder: string, command: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    return fail(`${stdout ?? ''}Cannot build ${folder}: ${command} failed`)
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
