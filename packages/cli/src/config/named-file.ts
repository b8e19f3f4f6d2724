import { realpathSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { withHome } from '../file-paths.ts'

/** The path of the file that a setting names: `@FILE` of a system prompt, a file of MCP servers, or a model file. Undefined for another value. */
export function namedFile(name: string, value: string): string | undefined {
  if (name === 'system') return value.startsWith('@') ? value.slice(1) : undefined
  if (name === 'mcp') return value
  return (name === 'engine' || name === 'model') && value.endsWith('.gguf') ? value : undefined
}

/** The value of a setting with the whole path of the file that it names: the path begins at the folder. */
export function withPlace(name: string, value: string, folder: string): string {
  const path = namedFile(name, value)
  return path === undefined ? value : `${name === 'system' ? '@' : ''}${resolve(folder, withHome(path))}`
}

/** Whether a path leads out of the folder, also by a symbolic link. */
export function isOutside(folder: string, path: string): boolean {
  const way = relative(realPath(folder), realPath(path))
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
