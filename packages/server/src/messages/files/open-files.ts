import type { ServerOptions } from '../../options.ts'
import { FileStore } from './file-store.ts'
import { UpstreamBytes } from './upstream-bytes.ts'

/** Opens the files of a store. Undefined without one, or if the ids of files are the upstream's to find. */
export function openFiles({ store, engine, passOn, now = Date.now }: ServerOptions): FileStore | undefined {
  if (!store) return undefined
  if (passOn && passOn.files !== false)
    return new FileStore(store.database, now, new UpstreamBytes(passOn.client.files))
  return engine.forward ? undefined : new FileStore(store.database, now)
}
