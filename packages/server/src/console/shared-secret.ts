import { rows } from '../state/database.ts'
import type { ServerStore } from '../state/server-store.ts'

/**
 * The secret that signs the sessions of all servers of a store, so that a session of one is valid at the others. It is made
 * once, and stays.
 *
 * @param proposed the secret, if the store has none yet.
 *
 * @example
 * ```ts
 * import { consoleRoutes, sharedSecret } from '@colloquy/server/console'
 * import { openServerStore } from '@colloquy/server/store'
 * import { randomBytes } from 'node:crypto'
 *
 * const store = await openServerStore(':memory:') // or postgres://…
 * const page = consoleRoutes({ secret: await sharedSecret(store, randomBytes(32)) })
 * console.log(page.newToken() !== page.newToken()) // true
 * await store.close()
 * ```
 */
export function sharedSecret({ database }: ServerStore, proposed: Uint8Array): Promise<Uint8Array> {
  return database.transaction('read the secret of the console', function* () {
    const value = Buffer.from(proposed).toString('base64url')
    yield* rows(`INSERT INTO %.secret (name, value) VALUES ('console', :value) ON CONFLICT (name) DO NOTHING`, {
      value,
    })
    const [row] = yield* rows<{ value: string }>(`SELECT value FROM %.secret WHERE name = 'console'`)
    return Buffer.from(row!.value, 'base64url')
  })
}
