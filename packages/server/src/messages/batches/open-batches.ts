import type { ServerOptions } from '../../options.ts'
import type { EndpointParts } from '../endpoint.ts'
import type { Models } from '../models.ts'
import { BatchStore } from './batch-store.ts'
import { BatchWorker } from './batch-worker.ts'
import type { BatchRoutesOptions } from './routes.ts'
import { UpstreamWorker } from './upstream-worker.ts'

/** Opens the batches of a store, and begins to work on them. Undefined without a store. */
export function openBatches(
  options: ServerOptions,
  models: Models,
  { files, cache }: Pick<EndpointParts, 'files' | 'cache'>,
): BatchRoutesOptions | undefined {
  const { store, engine, access, now = Date.now, lenient, bodyTimeoutMs, batches, passOn } = options
  if (!store) return undefined
  // As for single requests: the upstream checks what is sent on, unless strict checks are asked for.
  const isLenient = lenient ?? engine.forward !== undefined
  const items = { engine, access, models, files, cache, lenient: isLenient, now }
  return {
    store: new BatchStore(store.database),
    worker:
      passOn && passOn.batches !== false
        ? new UpstreamWorker(store.database, {
            account: passOn.client.messages.batches,
            access,
            files: passOn.files === false ? undefined : files,
            now,
            pollMs: passOn.pollMs ?? 10_000,
            leaseMs: batches?.leaseMs ?? 30_000,
          })
        : new BatchWorker(store.database, items, batches),
    now,
    ...(lenient !== undefined && { lenient }),
    ...(bodyTimeoutMs !== undefined && { bodyTimeoutMs }),
  }
}
