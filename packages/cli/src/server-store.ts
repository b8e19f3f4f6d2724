import { type ServerStore, openServerStore } from '@colloquy/server/store'
import { filePaths } from './file-paths.ts'
import type { Environment, Flags } from './flags.ts'

/** The database of keys and usage: of `--database`, else of `COLLOQUY_DATABASE`, else the file of this user. */
function databaseOf(flags: Flags, env: Environment = process.env): string {
  return flags.text('database') ?? (env['COLLOQUY_DATABASE'] || filePaths(env).server)
}

/** Opens the database of keys and usage. @param database default: that of the flags. */
export function openServerState(flags: Flags, database: string = databaseOf(flags)): Promise<ServerStore> {
  return openServerStore(database)
}

/** Runs work with the database of keys and usage, and closes it. */
export async function withServerState<T>(flags: Flags, work: (store: ServerStore) => Promise<T>): Promise<T> {
  const store = await openServerState(flags)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
