import { WireFault, countPromptTokens } from 'colloquy/engines'
import type { Engine, EngineContext } from 'colloquy/engines'
import { APIUserAbortError, type ModelEntry, apiError, errorResponse, models as catalogue } from 'colloquy/protocol'
import { type Context as HonoContext, Hono } from 'hono'
import { cors } from 'hono/cors'
import { type Keys, authenticate } from './access/auth.ts'
import { readJson } from './messages/body.ts'
import { type AccessEntry, Exchange } from './operate/exchange.ts'
import { Models } from './messages/models.ts'
import { Replies } from './messages/replies.ts'
import { checkCountTokens, checkCreate } from './messages/validate/request.ts'
import { readVersion } from './messages/version.ts'

export interface ServerOptions {
  /** What answers. */
  engine: Engine
  /** The keys that are let in. Default: everyone is, with any key or none. */
  keys?: Keys
  /**
   * The web pages that may ask, by their origin (`http://localhost:5173`), or a function that knows them. Default: none, so
   * that no page a user happens to open can spend what this server has. Programs need no leave.
   */
  origins?: Origins
  /** The models that are served. Default: the catalogue. */
  models?: readonly ModelEntry[]
  /**
   * Lets fields, kinds of block and models pass that this version does not know, for an engine that may know them.
   * Default false: they are refused as the API refuses them.
   */
  lenient?: boolean
  /** A larger request is answered 413. Default 32 MiB. */
  maxBodyBytes?: number
  /** More replies than this at a time are answered 529. Default 1,000. */
  maxReplies?: number
  /** A stream that is silent for so long gets a ping. Default 10,000. */
  pingMs?: number
  /** Milliseconds since 1970. Default: the machine's clock. */
  now?: () => number
  /** Called once for each request, when its answer is over. */
  log?: (entry: AccessEntry) => void
}

/** The origins of pages that may ask, or a function that knows them. */
export type Origins = readonly string[] | ((origin: string) => boolean)

export interface Server {
  /**
   * Answers a request. Takes what the global `fetch` takes, so that it may stand in for it: `new Anthropic({ fetch })`. What
   * a runtime that serves it hands over beside the request is not read. It rejects only where a scripted fault stands for a
   * broken connection.
   */
  fetch(request: Request | URL | string, init?: RequestInit): Promise<Response>
}

type Env = { Bindings: { exchange: Exchange } }
type Call = HonoContext<Env>

const MiB = 1024 * 1024

/** A server for the Messages API in front of an engine. */
export function createServer(options: ServerOptions): Server {
  const { now = Date.now, log } = options
  const app = routes(options)
  return {
    async fetch(input, init) {
      const request = input instanceof Request && !isInit(init) ? input : new Request(input, init)
      const exchange = new Exchange(request, now, log)
      try {
        const response = await app.fetch(request, { exchange })
        exchange.entry.status = response.status
        response.headers.set('request-id', exchange.requestId)
        if (!exchange.isStreaming) exchange.finish()
        return response
      } catch (error) {
        exchange.finish(error)
        throw error
      }
    },
  }
}

/** Bun hands its server, which is no `RequestInit` and would change the request, to `fetch` as a second argument. */
function isInit(init: unknown): boolean {
  return typeof init === 'object' && init !== null && Object.getPrototypeOf(init) === Object.prototype
}

function routes(options: ServerOptions): Hono<Env> {
  const { engine, keys, origins, lenient = false, maxBodyBytes = 32 * MiB } = options
  const models = new Models(options.models ?? catalogue)
  const replies = new Replies(engine, options)
  const app = new Hono<Env>()

  if (origins) app.use(letPagesIn(origins))
  for (const path of ['/', '/healthz', '/api/hello']) app.get(path, (call) => call.json({ status: 'ok' }))

  app.use('/v1/*', async (call, next) => {
    await authenticate(call.req.raw.headers, keys)
    await next()
  })
  app.post('/v1/messages', async (call) => {
    const context = contextOf(call, lenient)
    const params = checkCreate(await readJson(call.req.raw, maxBodyBytes), { ...context, models })
    return replies.answer(params, { ...context, signal: call.req.raw.signal }, call.env.exchange)
  })
  app.post('/v1/messages/count_tokens', async (call) => {
    const context = contextOf(call, lenient)
    const params = checkCountTokens(await readJson(call.req.raw, maxBodyBytes), { ...context, models })
    call.env.exchange.entry.model = params.model
    const signal = call.req.raw.signal
    const count = await engine.countTokens?.(params, { ...context, signal })
    return call.json(count ?? { input_tokens: countPromptTokens(params) })
  })
  app.get('/v1/models', (call) => {
    contextOf(call, lenient)
    return call.json(models.page(new URL(call.req.url).searchParams))
  })
  app.get('/v1/models/:id', (call) => {
    contextOf(call, lenient)
    return call.json(models.info(call.req.param('id')))
  })

  for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/models', '/v1/models/:id'])
    app.all(path, methodNotAllowed)
  app.notFound((call) => refuse(call, apiError('not_found_error', notFound(call.req.path))))
  app.onError((error, call) => refuse(call, error))
  return app
}

/** Answers what a browser asks before it lets a page ask, and lets the page read every header of the answer. */
function letPagesIn(origins: Origins): ReturnType<typeof cors> {
  const isLetIn = typeof origins === 'function' ? origins : (origin: string) => origins.includes(origin)
  return cors({
    origin: (origin) => (isLetIn(origin) ? origin : null),
    allowMethods: ['GET', 'POST'],
    exposeHeaders: ['*'],
    // As long as browsers remember it at most; else every request is two.
    maxAge: 7_200,
  })
}

/** What comes with a request in its headers. */
function contextOf(
  call: Call,
  lenient: boolean,
): EngineContext & { version: string; betas: string[]; lenient: boolean } {
  const { headers } = call.req.raw
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((value) => value.trim())
  return { lenient, version: readVersion(headers, lenient), betas: betas.filter(Boolean) }
}

function methodNotAllowed(call: Call): Response {
  const allowed = call.req.path.startsWith('/v1/messages') ? 'POST' : 'GET, HEAD'
  const error = apiError('invalid_request_error', 'Method Not Allowed')
  const { body } = errorResponse(error, call.env.exchange.requestId)
  return call.json(body, 405, { allow: allowed, 'x-should-retry': 'false' })
}

function notFound(path: string): string {
  return path.startsWith('/v1/v1/') ? 'Not found: the base URL already ends in /v1, write it without' : 'Not found'
}

function refuse(call: Call, error: unknown): Response {
  const { exchange } = call.env
  // A broken connection has no answer: whoever carries the request breaks it.
  if (error instanceof WireFault) throw error
  exchange.entry.error = error
  if (error instanceof APIUserAbortError || call.req.raw.signal.aborted) {
    exchange.entry.aborted = true
    return new Response(null, { status: 499 })
  }
  const { status, headers, body } = errorResponse(error, exchange.requestId)
  if (!headers.has('x-should-retry')) headers.set('x-should-retry', String(isWorthRetrying(status)))
  headers.set('content-type', 'application/json')
  return new Response(JSON.stringify(body), { status, headers })
}

function isWorthRetrying(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500
}
