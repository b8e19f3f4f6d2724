import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Environment } from './flags.ts'

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
  /** The folder of the user's templates. */
  templates: string
}

export function filePaths(env: Environment = process.env, platform: string = process.platform): FilePaths {
  const home = env['HOME'] ?? homedir()
  const local = platform === 'win32' ? env['LOCALAPPDATA'] : undefined
  // The XDG specification ignores relative paths.
  const folder = (name: string, fallback: string): string => {
    const value = env[name]
    return value !== undefined && isAbsolute(value) ? value : (local ?? join(home, fallback))
  }
  const data = join(folder('XDG_DATA_HOME', '.local/share'), 'colloquy')
  const config = join(folder('XDG_CONFIG_HOME', '.config'), 'colloquy')
  return {
    chats: join(data, 'chats.db'),
    server: join(data, 'server.db'),
    secret: join(data, 'console.key'),
    history: join(folder('XDG_STATE_HOME', '.local/state'), 'colloquy', 'history'),
    models: join(data, 'models'),
    runtime: join(data, 'runtime'),
    model: join(data, 'model.json'),
    config: env['COLLOQUY_CONFIG'] || join(config, 'config.json'),
    keys: join(config, 'keys.json'),
    templates: join(config, 'templates'),
  }
}
