// Compiles a package into what is published of it: in place for the build, elsewhere for tests that install it.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lighten } from './bundle.ts'
import { pruneDeclarations } from './declarations.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** In the order of the layers: a package is compiled against the declarations of those before it. */
export const packageNames = ['colloquy', 'server', 'cli'] as const

export interface Manifest {
  name: string
  version: string
  exports?: Record<string, Record<string, string>>
  bin?: Record<string, string>
}

/** Writes `dist` and the license into the folder, which has the manifest already. Throws with what the compiler said. */
export function compile(name: string, folder: string, manifest: Manifest): void {
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const project = join(root, 'packages', name, 'tsconfig.build.json')
  execFileSync('tsc', ['--project', project, '--outDir', dist], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  pruneDeclarations(folder, manifest)
  lighten(folder, manifest)
  for (const file of Object.values(manifest.bin ?? {})) chmodSync(join(folder, file), 0o755)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}
