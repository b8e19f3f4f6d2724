import { type AccessOptions, openAccess, type StoreAccess } from '@colloquy/server/access'
import { isLoopback } from '@colloquy/server/node'
import type { ServerStore } from '@colloquy/server/store'
import { UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { countText } from '../../format.ts'
import { openServerState } from '../../server-store.ts'
import { writeErrorLine } from '../../terminal/output.ts'
import { programName } from '../../terminal/program-name.ts'

/** The keys and the ledger of a server that runs. */
export interface ServeState {
  access: StoreAccess
  store: ServerStore
  /** Such as `3 keys`. */
  accessText: string
  close(): Promise<void>
}

/** Options of `openState()`. */
export interface StateOptions extends Pick<AccessOptions, 'engine' | 'isPriced' | 'models' | 'retainMs'> {
  host: string
  /** The keys of a file or a configuration. */
  keys: readonly string[] | undefined
  /** Default: the flags `--database` and `--redis`. */
  database?: string | undefined
  redis?: string | undefined
}

/** Opens the keys and the ledger. Without keys only a server on this machine answers. */
export async function openState(flags: Flags, options: StateOptions): Promise<ServeState> {
  const { host, keys, database, redis = flags.text('redis') ?? process.env['COLLOQUY_REDIS'], ...rest } = options
  const store = await openServerState(flags, database)
  const isLocal = isLoopback(host)
  const access = await openAccess({
    ...rest,
    store,
    anonymous: isLocal,
    ...(keys !== undefined && { keys }),
    ...(redis !== undefined && redis !== '' && { redis }),
    onProblem: writeErrorLine,
    onLost: ({ id, flights }) => {
      const charged = `: ${countText(flights.length, 'request')} in flight cost all that was reserved`
      writeErrorLine(`Server ${id} ended without being stopped${flights.length === 0 ? '' : charged}.`)
    },
  })
  const close = async (): Promise<void> => {
    try {
      await access.close()
    } finally {
      await store.close()
    }
  }
  const keyCount = (await access.keys.list()).length + (keys?.length ?? 0)
  if (keyCount > 0 || isLocal) {
    return { access, store, accessText: keyCount === 0 ? 'any key or none' : countText(keyCount, 'key'), close }
  }
  await close()
  throw new UsageError(
    `Cannot listen on ${host} without keys: any machine on the network could use the engine. Run ${programName} keys create NAME, or add --key-file FILE`,
  )
}
