import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type BuildOptions, type Metafile, buildSync } from 'esbuild'
import type { Manifest } from './compile.ts'

/**
 * Makes the compiled files of a package smaller if its entry points have a file for Node. Bundlers and browsers get the
 * modules without white space and without comments, which the declarations repeat. Node gets one file per entry point
 * and one for the modules that entry points share, because half of the time of an import is spent on finding and
 * opening modules.
 */
export function lighten(folder: string, { exports = {}, browser = {} }: Manifest): void {
  const doors = Object.values(exports).filter((door) =>
    Object.values(door).some((file) => file.startsWith('./dist/node/')),
  )
  if (doors.length === 0) return
  const modules = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })
  const common: BuildOptions = {
    absWorkingDir: folder,
    // Otherwise the manifest's files for browsers would replace those for Node.
    platform: 'node',
    format: 'esm',
    target: 'es2024',
    // Keep names for readable stack traces, and short lines because Node prints the source line of an uncaught error.
    minifyWhitespace: true,
    lineLimit: 120,
    logLevel: 'error',
  }
  const { metafile } = buildSync({
    ...common,
    entryPoints: doors.map((door) => door['types']!.replace('.d.ts', '.js')),
    outdir: 'dist/node',
    outbase: 'dist',
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    metafile: true,
  })
  joinChunks(common, chunksOf(exports['.']!['node']!.slice('./'.length), metafile.outputs), metafile.outputs)
  buildSync({
    ...common,
    entryPoints: modules.filter((file) => file.endsWith('.js')).map((file) => join('dist', file)),
    outdir: 'dist',
    outbase: 'dist',
    allowOverwrite: true,
    // Bundlers do the same.
    minifySyntax: true,
  })
  joinModules(common, exports['.']!['default']!.slice('./'.length), Object.keys(browser))
}

/**
 * Joins the modules that the client loads at start into one, for bundlers. They split code by who needs it: of modules that
 * code which is loaded later needs too, they would make a chunk for every combination, and a page would load six files.
 * Each module remains as a list of names that it takes from the joined one. Modules that a browser replaces stay apart.
 */
function joinModules(common: BuildOptions, index: string, replaced: readonly string[]): void {
  const folder = common.absWorkingDir!
  const file = 'dist/client/core.js'
  const all: BuildOptions = { ...common, bundle: true, metafile: true, minifySyntax: true }
  const apart = replaced.map((path) => path.slice('./'.length))
  const { inputs } = buildSync({
    ...all,
    entryPoints: [index],
    outdir: 'dist',
    splitting: true,
    write: false,
  }).metafile!
  const modules = [...loadedAtStart(index, inputs, new Set(apart))].filter((module) => module !== index)
  const { outputs } = buildSync({
    ...all,
    entryPoints: modules,
    outbase: '.',
    outdir: '.',
    splitting: true,
    write: false,
  }).metafile!
  const namesOf = new Map(modules.map((module) => [module, outputs[module]!.exports]))
  const names = [...namesOf.values()].flat()
  if (new Set(names).size < names.length)
    throw new Error(
      `Cannot join the client's modules as two export the same name: found ${names.toSorted().join(', ')}`,
    )
  buildSync({
    ...all,
    stdin: { contents: modules.map((module) => `export * from './${module}'\n`).join(''), resolveDir: folder },
    outfile: file,
    external: Object.keys(inputs).flatMap((input) => (modules.includes(input) ? [] : [`./${input}`])),
  })
  for (const [module, exported] of namesOf) {
    const path = relative(dirname(module), file).replaceAll('\\', '/')
    const from = path.startsWith('.') ? path : `./${path}`
    writeFileSync(join(folder, module), `export{${exported.join(',')}}from"${from}";\n`)
  }
}

/** The modules that a module imports statically, and itself. */
function loadedAtStart(
  module: string,
  inputs: Metafile['inputs'],
  except: ReadonlySet<string>,
  found: Set<string> = new Set(),
): Set<string> {
  if (found.has(module) || except.has(module)) return found
  found.add(module)
  for (const { kind, path } of inputs[module]!.imports) {
    if (kind === 'import-statement') loadedAtStart(path, inputs, except, found)
  }
  return found
}

/** The files that an output imports statically. */
function chunksOf(output: string, outputs: Metafile['outputs'], found: Set<string> = new Set()): Set<string> {
  for (const { kind, path } of outputs[output]!.imports) {
    if (kind !== 'import-statement' || found.has(path)) continue
    found.add(path)
    chunksOf(path, outputs, found)
  }
  return found
}

/**
 * Joins the chunks that the client loads at start into one file. Node processes the path of each file letter by letter,
 * so often that V8 compiles the functions involved, and these take more memory than the client's own code: five files
 * take 0.8 MB more than two. The price: other entry points, which need the errors, load 8 KB of the client.
 */
function joinChunks(common: BuildOptions, chunks: ReadonlySet<string>, outputs: Metafile['outputs']): void {
  const folder = common.absWorkingDir!
  const file = 'dist/node/shared/client.js'
  const { metafile } = buildSync({
    ...common,
    stdin: { contents: Array.from(chunks, (chunk) => `export * from './${chunk}'\n`).join(''), resolveDir: folder },
    outfile: file,
    bundle: true,
    // Chunks that are loaded later stay separate.
    external: Object.keys(outputs).flatMap((output) => (chunks.has(output) ? [] : [`./${output}`])),
    metafile: true,
  })
  // If two chunks export the same name, `export *` exports neither.
  const names = Array.from(chunks).flatMap((chunk) => outputs[chunk]!.exports)
  if (metafile.outputs[file]!.exports.length < names.length)
    throw new Error(`Cannot join the client's chunks as two export the same name: found ${names.toSorted().join(', ')}`)
  const joined = new Set(Array.from(chunks, (chunk) => basename(chunk)))
  for (const output of Object.keys(outputs)) {
    const path = join(folder, output)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      text.replace(/[\w-]+\.js(?=")/g, (name) => (joined.has(name) ? basename(file) : name)),
    )
  }
}
