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
  for (const [name, path] of Object.entries(paths) as [string, string][]) {
    writeLine(`${name.padEnd(8)} ${path}${existsSync(path) ? '' : ' (does not exist yet)'}`)
  }
  return ExitCode.ok
}
