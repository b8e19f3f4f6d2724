import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, type Metafile, type Plugin, build } from 'esbuild'
import type { Manifest } from './manifest.ts'

type Outputs = Metafile['outputs']

const folderOfBundles = 'dist/esm'
/** The modules that browsers do without, and those that stand in for them. */
const replacedInBrowsers: Readonly<Record<string, string>> = {
  'dist/client/transport/node/node-transport.js': 'dist/client/transport/no-node-transport.js',
  'dist/client/request/codes/code-errors.js': 'dist/client/request/codes/no-code-errors.js',
  'dist/client/transport/failures/failure-codes.js': 'dist/client/transport/failures/no-failure-codes.js',
  'dist/protocol/json/near-miss.js': 'dist/protocol/json/no-near-miss.js',
}
/** The folder of modules that only Node uses. */
const folderOfNode = 'dist/client/transport/node/'
/** Modules that Node's need at start. The code that a page loads later gets copies of them, so that a page starts without. */
const copiedForLater = ['dist/client/transport/pipe.js', 'dist/protocol/codec/well-formed-json.js']
const foldersOfLater = ['dist/client/request/on-demand/', 'dist/client/stream/', 'dist/engines/']

/** The options of every bundle. Comments are removed, as the declarations repeat them. */
export function bundleOptions(folder: string): BuildOptions {
  return {
    absWorkingDir: folder,
    platform: 'node',
    format: 'esm',
    // The oldest browsers that docs/runtimes.md names.
    target: 'es2022',
    // Names are kept for readable stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    // Node prints the source line of an uncaught error.
    lineLimit: 120,
    bundle: true,
    packages: 'external',
    logLevel: 'error',
  }
}

/**
 * Bundles the modules of a package, if its entry points are in `dist/esm`: one file for each entry point, and one for
 * each group of modules that entry points share. Half of the time of an import is spent on finding and opening files.
 */
export async function bundle(folder: string, manifest: Manifest): Promise<void> {
  const { exports = {} } = manifest
  // Several paths may lead to one file.
  const files = new Set(Object.values(exports).map((conditions) => conditions.default))
  const entries = [...files].filter((file) => file?.startsWith(`./${folderOfBundles}/`))
  if (entries.length === 0)
    return bundleInPlace(
      folder,
      manifest,
      [...files].filter((file) => file !== undefined),
    )
  const options = bundleOptions(folder)
  const { metafile } = await build({
    ...options,
    entryPoints: entries.map((file) => file!.replace(folderOfBundles, 'dist')),
    outdir: folderOfBundles,
    outbase: 'dist',
    chunkNames: 'shared/[name]-[hash]',
    splitting: true,
    metafile: true,
    plugins: [copiesForLater(folder)],
  })
  await joinClient(options, exports['.']!.default!.slice('./'.length), metafile.outputs)
  restoreNamesIn(join(folder, folderOfBundles))
}

/**
 * Bundles the modules of a package without CommonJS, with the packages that only its `devDependencies` name. The entry points
 * stay where the compiler wrote them. See docs/decisions/0030-the-server-is-bundled.md.
 */
async function bundleInPlace(folder: string, manifest: Manifest, entries: readonly string[]): Promise<void> {
  const { metafile } = await build({
    ...bundleOptions(folder),
    entryPoints: [...entries],
    outdir: 'dist',
    outbase: 'dist',
    // One level below `dist`, so that paths relative to a module stay the same.
    chunkNames: 'shared/[name]-[hash]',
    splitting: true,
    allowOverwrite: true,
    packages: 'bundle',
    external: installedPackages(manifest),
    // For a folder outside of the repository.
    nodePaths: [installed],
    metafile: true,
  })
  restoreNamesIn(join(folder, 'dist'))
  writeNotices(folder, metafile)
}

