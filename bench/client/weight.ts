import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type BuildFailure, build, type Metafile, type OutputFile } from 'esbuild'
import { contestants, type Package } from './packages.ts'
import { type Row, table, verdict } from './table.ts'

/** The sizes of a page's first load and of an installation. */
export async function* report(): AsyncGenerator<string> {
  const { all, colloquy } = await contestants()
  const packages = all.filter(({ entry }) => entry !== undefined)
  const bundles = await Promise.all(
    packages.map(async (contestant): Promise<Row> => {
      const weight = await bundle(contestant)
      if ('failure' in weight) return { name: contestant.name, figures: ['', '', weight.failure] }
      const figures = [kilobytes(weight.bytes), kilobytes(weight.compressed), `all of it ${kilobytes(weight.all)}`]
      if (contestant !== colloquy) return { name: contestant.name, figures }
      return { name: contestant.name, figures, verdict: verdict('≤ 14 KB', weight.compressed <= 14_000) }
    }),
  )
  yield table('browser bundle, minified, then compressed (what is imported later is not in it; all of it is)', bundles)
  const installs = packages.map((contestant): Row => {
    const { count, files, bytes } = install(contestant.folder!)
    const figures = [`${count} package${count === 1 ? '' : 's'}`, `${files} files`, `${(bytes / 1e6).toFixed(1)} MB`]
    if (contestant !== colloquy) return { name: contestant.name, figures }
    return { name: contestant.name, figures, verdict: verdict('1 package, ≤ 1 MB', count === 1 && bytes <= 1e6) }
  })
  yield table('install (sizes of files, not blocks on the disk)', installs)
}

interface Weight {
  bytes: number
  /** Bytes after gzip at its highest level. */
  compressed: number
  /** The same, including all modules that may be imported later. */
  all: number
}

async function bundle({ entry }: Package): Promise<Weight | { failure: string }> {
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [entry!],
      bundle: true,
      splitting: true,
      minify: true,
      metafile: true,
      write: false,
      outdir: '/',
      logLevel: 'silent',
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
    })
    const first = loadedFirst(outputFiles, metafile)
    return { bytes: sum(first), compressed: compressed(first), all: compressed(outputFiles) }
  } catch (error) {
    return { failure: `does not build: ${(error as BuildFailure).errors[0]?.text}` }
  }
}

/** The chunk of the entry and its static imports, without dynamic imports. */
function loadedFirst(files: readonly OutputFile[], { outputs }: Metafile): OutputFile[] {
  const names = new Map(Object.keys(outputs).map((name) => [name.replace(/^.*\//, ''), name]))
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const { path, kind } of outputs[name]!.imports) if (kind === 'import-statement') visit(path)
  }
  visit(Object.keys(outputs).find((name) => outputs[name]!.entryPoint?.endsWith('entry.mjs'))!)
  return files.filter(({ path }) => seen.has(names.get(path.replace(/^.*[\\/]/, ''))!))
}

function sum(files: readonly OutputFile[]): number {
  return files.reduce((bytes, { contents }) => bytes + contents.length, 0)
}

function compressed(files: readonly OutputFile[]): number {
  return files.reduce((bytes, { contents }) => bytes + gzipSync(contents, { level: 9 }).length, 0)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`
}

function install(folder: string): { count: number; files: number; bytes: number } {
  const found = { count: 0, files: 0, bytes: 0 }
  for (const name of readdirSync(join(folder, 'node_modules'), { recursive: true, encoding: 'utf8' })) {
    // Metadata of npm.
    if (/^\.(package-lock\.json|bin)/.test(name)) continue
    const entry = statSync(join(folder, 'node_modules', name))
    if (!entry.isFile()) continue
    found.files++
    found.bytes += entry.size
    if (/(?:^|[\\/]node_modules[\\/])(?:@[^\\/]+[\\/])?[^\\/@]+[\\/]package\.json$/.test(name)) found.count++
  }
  return found
}
