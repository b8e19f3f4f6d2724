import type { ConversationMessage, ListedConversation } from 'colloquy/conversation'
import { apiError } from 'colloquy/protocol'
import type { Hono } from 'hono'
import type {
  ExchangeJson,
  FoundMessageJson,
  ListPageJson,
  ModelsJson,
  PreviewBody,
  ToolsJson,
  TreeJson,
} from '../api.ts'
import { messageIn, sourceOf, withData } from '../json/attachments.ts'
import { previewJson, replyCostJson } from '../json/costs.ts'
import { withModel } from '../json/models.ts'
import { badRequest, numberIn } from '../../messages/request/query.ts'
import { content, object, settings } from '../input.ts'
import { boolean, optional, type Schema } from '../../messages/validate/schema.ts'
import type { Resources, RouteContext, RouteEnv } from '../resources.ts'
import {
  conversationJson,
  listedJson,
  pageBefore,
  pathJson,
  plain,
  shownMessage,
  treeMessageJson,
} from '../json/shapes.ts'

/** Messages of a page of a path, if the request names no number. */
export const pageLength = 50

/** Adds the routes that read conversations. */
export function addReadRoutes(app: Hono<RouteEnv>, resources: Resources): void {
  const { models, defaults, feed, open, tools } = resources
  app.get('/api/models', async (c) => {
    const [listed, chosen] = await Promise.all([models(c), defaults(c)])
    return c.json({ data: withModel(listed, chosen.model), defaults: chosen } satisfies ModelsJson)
  })
  app.get('/api/tools', (c) => c.json({ data: tools.list } satisfies ToolsJson))
  app.get('/api/changes', (c) => {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
    return new Response(feed.stream(c.get('owner')), { headers })
  })
  app.get('/api/conversations', async (c) => c.json(await list(c, resources)))
  app.get('/api/conversations/search', async (c) => c.json({ data: await search(c, resources) }))
  app.get('/api/conversations/:id', async (c) => {
    return c.json(await conversationJson(await open(c), limitOf(queryOf(c))))
  })
  app.get('/api/conversations/:id/messages', async (c) => c.json(await messages(c, resources)))
  app.get('/api/conversations/:id/tree', async (c) => {
    const conversation = await open(c)
    const data = (await Array.fromAsync(conversation.tree())).map(treeMessageJson)
    return c.json({ head: conversation.head ?? null, data } satisfies TreeJson)
  })
  app.get('/api/conversations/:id/messages/:messageId/versions', async (c) => {
    const versions = await (await open(c)).versions(c.req.param('messageId'))
    return c.json({ data: versions.map((message) => shownMessage(c.req.param('id'), message)) })
  })
  app.get('/api/conversations/:id/messages/:messageId/cost', async (c) => {
    const cost = replyCostJson(await messageIn(await open(c), c.req.param('messageId')))
    if (cost === undefined) throw badRequest('The message is not a reply, and cost nothing')
    return c.json(cost)
  })
  app.get('/api/conversations/:id/messages/:messageId/exchange', async (c) => {
    const { isExact, response, trace, request } = await (await open(c)).exchange(c.req.param('messageId'))
    const found = { request, exact: isExact, response: response ?? null, trace: trace ?? null }
    return c.json(found satisfies ExchangeJson)
  })
  app.get('/api/conversations/:id/messages/:messageId/blocks/:index', async (c) => {
    return fileResponse(await messageIn(await open(c), c.req.param('messageId')), c.req.param('index'))
  })
  app.post('/api/conversations/:id/preview', async (c) => {
    const conversation = await open(c)
    const body = await resources.bodies.read(c.req.raw, previewBody)
    const content = body.content === undefined ? undefined : await withData(body.content, conversation)
    const { settings: changes = {}, request: isWhole = true } = body
    const sent = { ...changes, ...tools.ofPreview(conversation, changes) }
    const preview = previewJson(conversation, content, sent)
    return c.json(plain(isWhole ? preview : { ...preview, request: null }))
  })
  app.get('/api/conversations/:id/export', async (c) => exported((await open(c)).id, resources))
}

export const previewBody: Schema<PreviewBody> = object<PreviewBody>({
  content: optional(content),
  settings: optional(settings),
  request: optional(boolean),
})

function queryOf(c: RouteContext): URLSearchParams {
  return new URL(c.req.url).searchParams
}

