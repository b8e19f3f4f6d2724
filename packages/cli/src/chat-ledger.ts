import type { Ledger, MeteredRequest } from '@colloquy/server/access'
import type { ServerStore } from '@colloquy/server/store'
import type { Engine } from 'colloquy/protocol'
import type { Connection } from './engine/connect.ts'
import { engineLabel } from './engine/engine-kind.ts'
import type { Flags } from './flags.ts'
import { writeErrorLine } from './terminal/output.ts'

/** Records the requests of chats for `colloquy usage`, in the ledger that the server uses too. */
export class ChatLedger {
  readonly #flags: Flags
  readonly #shared: Ledger | undefined
  #opened: Promise<{ store: ServerStore; ledger: Ledger }> | undefined

  /** @param shared the ledger of a server in this process, which closes it. Default: one of its own. */
  constructor(flags: Flags, shared?: Ledger) {
    this.#flags = flags
    this.#shared = shared
  }

  /** The engine of a connection, with its requests recorded. */
  metered(connection: Pick<Connection, 'engine' | 'kind' | 'isLocal'>): Engine {
    const open = async (): Promise<Ledger> => this.#shared ?? (await this.#open()).ledger
    const facts = (): MeteredRequest => {
      return { source: 'chat', engine: engineLabel(connection.kind), isPriced: !connection.isLocal }
    }
    const { engine } = connection
    async function* recorded(...request: Parameters<Engine>): ReturnType<Engine> {
      // Loaded with the first request, so that the prompt appears sooner.
      const { metered } = await import('@colloquy/server/access')
      yield* metered(engine, open, facts)(...request)
    }
    return Object.assign(recorded, engine)
  }

  /** Writes what was recorded. A ledger that cannot be written is a note: the chat itself is saved elsewhere. */
  async close(): Promise<void> {
    if (this.#opened === undefined) return
    try {
      const { store, ledger } = await this.#opened
      await ledger.close()
      await store.close()
    } catch (error) {
      writeErrorLine(
        `The usage of this chat was not recorded: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  /** Opens the database with the first request that has ended. */
  #open(): Promise<{ store: ServerStore; ledger: Ledger }> {
    this.#opened ??= (async () => {
      const [{ Ledger }, { openServerState }] = await Promise.all([
        import('@colloquy/server/access'),
        import('./server-store.ts'),
      ])
      const store = await openServerState(this.#flags)
      return { store, ledger: new Ledger(store.database) }
    })()
    return this.#opened
  }
}
