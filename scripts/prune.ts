import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Removes the scripts in `dist` that no entry point imports, directly or indirectly: the modules that were bundled. */
export function prune(folder: string, entries: readonly string[]): void {
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import\(?)\s*['"](\.[^'"]+\.js)['"]/g)) {
      reach(join(dirname(file), path!))
    }
  }
  for (const entry of entries) reach(join(folder, entry))
  for (const file of globSync(join(folder, 'dist/**/*.js'))) if (!reached.has(normalize(file))) rmSync(file)
}
