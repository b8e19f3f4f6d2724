import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

type Ending = '.d.ts' | '.js'

/**
 * Removes the files with this ending in `dist` that no entry point imports, directly or indirectly: a fifth of the
 * declarations, and all modules that have been bundled.
 */
export function prune(folder: string, ending: Ending, entries: readonly string[]): void {
  const reached = filesReachedFrom(
    entries.map((entry) => join(folder, entry)),
    ending,
  )
  for (const file of globSync(join(folder, `dist/**/*${ending}`))) if (!reached.has(normalize(file))) rmSync(file)
}

/** The files with this ending that these files import, directly or indirectly, and these files themselves. */
export function filesReachedFrom(entries: readonly string[], ending: Ending): Set<string> {
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import\(?)\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
      reach(join(dirname(file), `${path}${ending}`))
    }
  }
  for (const entry of entries) reach(normalize(entry))
  return reached
}