/** The packages that are installed beside a package, and therefore are not a part of its bundle. */
export function installedPackages({ dependencies = {}, peerDependencies = {} }: Manifest): string[] {
  return [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
}

const installed = fileURLToPath(new URL('../node_modules', import.meta.url))

/** Writes the licenses of the bundled packages by others into one file, as they ask for. */
export function writeNotices(folder: string, { inputs }: Metafile): void {
  const found = Object.keys(inputs).map((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
  const names = [...new Set(found)].filter((name) => name !== undefined)
  const texts = names.toSorted().map((name) => {
    const license = globSync('{LICEN[CS]E,licen[cs]e}*', { cwd: join(installed, name) })[0]
    if (license === undefined) throw new Error(`Cannot bundle ${name}: it has no license file`)
    return `${name}\n\n${readFileSync(join(installed, name, license), 'utf8')}`
  })
  if (texts.length > 0) writeFileSync(join(folder, 'dist/THIRD-PARTY-LICENSES.txt'), texts.join('\n\n'))
}

function restoreNamesIn(folder: string): void {
  for (const file of globSync('**/*.js', { cwd: folder })) {
    const path = join(folder, file)
    writeFileSync(path, restoreNames(readFileSync(path, 'utf8')))
  }
}

/** A class that uses its own name has become `var A = class _A`, and an instance would be shown as an `_A`. */
export function restoreNames(text: string): string {
  const renamed = [...text.matchAll(/\bvar (\w+)=class\s+_\1\b/g)].map(([, name]) => name!)
  return renamed.reduce((result, name) => result.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), text)
}

/**
 * Joins the chunks that the client loads at start into one file, with the client's own code. Node processes the path of
 * each file letter by letter, so often that V8 compiles the functions involved: five files take 0.8 MB more than two. A
 * bundler would make a file for every combination of what is loaded later. The price: other entry points, which need the
 * errors, load the client too, unless a bundler removes what they do not use.
 *
 * Bundlers for browsers take a second file, without the modules that browsers do without, by the field `browser` of the
 * manifest.
 */
async function joinClient(options: BuildOptions, client: string, outputs: Outputs): Promise<void> {
  const folder = options.absWorkingDir!
  const chunks = chunksOf(client, outputs)
  const modules = [client, ...chunks].flatMap((file) => Object.keys(outputs[file]!.inputs))
  for (const isBrowser of [false, true]) {
    const included = isBrowser ? modules.filter((module) => !module.startsWith(folderOfNode)) : modules
    const lines = included.map((module) => `export * from './${module}'`)
    const contents = [`export { default } from './${client.replace(folderOfBundles, 'dist')}'`, ...lines].join('\n')
    await build({
      ...options,
      stdin: { contents, resolveDir: folder },
      outfile: `${folderOfBundles}/shared/${isBrowser ? 'browser' : 'client'}.js`,
      // Bundlers for browsers shorten the names anyway.
      minifyIdentifiers: isBrowser,
      plugins: [laterCode(folder, { isBrowser })],
    })
  }
  const joined = new Set(Array.from(chunks, (chunk) => basename(chunk)))
  const rename = (name: string): string => (joined.has(name) ? 'client.js' : withoutHash(name, outputs))
  for (const output of Object.keys(outputs)) {
    const path = join(folder, output)
    // Imports without names only fix an order of evaluation, on which modules without side effects do not depend.
    const text = readFileSync(path, 'utf8').replaceAll(/\bimport"[^"]+";/g, '')
    rmSync(path)
    if (chunks.has(output)) continue
    const file = join(dirname(path), rename(basename(path)))
    if (existsSync(file)) throw new Error(`Cannot bundle two modules as ${file}: rename one that is loaded later`)
    writeFileSync(file, text.replaceAll(/[\w-]+\.js(?=")/g, rename))
  }
  writeFileSync(join(folder, client), `export{${outputs[client]!.exports.join(',')}}from"./shared/client.js";\n`)
}

/** The name of a file that is loaded later is that of its module, as the hash would be most of it after compression. */
function withoutHash(name: string, outputs: Outputs): string {
  const { entryPoint } = outputs[`${folderOfBundles}/shared/${name}`] ?? {}
  return entryPoint === undefined ? name : basename(entryPoint)
}

function copiesForLater(folder: string): Plugin {
  return {
    name: 'copies for later',
    setup(bundler) {
      bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir, importer }) => {
        const module = join(resolveDir, path)
        const [name, user] = [module, importer].map((file) => relative(folder, file).replaceAll('\\', '/'))
        const isCopied = copiedForLater.includes(name!) && foldersOfLater.some((later) => user!.startsWith(later))
        return isCopied ? { path: module, suffix: '?later' } : undefined
      })
    },
  }
}

/** Leaves code that is loaded later in the files that exist. */
function laterCode(folder: string, { isBrowser }: { isBrowser: boolean }): Plugin {
  return {
    name: 'later code',
    setup(bundler) {
      bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        if (kind === 'dynamic-import') return { path: `./${basename(path)}`, external: true }
        const module = relative(folder, join(resolveDir, path))
        const replacement = isBrowser ? replacedInBrowsers[module.replaceAll('\\', '/')] : undefined
        return replacement === undefined ? undefined : { path: join(folder, replacement) }
      })
    },
  }
}

/** The files that an output imports statically. */
function chunksOf(output: string, outputs: Outputs, found: Set<string> = new Set()): Set<string> {
  for (const { kind, path } of outputs[output]!.imports) {
    if (kind !== 'import-statement' || found.has(path)) continue
    found.add(path)
    chunksOf(path, outputs, found)
  }
  return found
}
