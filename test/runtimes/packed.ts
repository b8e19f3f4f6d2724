import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, compile, packageNames } from '../../scripts/compile.ts'
import { root } from '../source.ts'

export interface PackedFile {
  path: string
  size: number
}

/** The output of `npm pack` for a package. */
export interface Packed {
  name: string
  version: string
  tarball: string
  /** Bytes of the published archive, and of the installed package. */
  size: number
  unpackedSize: number
  files: PackedFile[]
}

/** Compiles and packs every package into the folder, as for publishing. */
export async function packAll(folder: string): Promise<Packed[]> {
  const all: Packed[] = []
  for (const name of packageNames) {
    const source = join(root, 'packages', name)
    const target = join(folder, name)
    mkdirSync(target, { recursive: true })
    for (const file of ['package.json', 'README.md']) copyFileSync(join(source, file), join(target, file))
    await compile(name, target, JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest)
    const [packed] = JSON.parse(npm(target, 'pack', '--json', '--pack-destination', folder)) as [
      Omit<Packed, 'tarball'> & { filename: string },
    ]
    all.push({ ...packed, tarball: join(folder, packed.filename) })
  }
  return all
}

/** Creates a project in a new folder and installs the packages as a user does. */
export function install(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm(folder, 'install', ...tarballs)
  return folder
}

/** Runs `npm install --global` into another folder. Returns the folder of the programs. */
export function installGlobally(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  npm(folder, 'install', '--global', '--prefix', folder, ...tarballs)
  return process.platform === 'win32' ? folder : join(folder, 'bin')
}

function npm(folder: string, ...parameters: string[]): string {
  // The packages of this repository's own install are in npm's cache, so this needs no network.
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const shell = process.platform === 'win32'
  return execFileSync('npm', [...parameters, ...quiet], { cwd: folder, encoding: 'utf8', stdio: 'pipe', shell })
}
