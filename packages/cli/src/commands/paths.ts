import { existsSync } from 'node:fs'
import { ExitCode } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import type { Flags } from '../flags.ts'
import { writeJson, writeLine } from '../terminal/output.ts'

/** Runs `colloquy paths`. */
export async function showPaths(flags: Flags): Promise<number> {
  const paths = filePaths()
  if (flags.has('json')) {
    writeJson(paths, 2)
    return ExitCode.ok
  }
  const rows = Object.entries(paths) as [string, string][]
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, path] of rows) {
    writeLine(`${name.padEnd(width)} ${path}${existsSync(path) ? '' : ' (does not exist yet)'}`)
  }
  return ExitCode.ok
}
