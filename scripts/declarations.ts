import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Manifest } from './compile.ts'

/** Removes the declarations that no door leads to: a fifth of them, which nobody can import. */
export function pruneDeclarations(folder: string, { exports = {} }: Manifest): void {
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\()\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
      reach(join(dirname(file), `${path}.d.ts`))
    }
  }
  for (const { types } of Object.values(exports)) if (types !== undefined) reach(join(folder, types))
  for (const file of globSync(join(folder, 'dist/**/*.d.ts'))) if (!reached.has(file)) rmSync(file)
}
