import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/**
 * Removes the files with this ending in `dist` that no entry point imports, directly or indirectly: a fifth of the
 * declarations, and the modules of entry points that only have a file for Node.
 */
export function prune(folder: string, ending: '.d.ts' | '.js', entries: readonly string[]): void {
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import\(?)\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
      reach(join(dirname(file), `${path}${ending}`))
    }
  }
  for (const entry of entries) reach(join(folder, entry))
  for (const file of globSync(join(folder, `dist/**/*${ending}`))) if (!reached.has(normalize(file))) rmSync(file)
}
