import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { compile } from '../scripts/compile.ts'
import type { Manifest } from '../scripts/manifest.ts'
import { root, sources } from './source.ts'

/**
 * The path of the program as it is published, for tests that start it many times: it takes a third of the processor time of its
 * sources to start. The first test that needs it builds it, again after each change of a source.
 */
export const builtProgram: string = join(await build(), 'dist/main.js')

async function build(): Promise<string> {
  // A place from which Node finds the packages that the program depends on.
  const builds = join(root, 'packages/cli/node_modules/.program')
  const built = join(builds, stateOfSources())
  if (existsSync(built)) return built
  mkdirSync(builds, { recursive: true })
  for (const path of globSync(join(builds, '*'))) if (isOld(path)) rmSync(path, { recursive: true })
  const begun = mkdtempSync(join(builds, 'begun-'))
  const manifest = join(root, 'packages/cli/package.json')
  copyFileSync(manifest, join(begun, 'package.json'))
  await compile('cli', begun, JSON.parse(readFileSync(manifest, 'utf8')) as Manifest)
  try {
    renameSync(begun, built)
  } catch (error) {
    if (!existsSync(built)) throw error // Otherwise another file of tests was first.
    rmSync(begun, { recursive: true })
  }
  return built
}

/** Whether it was built more than an hour ago: no test that runs needs it. */
function isOld(path: string): boolean {
  return statSync(path).mtimeMs < Date.now() - 3_600_000
}

/** Changes when a file does that the program is built from. */
function stateOfSources(): string {
  const others = globSync(['packages/*/package.json', 'scripts/*.ts', 'package-lock.json'], { cwd: root })
  const hash = createHash('sha256')
  for (const file of [...sources, ...others.toSorted()]) {
    const { mtimeMs, size } = statSync(join(root, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
