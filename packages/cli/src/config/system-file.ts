import { realpathSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { withHome } from '../file-paths.ts'

/** The system prompt of a file of settings: the path of `@FILE` begins at that file's folder. A text stays as it is. */
export function systemFrom(folder: string, value: string): string {
  return value.startsWith('@') ? `@${resolve(folder, withHome(value.slice(1)))}` : value
}

/** Whether the system prompt is a file outside the folder, also by a symbolic link. */
export function isOutside(folder: string, system: string): boolean {
  if (!system.startsWith('@')) return false
  const way = relative(realPath(folder), realPath(system.slice(1)))
  return way.split(/[/\\]/)[0] === '..' || isAbsolute(way)
}

/** The path without symbolic links. One that does not exist stays: to read it fails later. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
