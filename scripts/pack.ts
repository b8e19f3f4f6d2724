// Packs every package as for publishing: `npm run tarballs -- FOLDER` writes the archives into the folder, for projects that
// install them as files.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, packageNames } from './compile.ts'
import type { Manifest } from './manifest.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

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
  for (const name of packageNames) all.push(await pack(name, folder))
  return all
}

/** Compiles and packs one package into the folder, as for publishing. */
export async function pack(name: string, folder: string): Promise<Packed> {
  const source = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  const target = mkdtempSync(join(tmpdir(), 'colloquy-pack-'))
  mkdirSync(folder, { recursive: true })
  try {
    for (const file of ['package.json', 'README.md', ...manifest.files.filter((each) => each !== 'dist')])
      if (existsSync(join(source, file))) cpSync(join(source, file), join(target, file), { recursive: true })
    await compile(name, target, manifest)
    const [packed] = JSON.parse(npm(target, 'pack', '--json', '--pack-destination', folder)) as [
      Omit<Packed, 'tarball'> & { filename: string },
    ]
    return { ...packed, tarball: join(folder, packed.filename) }
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

/** Runs npm in the folder and returns its output. Packages come from its cache if they are there. */
export function npm(folder: string, ...parameters: string[]): string {
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const shell = process.platform === 'win32'
  return execFileSync('npm', [...parameters, ...quiet], { cwd: folder, encoding: 'utf8', stdio: 'pipe', shell })
}

if (import.meta.main) {
  const folder = resolve(process.env['INIT_CWD'] ?? '.', process.argv[2] ?? '.')
  execFileSync('vite', ['build', 'packages/console', '--logLevel', 'error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  for (const { tarball, size } of await packAll(folder))
    process.stdout.write(`${tarball} (${Math.round(size / 1000)} kB)\n`)
}
