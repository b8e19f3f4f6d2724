import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../', import.meta.url))

/** An import of one of our files. `target` is the imported file if it is one of ours. */
export interface Import {
  name: string
  target: string | undefined
  /** True if type stripping removes the import. */
  isTypeOnly: boolean
  /** True for `import()`. */
  isOnDemand: boolean
}

/** The paths of the sources of all packages, without tests, relative to the root. */
export const sources: string[] = globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root })
  .filter((file) => !file.endsWith('.test.ts'))
  .toSorted()

/** `colloquy/protocol` → `packages/colloquy/src/protocol/index.ts`, for every entry of every `exports`. */
export const entryPoints: ReadonlyMap<string, string> = new Map(
  globSync('packages/*/package.json', { cwd: root }).flatMap(entryPointsOf),
)

function entryPointsOf(manifest: string): [string, string][] {
  const { name, exports = {} } = JSON.parse(read(manifest)) as {
    name: string
    exports?: Record<string, Record<string, string>>
  }
  return Object.entries(exports)
    .filter(([, conditions]) => conditions['@colloquy/source'])
    .map(([path, conditions]) => [join(name, path), join(dirname(manifest), conditions['@colloquy/source']!)])
}

const statement = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s*)?'([^']+)'|\bimport\('([^']+)'\)/gm

export function importsOf(file: string): Import[] {
  return [...read(file).matchAll(statement)].map(([, type, fixed, dynamic]) => {
    const name = (fixed ?? dynamic)!
    const target = name.startsWith('.') ? join(dirname(file), name) : entryPoints.get(name)
    return { name, target, isTypeOnly: type !== undefined, isOnDemand: dynamic !== undefined }
  })
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
