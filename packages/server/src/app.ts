import { WireFault, countPromptTokens, inPieces } from 'colloquy/engines'
import type { EngineContext } from 'colloquy/engines'
import { APIUserAbortError, apiError, errorResponse, models as catalogue } from 'colloquy/protocol'
import { type Context as HonoContext, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Caller } from './access/access.ts'
import { authenticate } from './access/auth.ts'
import { readApiVersion } from './messages/api-version.ts'
import { BodyReader } from './messages/body.ts'
import { errorAnswer } from './messages/error-answer.ts'
import { Models } from './messages/models.ts'
import { Replies } from './messages/replies.ts'
import { upstreamHeaders } from './messages/upstream-headers.ts'
import { checkCountTokens, checkCreate } from './messages/validate/request.ts'
import { RequestLog } from './operate/request-log.ts'
import { type Origins, type ServerOptions, checkServerOptions } from './options.ts'

export type { Origins, ServerOptions } from './options.ts'

/** A Messages API server, in process. */
export interface Server {
  /**
   * Answers a request. Takes the same arguments as the global `fetch`, so that it can replace it: `new Anthropic({ fetch })`.
   * A second argument that is not a `RequestInit`, as some runtimes pass, is ignored. Rejects only when a scripted fault
   * stands for a broken connection.
   */
  fetch(request: Request | URL | string, init?: RequestInit): Promise<Response>
  /** Answers a request that cannot be passed to `fetch` with the error, in the API's envelope, and logs it. */
  refuse(request: { method: string; path: string }, error: unknown): Response
  /** Whether pages of the origin may use the server. */
  isOriginAllowed(origin: string): boolean
}

type Env = { Bindings: { log: RequestLog; caller?: Caller } }
type Context = HonoContext<Env>

/** A server for the Messages API in front of an engine. */
export function createServer(options: ServerOptions): Server {
  checkServerOptions(options)
  const { now = Date.now, origins = [] } = options
  const app = routes(options)
  return {
    async fetch(input, init) {
      const request = input instanceof Request && !isInit(init) ? input : new Request(input, init)
      const { method, url } = request
      const log = new RequestLog({ method, path: new URL(url).pathname }, now, options.log)
      try {
        const response = await app.fetch(request, { log })
        response.headers.set('request-id', log.requestId)
        for (const [name, value] of log.headers) response.headers.set(name, value)
        log.responded(response.status)
        return response
      } catch (error) {
        log.broken(error)
        throw error
      }
    },
    refuse(request, error) {
      const log = new RequestLog(request, now, options.log)
      const response = respond(error, log)
      log.responded(response.status)
      return response
    },
    isOriginAllowed: typeof origins === 'function' ? origins : (origin) => origins.includes(origin),
  }
}

/** Bun passes its server as a second argument to `fetch`. It is not a `RequestInit` and would change the request. */
function isInit(init: unknown): boolean {
  return typeof init === 'object' && init !== null && Object.getPrototypeOf(init) === Object.prototype
}

function routes(options: ServerOptions): Hono<Env> {
  const { engine, keys, origins, access, lenient = false, now = Date.now } = options
  const bodies = new BodyReader(options)
  const models = new Models(options.models ?? catalogue)
  const replies = new Replies(engine, options)
  const app = new Hono<Env>()

  if (origins) app.use(allowOrigins(origins))
  for (const path of ['/', '/healthz', '/api/hello']) app.get(path, (c) => c.json({ status: 'ok' }))

  app.use('/v1/*', async (c, next) => {
    await authenticate(c.req.raw.headers, keys)
    if (access) c.env.caller = await access.admit(c.req.raw.headers)
    await next()
  })
  app.post('/v1/messages', async (c) => {
    const context = contextOf(c, lenient)
    const body = await bodies.readJson(c.req.raw, (bytes) => c.env.log.received(bytes))
    const params = await inPieces(checkCreate(body, { ...context, models }))
    const { log, caller } = c.env
    if (access && caller) {
      const { requestId, requestBytes: bytes } = log
      log.began(await access.begin(caller, { requestId, params, headers: c.req.raw.headers, bytes, at: now() }))
    }
    return replies.answer(params, { ...context, signal: c.req.raw.signal }, c.env.log)
  })
  app.post('/v1/messages/count_tokens', async (c) => {
    const context = contextOf(c, lenient)
    const params = await inPieces(checkCountTokens(await bodies.readJson(c.req.raw), { ...context, models }))
    c.env.log.accepted({ model: params.model })
    const onHeaders = (headers: Headers): void => {
      for (const [name, value] of upstreamHeaders(headers)) c.header(name, value)
    }
    const count = await engine.countTokens?.(params, { ...context, signal: c.req.raw.signal, onHeaders })
    return c.json(count ?? { input_tokens: countPromptTokens(params) })
  })
  app.get('/v1/models', async (c) => {
    const context = { ...contextOf(c, lenient), signal: c.req.raw.signal }
    const listed = await engine.listModels?.(context)
    return c.json(models.page(new URL(c.req.url).searchParams, listed))
  })
  app.get('/v1/models/:id', async (c) => {
    const context = { ...contextOf(c, lenient), signal: c.req.raw.signal }
    const listed = await engine.listModels?.(context)
    return c.json(models.info(c.req.param('id'), listed))
  })

  for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/models', '/v1/models/:id'])
    app.all(path, methodNotAllowed)
  app.notFound((c) => answerError(c, apiError('not_found_error', notFound(c.req.path))))
  app.onError((error, c) => answerError(c, error))
  return app
}

/** Answers the preflight requests of browsers, and lets pages read every header of a response. */
function allowOrigins(origins: Origins): ReturnType<typeof cors> {
  const isAllowed = typeof origins === 'function' ? origins : (origin: string) => origins.includes(origin)
  return cors({
    origin: (origin) => (isAllowed(origin) ? origin : null),
    allowMethods: ['GET', 'POST'],
    exposeHeaders: ['*'],
    // The longest that browsers cache a preflight. Without it every request takes two.
    maxAge: 7_200,
  })
}

/** Reads what the headers of a request say about it. */
function contextOf(
  { req }: Context,
  lenient: boolean,
): EngineContext & { version: string; betas: string[]; lenient: boolean } {
  const { headers } = req.raw
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((value) => value.trim())
  return { lenient, version: readApiVersion(headers, lenient), betas: betas.filter(Boolean) }
}

function methodNotAllowed(c: Context): Response {
  const allowed = c.req.path.startsWith('/v1/messages') ? 'POST' : 'GET, HEAD'
  const error = apiError('invalid_request_error', 'Method Not Allowed')
  const { body } = errorResponse(error, c.env.log.requestId)
  return c.json(body, 405, { allow: allowed, 'x-should-retry': 'false' })
}

function notFound(path: string): string {
  return path.startsWith('/v1/v1/') ? 'Not found: the base URL already ends in /v1, write it without' : 'Not found'
}

function answerError(c: Context, error: unknown): Response {
  const { log } = c.env
  // A broken connection has no response: the caller of `fetch` breaks it.
  if (error instanceof WireFault) throw error
  if (error instanceof APIUserAbortError || c.req.raw.signal.aborted) {
    log.failed(error)
    log.clientLeft()
    return new Response(null, { status: 499 })
  }
  return respond(error, log)
}

function respond(error: unknown, log: RequestLog): Response {
  log.failed(error)
  const { status, headers, body } = errorAnswer(error, log.requestId)
  return new Response(JSON.stringify(body), { status, headers })
}
