import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, compile, packageNames } from '../../scripts/compile.ts'
import { root } from '../source.ts'

export interface PackedFile {
  path: string
  size: number
}

/** What `npm pack` says of a package. */
export interface Packed {
  name: string
  version: string
  tarball: string
  /** Bytes, as npm publishes it, and as it is installed. */
  size: number
  unpackedSize: number
  files: PackedFile[]
}

/** Compiles and packs every package into the folder, as publishing it would. */
export function packAll(folder: string): Packed[] {
  return packageNames.map((name) => {
    const source = join(root, 'packages', name)
    const target = join(folder, name)
    mkdirSync(target, { recursive: true })
    for (const file of ['package.json', 'README.md']) copyFileSync(join(source, file), join(target, file))
    compile(name, target, JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest)
    const [packed] = JSON.parse(npm(target, 'pack', '--json', '--pack-destination', folder)) as [
      Omit<Packed, 'tarball'> & { filename: string },
    ]
    return { ...packed, tarball: join(folder, packed.filename) }
  })
}

/** A new folder's project that has the packages installed, as a user's has. */
export function install(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm(folder, 'install', ...tarballs)
  return folder
}

/** As `npm install --global`, with another folder for the machine's. Gives the folder of the programs. */
export function installGlobally(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  npm(folder, 'install', '--global', '--prefix', folder, ...tarballs)
  return process.platform === 'win32' ? folder : join(folder, 'bin')
}

function npm(folder: string, ...parameters: string[]): string {
  // What the checkout's own install brought is in npm's cache, so that this needs no network.
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const shell = process.platform === 'win32'
  return execFileSync('npm', [...parameters, ...quiet], { cwd: folder, encoding: 'utf8', stdio: 'pipe', shell })
}
