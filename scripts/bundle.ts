import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, buildSync } from 'esbuild'
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
  buildSync({
    ...common,
    entryPoints: modules.filter((file) => file.endsWith('.js')).map((file) => join('dist', file)),
    outdir: 'dist',
    outbase: 'dist',
    allowOverwrite: true,
  })
  buildSync({
    ...common,
    entryPoints: doors.map((door) => door['types']!.replace('.d.ts', '.js')),
    outdir: 'dist/node',
    outbase: 'dist',
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
  })
}
