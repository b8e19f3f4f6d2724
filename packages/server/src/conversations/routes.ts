import {
  type Conversation,
  type Conversations,
  type ConversationSettings,
  toErrorResponse,
} from 'colloquy/conversation'
import { apiError, checkOptionNames } from 'colloquy/protocol'
import { Hono } from 'hono'
import type { BodyOptions } from '../messages/request/body.ts'
import type { ModelChoiceJson } from './api.ts'
import { ChangeFeed } from './change-feed.ts'
import { addChangeRoutes } from './groups/changing.ts'
import { Deletions } from './deletions.ts'
import { Erasures } from './erasures.ts'
import { Bodies } from './input.ts'
import { conversationOperations } from './operations.ts'
import type { Resources, RouteContext, RouteEnv } from './resources.ts'
import { catalogueChoices } from './json/models.ts'
import type { Routes } from '../options.ts'
import { addReadRoutes } from './groups/reading.ts'
import { checkSameOrigin } from './same-origin.ts'
import { addTurnRoutes } from './groups/turns.ts'

/** Options of `conversationRoutes()`. */
export interface ConversationRoutesOptions extends BodyOptions {
  /** The conversations that the routes read and change. */
  conversations: Conversations
  /**
   * Decides who may send a request: throws an error of the API, such as `apiError('authentication_error')`, or returns the
   * owner whose conversations alone the request may use. Default: everyone may use all conversations.
   */
  admit?: (request: Request) => Admitted | Promise<Admitted>
  /** The settings of a new conversation, as far as a request leaves them out. Default none: requests name the model. */
  defaults?: Partial<ConversationSettings>
  /** Returns the models that `GET /api/models` lists. Default: those of the catalogue. */
  models?: () => readonly ModelChoiceJson[] | Promise<readonly ModelChoiceJson[]>
  /** How long a deletion can be taken back, in milliseconds. Default 10,000. */
  undoMs?: number
  /** Milliseconds without an event after which a stream gets a ping. Default 10,000. */
  pingMs?: number
}

/** The sender of a request to the conversations. */
export interface Admitted {
  /** The owner of the conversations that the request may use. Undefined: all conversations. */
  owner?: string | undefined
}

/** The routes below `/api`, for the option `routes` of `createServer()`, or for any program that passes requests to it. */
export interface ConversationRoutes extends Routes {
  /** Deletes what is to be deleted, and ends the streams of changes. Turns in flight continue. */
  close(): Promise<void>
}

const optionNames = Object.keys({
  conversations: true,
  admit: true,
  defaults: true,
  models: true,
  undoMs: true,
  pingMs: true,
  maxBodyBytes: true,
  maxBufferedBytes: true,
  bodyTimeoutMs: true,
} satisfies Record<keyof ConversationRoutesOptions, true>)

/** Conversations over HTTP. The routes are those of docs/conversations-api.md. */
export function conversationRoutes(options: ConversationRoutesOptions): ConversationRoutes {
  checkOptionNames(options, optionNames, 'conversationRoutes()')
  const { conversations, defaults = {}, models = catalogueChoices, undoMs = 10_000, pingMs = 10_000 } = options
  const deletions = new Deletions(conversations, undoMs)
  const erasures = new Erasures()
  const feed = new ChangeFeed(conversations, deletions, pingMs)
  const open = (c: RouteContext): Promise<Conversation> => openHere(c, conversations, deletions)
  const bodies = new Bodies(options)
  const resources = { conversations, bodies, deletions, erasures, feed, defaults, models, pingMs, open }
  const app = routesOf(resources, options.admit)
  return {
    operations: conversationOperations,
    answer: (request) => (isOurs(new URL(request.url).pathname) ? Promise.resolve(app.fetch(request)) : undefined),
    async close() {
      feed.close()
      await erasures.close()
      await deletions.close()
    },
  }
}

function isOurs(path: string): boolean {
  return /^\/api\/(?:conversations(?:\/|$)|models$|changes$)/.test(path)
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
  app.onError(toErrorResponse)
  return app
}

async function openHere(c: RouteContext, conversations: Conversations, deletions: Deletions): Promise<Conversation> {
  const id = c.req.param('id') ?? ''
  if (deletions.has(id)) throw apiError('not_found_error', `Cannot find conversation ${id}: it is being deleted`)
  const owner = c.get('owner')
  return conversations.open(id, owner === undefined ? {} : { owner })
}
