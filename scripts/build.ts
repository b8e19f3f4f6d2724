// Writes what is published into `packages/*/dist`, and holds it against what publishing and using it needs.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

interface Manifest {
  name: string
  exports?: object
  bin?: Record<string, string>
}

// In the order of the layers: a package is compiled against the declarations of those before it.
for (const name of ['colloquy', 'server', 'cli']) build(join(root, 'packages', name))
run(root, 'tsc', '--project', 'examples')
const answer = run(
  root,
  'node',
  'packages/cli/dist/main.js',
  'ask',
  '--no-save',
  '--engine',
  'offline',
  'What is 6 * 7?',
)
if (answer !== '6 * 7 = 42\n') fail(`Cannot use what was built: the program answered ${JSON.stringify(answer)}`)

function build(folder: string): void {
  const { name, exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  run(folder, 'tsc', '--project', 'tsconfig.build.json')
  for (const file of Object.values(bin)) makeExecutable(join(folder, file))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  run(folder, 'publint', '--strict')
  if (exports) run(folder, 'attw', '--pack', '.', '--profile', 'esm-only', '--format', 'ascii')
  process.stdout.write(`${name} is built and passes publint${exports ? ' and attw' : ''}\n`)
}

function makeExecutable(file: string): void {
  const text = readFileSync(file, 'utf8')
  if (!text.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${text}`)
  chmodSync(file, 0o755)
}

/** Returns what the command printed; shows it, and ends the build, when the command fails. */
function run(folder: string, command: string, ...parameters: string[]): string {
  try {
    return execFileSync(command, parameters, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' })
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    return fail(`${stdout ?? ''}Cannot build ${folder}: ${command} failed`)
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
