import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '../scripts/compile.ts'
import type { Manifest } from '../scripts/manifest.ts'
import { builtOnce } from './built-once.ts'
import { root } from './source.ts'

// A place from which Node finds the packages that the program depends on.
const builds = join(root, 'packages/cli/node_modules/.program')

/**
 * The path of the program as it is published, for tests that start it many times: it takes a third of the processor time of its
 * sources to start.
 */
export const builtProgram: string = join(await builtOnce(builds, build), 'dist/main.js')

async function build(folder: string): Promise<void> {
  const manifest = join(root, 'packages/cli/package.json')
  copyFileSync(manifest, join(folder, 'package.json'))
  await compile('cli', folder, JSON.parse(readFileSync(manifest, 'utf8')) as Manifest)
}
