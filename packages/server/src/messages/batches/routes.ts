import { inPieces, newId } from 'colloquy/engines'
import { apiError } from 'colloquy/protocol'
import type { Context, Hono } from 'hono'
import { addressUsed } from '../../operate/proxied.ts'
import type { ServerOptions } from '../../options.ts'
import { versionAndBetas } from '../endpoint.ts'
import { type Env, workspaceOf } from '../env.ts'
import { readPageQuery } from '../page-query.ts'
import { BodyReader } from '../request/body.ts'
import { incomingOf } from '../request/body-source.ts'
import { batchObject, resultLine } from './batch-object.ts'
import { type BatchRow, type BatchStore, idPrefix } from './batch-store.ts'
import { checkEnvelope } from './envelope.ts'

const MiB = 1024 * 1024
const hourMs = 3_600_000
/** The most requests of a workspace that wait, as for accounts of the API's first tier. */
const mostQueued = 200_000

/** Runs the requests of batches. */
interface Worker {
  /** Looks for work at once. */
  wake(): void
  close(options?: { graceMs?: number }): Promise<void>
  /** Deletes what it has elsewhere of a batch. */
  remove?(id: string): Promise<void>
}

/** The parts of a server that its batches use. */
export interface BatchRoutesOptions extends Pick<ServerOptions, 'lenient' | 'bodyTimeoutMs'> {
  store: BatchStore
  worker: Worker
  now: () => number
}

/** Adds the routes below `/v1/messages/batches`. */
export function addBatches(app: Hono<Env>, options: BatchRoutesOptions): void {
  const { store, worker, now } = options
  const create = creator(options)
  const path = '/v1/messages/batches'
  const respond = (c: Context<Env>, row: BatchRow): Response => c.json(batchObject(row, addressUsed(c.req.raw)))

  app.post(path, async (c) => respond(c, await create(c)))
  app.get(path, async (c) => {
    const { data, hasMore } = await store.page(workspaceOf(c), readPageQuery(new URL(c.req.url).searchParams))
    const batches = data.map((row) => batchObject(row, addressUsed(c.req.raw)))
    const [first, last] = [batches[0]?.id ?? null, batches.at(-1)?.id ?? null]
    return c.json({ data: batches, has_more: hasMore, first_id: first, last_id: last })
  })
  app.get(`${path}/:id`, async (c) => respond(c, await found(store, c)))
  app.delete(`${path}/:id`, async (c) => {
    const { id, ended_at: ended } = await found(store, c)
    if (ended !== null) await worker.remove?.(id)
    if (!(await store.remove(workspaceOf(c), id))) throw refusal(id, 'has not ended: cancel it before you delete it')
    return c.json({ id, type: 'message_batch_deleted' })
  })
  app.post(`${path}/:id/cancel`, async (c) => {
    const { id } = await found(store, c)
    const row = await store.cancel(workspaceOf(c), id, now())
    if (!row) throw refusal(id, 'has ended and cannot be canceled')
    worker.wake()
    return respond(c, row)
  })
  app.get(`${path}/:id/results`, async (c) => {
    const { id, items, ended_at: ended, archived_at: archived } = await found(store, c)
    if (ended === null) throw refusal(id, 'has not ended: it has no results yet')
    if (archived !== null) throw apiError('not_found_error', `The results of batch ${id} are no longer available`)
    return new Response(resultsOf(store, { id, items }), { headers: { 'content-type': 'application/x-jsonl' } })
  })
}

function creator(options: BatchRoutesOptions): (c: Context<Env>) => Promise<BatchRow> {
  const { store, worker, now, lenient = false, bodyTimeoutMs } = options
  const bodies = new BodyReader({
    maxBodyBytes: 256 * MiB,
    maxBufferedBytes: 512 * MiB,
    bodyTimeoutMs,
  })
  return async (c) => {
    const { version, betas } = versionAndBetas(c.req.raw.headers, lenient)
    const value = await bodies.readJson(incomingOf(c.req.raw), ({ length }) => c.env.log.received(length))
    const items = await inPieces(checkEnvelope(value))
    const workspace = workspaceOf(c)
    const at = now()
    const key_id = c.env.caller?.key?.id ?? ''
    const times = { created_at: at, expires_at: at + 24 * hourMs }
    const batch = { id: newId(idPrefix), workspace, key_id, version, betas: JSON.stringify(betas), ...times }
    const row = await store.add(batch, items, mostQueued)
    worker.wake()
    return row
  }
}

async function found(store: BatchStore, c: Context<Env>): Promise<BatchRow> {
  const id = c.req.param('id')!
  const row = await store.find(workspaceOf(c), id)
  if (!row) throw apiError('not_found_error', `No batch with id ${JSON.stringify(id.slice(0, 100))}`)
  return row
}

function refusal(id: string, problem: string): Error {
  return apiError('invalid_request_error', `Batch ${id} ${problem}`)
}

/** The results as JSONL, read from the store as fast as the client takes them. */
function resultsOf(
  store: BatchStore,
  { id, items: count }: Pick<BatchRow, 'id' | 'items'>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let from = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const items = await store.results(id, from)
        const last = items.at(-1)
        // A response that ended here would look complete.
        if (!last && from < count) throw new Error(`Batch ${id} was deleted while its results were read`)
        if (!last) return controller.close()
        from = last.position + 1
        controller.enqueue(encoder.encode(items.map(resultLine).join('')))
      },
    },
    { highWaterMark: 0 },
  )
}
