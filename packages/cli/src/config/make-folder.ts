import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a folder and those above it, unless they exist. Throws the error of the system.
 *
 * With `recursive`, `mkdirSync()` never returns if the system says that a folder is missing which is there, as it does for
 * folders in `/proc`.
 */
export function makeFolder(path: string, options: { mode?: number } = {}): void {
  try {
    mkdirSync(path, options)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    makeFolder(dirname(path), options)
    mkdirSync(path, options)
  }
}