function limitOf(query: URLSearchParams, { most = 1_000, fallback = pageLength } = {}): number {
  return numberIn('limit', query.get('limit') ?? undefined, [1, most]) ?? fallback
}

const listedShelves = ['pinned', 'archived', 'none'] as const

function isListed(shelf: string): shelf is (typeof listedShelves)[number] {
  return (listedShelves as readonly string[]).includes(shelf)
}

async function list(c: RouteContext, { conversations, deletions }: Resources): Promise<ListPageJson> {
  const query = queryOf(c)
  const limit = limitOf(query)
  const [place, owner] = [query.get('before'), c.get('owner')]
  const title = query.get('title') ?? undefined
  const shelf = query.get('shelf') ?? undefined
  if (shelf !== undefined && !isListed(shelf)) throw badRequest(`shelf: must be one of ${listedShelves.join(', ')}`)
  const listed = await conversations.list({
    limit: limit + 1,
    ...(place !== null && { before: readPlace(place) }),
    ...(owner !== undefined && { owner }),
    ...(shelf !== undefined && { shelf }),
    ...(title !== undefined && { title }),
  })
  const page = listed.slice(0, limit)
  const hasMore = listed.length > limit
  const data = page.filter((each) => !deletions.hides(each)).map(listedJson)
  return { data, hasMore, next: hasMore ? placeText(page.at(-1)!) : null }
}

type Place = Pick<ListedConversation, 'id' | 'updatedAt'>

/** Names the place of a conversation in the list, which stays one after it was deleted. */
function placeText({ id, updatedAt }: Place): string {
  return `${updatedAt.getTime()}_${id}`
}

/** The inverse of `placeText`. */
function readPlace(text: string): Place {
  const [, time, id] = /^(\d{1,15})_(.+)$/su.exec(text) ?? []
  if (id === undefined) throw badRequest('before: must be `next` of a page of this list')
  return { id, updatedAt: new Date(Number(time)) }
}

async function search(c: RouteContext, { conversations, deletions }: Resources): Promise<FoundMessageJson[]> {
  const query = queryOf(c)
  const limit = limitOf(query, { most: 200, fallback: 20 })
  const owner = c.get('owner')
  const found = await conversations.search(query.get('q') ?? '', { limit, ...(owner !== undefined && { owner }) })
  const shown = found.filter(({ conversationId }) => !deletions.has(conversationId))
  return shown.map((hit) => plain(hit) as FoundMessageJson)
}

async function messages(c: RouteContext, { open }: Resources): Promise<object> {
  const query = queryOf(c)
  const conversation = await open(c)
  const path = await conversation.path(query.get('leaf') ?? undefined)
  const limit = limitOf(query)
  const before = query.get('before') ?? undefined
  if (before !== undefined && !path.some(({ id }) => id === before))
    throw apiError('not_found_error', `Cannot find message ${before.slice(0, 20)} on this path`)
  return pathJson(conversation, pageBefore(path, before, limit))
}

// Types that a browser shows without running anything in them.
const shownTypes = /^(?:image\/(?:png|jpeg|gif|webp)|application\/pdf|text\/plain)$/

function fileResponse(message: ConversationMessage, index: string): Response {
  const file = /^\d{1,6}$/.test(index) ? sourceOf(message, Number(index)) : undefined
  if (file === undefined) throw apiError('not_found_error', `Block ${index.slice(0, 20)} of the message is not a file`)
  const type = shownTypes.test(file.media_type) ? file.media_type : 'application/octet-stream'
  const bytes = bytesOf(file.data)
  if (bytes === undefined) throw apiError('not_found_error', 'The file of the block is not valid base64')
  return new Response(bytes, {
    // Messages never change.
    headers: {
      'content-type': type,
      'cache-control': 'private, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': type === 'application/octet-stream' ? 'attachment' : 'inline',
    },
  })
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function exported(id: string, { conversations }: Resources): Response {
  const encoder = new TextEncoder()
  const lines = conversations.export(id)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next()
      if (next.done) controller.close()
      else controller.enqueue(encoder.encode(`${next.value}\n`))
    },
    cancel: () => void lines.return(undefined),
  })
  const name = id.replaceAll(/[^\w-]/g, '_').slice(0, 60)
  return new Response(body, {
    headers: {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-disposition': `attachment; filename="${name}.jsonl"`,
    },
  })
}
