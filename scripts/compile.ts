// Compiles a package for publishing: in place for the build, into another folder for tests that install it.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lighten } from './bundle.ts'
import { prune } from './prune.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The packages in the order of their layers: each is compiled against the declarations of the previous ones. */
export const packageNames = ['colloquy', 'server', 'cli'] as const

export interface Manifest {
  name: string
  version: string
  exports?: Record<string, Record<string, string>>
  browser?: Record<string, string>
  bin?: Record<string, string>
}

/**
 * Writes `dist` and the license into the folder, which already has the manifest. Throws the compiler's output on
 * failure.
 */
export function compile(name: string, folder: string, manifest: Manifest): void {
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const project = join(root, 'packages', name, 'tsconfig.build.json')
  execFileSync('tsc', ['--project', project, '--outDir', dist], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  lighten(folder, manifest)
  const { exports = {}, browser = {}, bin = {} } = manifest
  const files = Object.values(exports)
    .flatMap((door) => Object.values(door))
    .filter((file) => file.includes('/dist/'))
  prune(
    folder,
    '.d.ts',
    files.filter((file) => file.endsWith('.d.ts')),
  )
  prune(
    folder,
    '.js',
    [...files, ...Object.values(browser), ...Object.values(bin)].filter((file) => file.endsWith('.js')),
  )
  for (const file of Object.values(bin)) chmodSync(join(folder, file), 0o755)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}
