import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleOptions, installedPackages, restoreNames, writeNotices } from './bundle.ts'
import type { Manifest } from './manifest.ts'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))

/**
 * Bundles a package with a program from its sources. The other packages of this repository become a part of it, so that
 * one tarball installs by itself, with any package manager and in `npx`. Throws if the program imports a package that
 * its manifest does not name.
 */
export async function bundleProgram(name: string, folder: string, manifest: Manifest): Promise<void> {
  const { bin = {} } = manifest
  const outdir = join(folder, 'dist')
  const { metafile } = await build({
    ...bundleOptions(join(packages, name)),
    entryPoints: Object.values(bin).map((file) => file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')),
    outdir,
    // One level below `dist`, so that `../../console/` is the folder of the page in every package that has it.
    chunkNames: 'program/[name]-[hash]',
    splitting: true,
    conditions: ['@colloquy/source'],
    packages: 'bundle',
    external: installedPackages(manifest),
    metafile: true,
  })
  for (const file of globSync('**/*.js', { cwd: outdir })) {
    const path = join(outdir, file)
    writeFileSync(path, withRequire(restoreNames(readFileSync(path, 'utf8'))))
  }
  writeNotices(folder, metafile)
  const [page, copy] = [join(packages, 'server/console'), join(folder, 'console')]
  rmSync(copy, { recursive: true, force: true })
  if (existsSync(page)) cpSync(page, copy, { recursive: true })
}

/** A CommonJS package that became a part of the program requires Node's modules: the chunk with the helper for it gets a `require`. */
function withRequire(text: string): string {
  if (!text.includes('Dynamic require of')) return text
  return `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${text}`
}
