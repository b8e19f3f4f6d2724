import {
  chmodSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, posix, win32 } from 'node:path'
import { ExitCode, ExitError } from './exit.ts'
import type { Environment } from './flags.ts'
import { systemReason } from './errors/system-error.ts'

/** The files of the program: in the XDG folders, on Windows in AppData. */
export interface FilePaths {
  /** The saved chats, one SQLite database. */
  chats: string
  /** The keys of the server, and the usage of the server and of chats: one SQLite database. */
  server: string
  /** The secret that signs the sessions of the console. Only its owner can read the file. */
  secret: string
  /** The lines typed so far, one JSON string a line. Only its owner can read the file. */
  history: string
  /** The folder of the models that were fetched. */
  models: string
  /** The folder of the runtime for models. */
  runtime: string
  /** The model that was chosen last, as JSON. */
  model: string
  /** The user's configuration. `COLLOQUY_CONFIG` names another file. */
  config: string
  /** The user's keys for engines, as JSON. Only its owner can read the file. */
  keys: string
  /** The user's sign-ins at MCP servers, as JSON. Only its owner can read the file. */
  signIns: string
  /** The folder of the user's templates. */
  templates: string
}

export function filePaths(env: Environment = process.env, platform: string = process.platform): FilePaths {
  const path = platform === 'win32' ? win32 : posix
  const home = homeFolder(env, platform)
  const local = platform === 'win32' ? env['LOCALAPPDATA'] : undefined
  // The XDG specification ignores relative paths.
  const folder = (name: string, fallback: string): string => {
    const value = env[name]
    return value !== undefined && path.isAbsolute(value) ? value : (local ?? path.join(home, fallback))
  }
  const data = path.join(folder('XDG_DATA_HOME', '.local/share'), 'colloquy')
  const config = path.join(folder('XDG_CONFIG_HOME', '.config'), 'colloquy')
  return {
    chats: path.join(data, 'chats.db'),
    server: path.join(data, 'server.db'),
    secret: path.join(data, 'console.key'),
    history: path.join(folder('XDG_STATE_HOME', '.local/state'), 'colloquy', 'history'),
    models: path.join(data, 'models'),
    runtime: path.join(data, 'runtime'),
    model: path.join(data, 'model.json'),
    config: env['COLLOQUY_CONFIG'] || path.join(config, 'config.json'),
    keys: path.join(config, 'keys.json'),
    signIns: path.join(config, 'mcp-sign-ins.json'),
    templates: path.join(config, 'templates'),
  }
}

/** The home folder: that of `HOME`, else of the user's account, else the root folder. Containers may have neither. */
export function homeFolder(env: Environment = process.env, platform: string = process.platform): string {
  const path = platform === 'win32' ? win32 : posix
  const home = env['HOME']
  if (home !== undefined && path.isAbsolute(home)) return home
  try {
    return platform === 'win32' ? homedir() : userInfo().homedir
  } catch {
    return path.sep
  }
}

/** The path with a leading `~` replaced by the home folder. */
export function withHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homeFolder())
}

/**
 * Creates a folder and those above it, unless they exist. Throws the error of the system.
 *
 * With `recursive`, `mkdirSync()` never returns if the system says that a folder is missing which is there, as it does for
 * folders in `/proc`.
 */
export function makeFolder(path: string, options: { mode?: number } = {}): void {
  try {
    makeOne(path, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    makeFolder(dirname(path), options)
    makeOne(path, options)
  }
}

/** Creates a folder, unless it exists: another process may create it at the same time. */
function makeOne(path: string, options: { mode?: number }): void {
  try {
    mkdirSync(path, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * Replaces a file at once, so that a crash leaves the old one, and creates its folder. A symbolic link stays, and its target is
 * replaced. Throws an `ExitError` that names the file.
 *
 * @param ownMode the mode of the file, in a folder for its owner only. Default: that of the earlier file.
 */
export function replaceFile(path: string, text: string, ownMode?: number): void {
  try {
    makeFolder(dirname(path), ownMode === undefined ? {} : { mode: 0o700 })
    const target = existsSync(path) ? realpathSync(path) : path
    const mode = ownMode ?? fileFacts(target)?.mode
    const next = `${target}.${process.pid}`
    try {
      writeFileSync(next, text, { mode, flush: true })
      // The umask may have taken something from it.
      if (mode !== undefined) chmodSync(next, mode)
      renameSync(next, target)
    } catch (error) {
      rmSync(next, { force: true })
      throw error
    }
  } catch (error) {
    throw new ExitError(ExitCode.failed, `Cannot write ${path}: ${systemReason(error)}`)
  }
}

/** The facts about a file; undefined if it does not exist, has an impossible name, or is hidden from this user. */
export function fileFacts(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
