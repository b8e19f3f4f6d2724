import { existsSync } from 'node:fs'
import { ExitCode } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import type { Flags } from '../flags.ts'

/** Runs `colloquy paths`. */
export async function showPaths(flags: Flags): Promise<number> {
  const paths = filePaths()
  if (flags.has('json')) {
    process.stdout.write(`${JSON.stringify(paths, undefined, 2)}\n`)
    return ExitCode.ok
  }
  for (const [name, path] of Object.entries(paths) as [string, string][]) {
    process.stdout.write(`${name.padEnd(8)} ${path}${existsSync(path) ? '' : ' (does not exist yet)'}\n`)
  }
  return ExitCode.ok
}
