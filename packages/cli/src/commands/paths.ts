import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Flags } from '../command.ts'
import { ExitCode } from '../exit.ts'

/** Where the program keeps its files: under the XDG folders, on Windows under AppData. */
export interface Paths {
  /** The chats: one SQLite database. */
  chats: string
  /** What was typed, one JSON string a line, readable by its owner alone. */
  history: string
}

type Environment = Readonly<Record<string, string | undefined>>

export function pathsOf(env: Environment = process.env, platform: string = process.platform): Paths {
  const home = env['HOME'] ?? homedir()
  const local = platform === 'win32' ? env['LOCALAPPDATA'] : undefined
  // An XDG folder counts only when it is absolute, as its specification has it.
  const folder = (name: string, fallback: string): string => {
    const value = env[name]
    return value !== undefined && isAbsolute(value) ? value : (local ?? join(home, fallback))
  }
  return {
    chats: join(folder('XDG_DATA_HOME', '.local/share'), 'colloquy', 'chats.db'),
    history: join(folder('XDG_STATE_HOME', '.local/state'), 'colloquy', 'history'),
  }
}

/** `colloquy paths`. */
export async function showPaths(flags: Flags): Promise<number> {
  const paths = pathsOf()
  const rows = Object.entries(paths).map(([name, path]: [string, string]) => ({ name, path, exists: existsSync(path) }))
  if (flags.has('json')) process.stdout.write(`${JSON.stringify(paths, undefined, 2)}\n`)
  else
    for (const { name, path, exists } of rows)
      process.stdout.write(`${name.padEnd(8)} ${path}${exists ? '' : ' (not there yet)'}\n`)
  return ExitCode.ok
}
