// Compiles a package for publishing: in place for the build, into another folder for tests that install it.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'
import { bundleProgram } from './bundle-program.ts'
import { emittedFile, writeCommonJs, writeDeclarations } from './common-js.ts'
import type { Conditions, Manifest } from './manifest.ts'
import { prune } from './prune.ts'
import { shakeDeclarations } from './shake-declarations.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The packages in the order of their layers: each is compiled against the declarations of the previous ones. */
export const packageNames = ['colloquy', 'llama', 'server', 'cli'] as const

/**
 * Writes `dist` and the license into the folder, which already has the manifest. Throws the compiler's output on
 * failure.
 */
export async function compile(name: string, folder: string, manifest: Manifest): Promise<void> {
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  if (manifest.bin) await bundleProgram(name, folder, manifest)
  else await compileLibrary(name, folder, manifest)
  for (const file of Object.values(manifest.bin ?? {})) chmodSync(join(folder, file), 0o755)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}

async function compileLibrary(name: string, folder: string, manifest: Manifest): Promise<void> {
  const dist = join(folder, 'dist')
  const project = join(root, 'packages', name, 'tsconfig.build.json')
  execFileSync('tsc', ['--project', project, '--outDir', dist], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  await bundle(folder, manifest)
  const { exports = {}, browser = {} } = manifest
  shakeDeclarations(folder, emittedDeclarations(exports))
  indentByTabs(dist)
  writeDeclarations(folder, manifest)
  const scripts = [...Object.values(exports).flatMap(scriptsOf), ...Object.values(browser)]
  prune(folder, scripts)
  await writeCommonJs(folder, manifest)
}

/** Replaces the compiler's four spaces in declarations: they are 1 % of a package. */
function indentByTabs(dist: string): void {
  for (const name of globSync('**/*.d.ts', { cwd: dist })) {
    const file = join(dist, name)
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text.replaceAll(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4)),
    )
  }
}

/** The scripts in `dist` that the conditions of an entry point name, without those for CommonJS. */
function scriptsOf({ require: _, ...conditions }: Conditions): string[] {
  return Object.values(conditions as Record<string, string>).filter((file) => /\/dist\/.*\.js$/.test(file))
}

/** The files that the compiler wrote with the declarations of the entry points. Some are moved later. */
function emittedDeclarations(exports: Record<string, Conditions>): Set<string> {
  const all = Object.values(exports).flatMap(({ types }) => types ?? [])
  return new Set(all.map(emittedFile))
}
