import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type BuildOptions, type Metafile, buildSync } from 'esbuild'
import type { Manifest } from './compile.ts'

/**
 * Makes what was compiled light, where the manifest's doors have a file for Node. The modules lose their comments, which stand
 * in the declarations too, and white space; bundlers and browsers get them like that. Node gets a file a door, with what several share beside:
 * half of what an import costs is finding and opening each module.
 */
export function lighten(folder: string, { exports = {} }: Manifest): void {
  const doors = Object.values(exports).filter((door) =>
    Object.values(door).some((file) => file.startsWith('./dist/node/')),
  )
  if (doors.length === 0) return
  const modules = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })
  const common: BuildOptions = {
    absWorkingDir: folder,
    // Else the manifest's files for browsers would take the place of Node's.
    platform: 'node',
    format: 'esm',
    target: 'es2024',
    // Names stay as they are, so that a stack trace can be read, and lines short: Node prints the line that an error nobody
    // caught came from.
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
    // As every bundler does with them anyway.
    minifySyntax: true,
  })
}

/** What an output loads at once besides itself. */
function chunksOf(output: string, outputs: Metafile['outputs'], found: Set<string> = new Set()): Set<string> {
  for (const { kind, path } of outputs[output]!.imports) {
    if (kind !== 'import-statement' || found.has(path)) continue
    found.add(path)
    chunksOf(path, outputs, found)
  }
  return found
}

/**
 * Makes one file of the chunks that the client loads at once. Node goes through the path of each file letter by letter, so
 * often that V8 compiles the functions for it, and each of them takes more memory than the client's own code: five files
 * take 0.8 MB more than two. The price: the other doors, which need the errors, load 8 KB of the client with them.
 */
function joinChunks(common: BuildOptions, chunks: ReadonlySet<string>, outputs: Metafile['outputs']): void {
  const folder = common.absWorkingDir!
  const file = 'dist/node/shared/client.js'
  const { metafile } = buildSync({
    ...common,
    stdin: { contents: Array.from(chunks, (chunk) => `export * from './${chunk}'\n`).join(''), resolveDir: folder },
    outfile: file,
    bundle: true,
    // What is loaded later stays for itself.
    external: Object.keys(outputs).flatMap((output) => (chunks.has(output) ? [] : [`./${output}`])),
    metafile: true,
  })
  // Of a name that two of them export, neither would be there.
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
