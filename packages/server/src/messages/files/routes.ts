import { newId } from 'colloquy/engines'
import type { Context, Hono } from 'hono'
import type { FileLimits } from '../../options.ts'
import { type Env, workspaceOf } from '../env.ts'
import { readPageQuery } from '../page-query.ts'
import { BodyReader } from '../request/body.ts'
import { incomingOf } from '../request/body-source.ts'
import { refuse } from '../validate/schema.ts'
import { type FileRow, type FileStore } from './file-store.ts'
import { boundaryOf, mostFormBytes, readUpload, type Upload } from './upload.ts'

const MiB = 1024 * 1024
const defaults = { maxBytes: 100 * MiB, maxFiles: 10_000, maxStoredBytes: 10_240 * MiB }
/** Files of the largest size that may be in memory at once: each is held there until it is stored. */
const mostInMemory = 4

/** The parts of a server that its files use. */
export interface FileRoutesOptions {
  store: FileStore
  now: () => number
  limits: FileLimits | undefined
  /** Default 300,000. */
  bodyTimeoutMs: number | undefined
}

/** Adds the routes below `/v1/files`. */
export function addFiles(app: Hono<Env>, { store, now, limits, bodyTimeoutMs }: FileRoutesOptions): void {
  const { maxBytes, maxFiles, maxStoredBytes } = { ...defaults, ...limits }
  const maxBodyBytes = mostFormBytes(maxBytes)
  const bodies = new BodyReader({
    maxBodyBytes,
    maxBufferedBytes: mostInMemory * maxBodyBytes,
    bodyTimeoutMs,
  })

  async function add(c: Context<Env>, { name, mediaType, bytes, expiresInSeconds }: Upload): Promise<FileRow> {
    const workspace = workspaceOf(c)
    c.env.log.received(bytes.length)
    const at = now()
    const expires_at = expiresInSeconds === null ? null : at + expiresInSeconds * 1_000
    const times = { created_at: at, expires_at }
    const row = { id: newId('file_01'), workspace, name, media_type: mediaType, bytes: bytes.length, ...times }
    return store.add(row, bytes, { files: maxFiles, bytes: maxStoredBytes })
  }

  app.post('/v1/files', async (c) => {
    const boundary = boundaryOf(c.req.raw)
    const row = await bodies.read(incomingOf(c.req.raw), async (bytes) =>
      add(c, await readUpload(bytes, boundary, maxBytes)),
    )
    return c.json(fileObject(row))
  })
  app.get('/v1/files', async (c) => c.json(await pageOf(store, c)))
  app.get('/v1/files/:id', async (c) => c.json(fileObject(await store.get(workspaceOf(c), c.req.param('id')))))
  app.get('/v1/files/:id/content', async (c) => {
    const row = await store.get(workspaceOf(c), c.req.param('id'))
    return new Response(contentOf(store, row), { headers: contentHeaders(row) })
  })
  app.delete('/v1/files/:id', async (c) => {
    const { id } = await store.get(workspaceOf(c), c.req.param('id'))
    await store.remove(id)
    return c.json({ id, type: 'file_deleted' })
  })
}

async function pageOf(store: FileStore, c: Context<Env>): Promise<object> {
  const query = new URL(c.req.url).searchParams
  const workspace = workspaceOf(c)
  const ids = [...new Set([...query.getAll('ids[]'), ...query.getAll('ids')])]
  if (ids.length > 100) refuse('ids', `List should have at most 100 items after validation, not ${ids.length}`)
  if (ids.length > 0)
    return { data: (await store.known(workspace, ids)).map(fileObject), has_more: false, next_page: null }
  const { limit, before, after } = readPageQuery(query)
  const { data, hasMore } = await store.page(workspace, { limit, before, after: after ?? query.get('page') })
  const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null]
  const next = hasMore && before === null ? last : null
  return { data: data.map(fileObject), has_more: hasMore, first_id: first, last_id: last, next_page: next }
}

function fileObject({ id, name, media_type, bytes, created_at, expires_at }: FileRow): object {
  return {
    id,
    type: 'file',
    filename: name,
    mime_type: media_type,
    size_bytes: bytes,
    created_at: new Date(created_at).toISOString(),
    downloadable: true,
    expires_at: expires_at === null ? null : new Date(expires_at).toISOString(),
  }
}

/** Never shown by a browser as a page of this server. */
function contentHeaders({ name, media_type, bytes }: FileRow): Record<string, string> {
  return {
    'content-type': media_type,
    'content-length': String(bytes),
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}`,
    'x-content-type-options': 'nosniff',
  }
}

function contentOf(store: FileStore, row: FileRow): ReadableStream<Uint8Array> {
  const parts = store.read(row)[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    },
    { highWaterMark: 0 },
  )
}
