import { globSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundleOptions } from './bundle.ts'
import type { Conditions, Manifest } from './manifest.ts'

/**
 * Writes the files for CommonJS, if the package has entry points with a `require` condition.
 *
 * Node loads the ES modules, so that `require()` and `import` give the same classes. Everything else, such as Jest and
 * older bundlers, gets one file with all of these entry points, and a small file for each of them.
 */
export async function writeCommonJs(folder: string, { exports = {} }: Manifest): Promise<void> {
  // A path without a source is another name of one that has it.
  const entries = Object.entries(exports).filter(
    ([, conditions]) => conditions.require && conditions['@colloquy/source'],
  )
  if (entries.length === 0) return
  await build({
    ...bundleOptions(folder),
    stdin: {
      contents: entries.map(([path, { default: file }]) => `export * as ${nameOf(path)} from '${file}'`).join('\n'),
      resolveDir: folder,
    },
    outfile: 'dist/cjs/all.js',
    format: 'cjs',
    minify: true,
    keepNames: true,
    plugins: [modulesOfNode],
  })
  writeFileSync(join(folder, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n')
  const all = join(folder, 'dist/cjs/all.js')
  for (const [path, { require: commonJs }] of entries) {
    const file = join(folder, commonJs!.default!)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(
      file,
      path === '.' ? clientForRequire : `module.exports = require('${relative(dirname(file), all)}').${nameOf(path)}\n`,
    )
  }
  writeFileSync(join(folder, exports['.']!.require!['module-sync']!), clientForNode)
}

/**
 * Asks the process for the modules of Node, which a bundler for browsers, or Metro for React Native, would look for and not
 * find.
 */
const modulesOfNode: Plugin = {
  name: 'modules of Node',
  setup(bundler) {
    const filter = /^node:/
    bundler.onResolve({ filter }, ({ path }) => ({ path, namespace: 'node' }))
    bundler.onLoad({ filter, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = globalThis.process?.getBuiltinModule?.('${path}') ?? {}`,
    }))
  },
}

/** `.` → `client`, `./tools` → `tools`, `./engines/cassettes` → `engines_cassettes` */
function nameOf(path: string): string {
  return path === '.' ? 'client' : path.slice('./'.length).replaceAll('/', '_')
}

// As with the official client, `require()` gives the class, and the other exports are properties of it.
const clientForRequire = `const { client } = require('./all.js')
exports = module.exports = Object.assign(client.default, client)
exports.default = client.default
Object.defineProperty(exports, '__esModule', { value: true })
`

const clientForNode = `import * as client from './index.js'
Object.defineProperty(Object.assign(client.default, client), '__esModule', { value: true })
export { default as 'module.exports' } from './index.js'
`

/**
 * Moves the declarations of all entry points into one folder, where they describe CommonJS modules, and writes a file
 * for each entry point that describes an ES module with the same names. ES modules may import CommonJS, but not the
 * reverse, and a second copy would weigh 200 KB.
 */
export function writeDeclarations(folder: string, { exports = {} }: Manifest): void {
  const all = Object.values(exports).flatMap(({ types = '' }) => (types.endsWith('.d.mts') ? [types] : []))
  const entries = [...new Set(all)]
  if (entries.length === 0) return
  for (const file of globSync(join(folder, 'dist/**/*.d.ts'))) {
    const moved = file.replace(join(folder, 'dist'), join(folder, 'dist/types'))
    mkdirSync(dirname(moved), { recursive: true })
    renameSync(file, moved)
  }
  writeFileSync(join(folder, 'dist/types/package.json'), '{ "type": "commonjs" }\n')
  for (const file of entries) writeFileSync(join(folder, file), sameNames(file, exports['.']!))
}

/** The file that the compiler wrote with the declarations of an entry point. */
export function emittedFile(types: string): string {
  return types.replace('/types/', '/').replace('.d.mts', '.d.ts')
}

function sameNames(file: string, { types: client }: Conditions): string {
  const module = `./${file.replace(/^.*\/|\.d\.mts$/g, '')}.js`
  const names = `export * from '${module}'\n`
  return file === client ? `${names}export { Anthropic as default } from '${module}'\n` : names
}
