// Writes what is published into `packages/*/dist` and holds it against what publishing needs.
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

function build(folder: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  run(folder, 'tsc', '--project', 'tsconfig.build.json')
  for (const file of Object.values(manifest.bin ?? {})) makeExecutable(join(folder, file))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  run(folder, 'publint', '--strict')
  if (manifest.exports) run(folder, 'attw', '--pack', '.', '--profile', 'esm-only', '--format', 'ascii')
  process.stdout.write(`${manifest.name} is built\n`)
}

function makeExecutable(file: string): void {
  const text = readFileSync(file, 'utf8')
  if (!text.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${text}`)
  chmodSync(file, 0o755)
}

function run(folder: string, command: string, ...parameters: string[]): void {
  execFileSync(command, parameters, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' })
}
