import { type Conversation, type Conversations, toErrorResponse } from 'colloquy/conversation'
import { apiError } from 'colloquy/protocol'
import { Hono } from 'hono/tiny'
import { ChangeFeed } from './change-feed.ts'
import { Deletions } from './deletions.ts'
import { Erasures } from './erasures.ts'
import { addChangeRoutes } from './groups/changing.ts'
import { addReadRoutes } from './groups/reading.ts'
import { addTurnRoutes } from './groups/turns.ts'
import { Bodies } from './input.ts'
import { catalogueChoices } from './json/models.ts'
import type { Resources, RouteContext, RouteEnv } from './resources.ts'
import type { Admitted, ConversationRoutesOptions } from './options.ts'
import { checkSameOrigin } from './same-origin.ts'
import { ServerTools } from './tools.ts'

/** Answers the requests of `conversationRoutes()`. */
export class ConversationApp {
  readonly #deletions: Deletions
  readonly #erasures = new Erasures()
  readonly #feed: ChangeFeed
  readonly #app: Hono<RouteEnv>

  constructor(options: ConversationRoutesOptions) {
    const { conversations, defaults = {}, models = catalogueChoices, undoMs = 10_000, pingMs = 10_000 } = options
    const deletions = (this.#deletions = new Deletions(conversations, undoMs))
    const feed = (this.#feed = new ChangeFeed(conversations, deletions, pingMs))
    const open = (c: RouteContext): Promise<Conversation> => openHere(c, conversations, deletions)
    const bodies = new Bodies(options)
    const erasures = this.#erasures
    const tools = new ServerTools(options.tools, options.runsUnasked)
    const resources: Resources = {
      conversations,
      bodies,
      deletions,
      erasures,
      feed,
      defaults: (c) => (typeof defaults === 'function' ? defaults(senderOf(c)) : defaults),
      models: (c) => models(senderOf(c)),
      tools,
      pingMs,
      open,
    }
    this.#app = routesOf(resources, options.admit)
  }

  /** @param onError called with an error that is answered. */
  async fetch(request: Request, onError?: (error: unknown) => void): Promise<Response> {
    return this.#app.fetch(request, { onError })
  }

  /** Deletes what is to be deleted, and ends the streams of changes. */
  async close(): Promise<void> {
    this.#feed.close()
    await this.#erasures.close()
    await this.#deletions.close()
  }
}

function routesOf(resources: Resources, admit: ConversationRoutesOptions['admit']): Hono<RouteEnv> {
  const app = new Hono<RouteEnv>()
  app.use(async (c, next) => {
    checkSameOrigin(c.req.raw)
    const { owner } = (await admit?.(c.req.raw)) ?? {}
    c.set('owner', owner)
    await next()
    c.res.headers.set('x-content-type-options', 'nosniff')
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  })
  addReadRoutes(app, resources)
  addTurnRoutes(app, resources)
  addChangeRoutes(app, resources)
  app.notFound(() => toErrorResponse(apiError('not_found_error', 'Not found')))
  app.onError((error, c) => {
    c.env.onError?.(error)
    return toErrorResponse(error)
  })
  return app
}

function senderOf(c: RouteContext): Admitted {
  return { owner: c.get('owner') }
}

async function openHere(c: RouteContext, conversations: Conversations, deletions: Deletions): Promise<Conversation> {
  const id = c.req.param('id') ?? ''
  const owner = c.get('owner')
  const conversation = await conversations.open(id, owner === undefined ? {} : { owner })
  if (deletions.hides(conversation))
    throw apiError('not_found_error', `Cannot find conversation ${id}: it is being deleted`)
  return conversation
}
