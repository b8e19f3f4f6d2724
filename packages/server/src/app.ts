import { apiError, errorResponse, models as catalogue } from 'colloquy/protocol'
import { type Context as HonoContext, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Caller } from './access/access.ts'
import { authenticate } from './access/auth.ts'
import type { RequestHeaders } from './access/request-headers.ts'
import { openBatches } from './messages/batches/open-batches.ts'
import { addBatches, type BatchRoutesOptions } from './messages/batches/routes.ts'
import type { Env } from './messages/env.ts'
import { FileStore } from './messages/files/file-store.ts'
import { addFiles, type FileRoutesOptions } from './messages/files/routes.ts'
import { webBody } from './messages/request/body-source.ts'
import { MessagesEndpoint, versionAndBetas } from './messages/endpoint.ts'
import { type Answer, type Exchange, type MessagesRequest, toResponse } from './messages/exchange.ts'
import { failedAnswer } from './messages/failure.ts'
import { Models } from './messages/models.ts'
import { ThreadStore } from './messages/threads/thread-store.ts'
import { Threads } from './messages/threads/threads.ts'
import { isRateLimit } from './messages/rate-limit-headers.ts'
import { requestBeginner } from './operate/observer.ts'
import type { RequestLog } from './operate/request-log.ts'
import { type Origins, type Routes, type ServerOptions, checkServerOptions } from './options.ts'

export type { Origins, ServerOptions } from './options.ts'

/** A Messages API server, in process. */
export interface Server {
  /**
   * Answers a request. Takes the same arguments as the global `fetch`, so that it can replace it: `new Anthropic({ fetch })`.
   * A second argument that is not a `RequestInit`, as some runtimes pass, is ignored. Rejects only when a scripted fault
   * stands for a broken connection.
   */
  fetch(request: Request | URL | string, init?: RequestInit): Promise<Response>
  /**
   * Answers a request to one of the routes of messages as `fetch` would, without making a `Request` and a `Response` of it.
   * Undefined if the request is another one, or needs the headers for web pages. Rejects as `fetch` does.
   */
  answer(request: DirectRequest): Promise<Answer> | undefined
  /** Answers a request that cannot be passed to `fetch` with the error, in the API's envelope, and logs it. */
  refuse(request: { method: string; path: string }, error: unknown): Response
  /** Whether pages of the origin may use the server. */
  isOriginAllowed(origin: string): boolean
  /** Makes `/readyz` answer 503 from now on, so that a balancer sends no more requests. All requests are still answered. */
  drain(): void
  /**
   * Stops the work on batches: waits up to `graceMs` (default 0) for their requests in flight and leaves the others to the next
   * start. `listen()` calls it when it is closed. Without the option `store` there is nothing to close.
   */
  close(options?: { graceMs?: number }): Promise<void>
}

/** A request for `Server.answer()`. */
export interface DirectRequest extends MessagesRequest {
  method: string
  path: string
}

type Context = HonoContext<Env>

/** A server for the Messages API in front of an engine. */
export function createServer(options: ServerOptions): Server {
  checkServerOptions(options)
  const { now = Date.now, origins = [], access, upstreamRateLimits = access === undefined } = options
  const models = new Models(options.models ?? catalogue)
  // The ids of an upstream's files are the upstream's to find.
  const files = options.store && !options.engine.forward ? new FileStore(options.store.database, now) : undefined
  // Threads, too, are the upstream's.
  const threads =
    options.store && !options.engine.forward
      ? new Threads(new ThreadStore(options.store.database), now, options.threads)
      : undefined
  const messages = new MessagesEndpoint(options, models, { ...(files && { files }), ...(threads && { threads }) })
  const state = { isDraining: false }
  const batches = openBatches(options, models, files)
  const app = routes(options, {
    models,
    messages,
    batches,
    files: files && { store: files, now, limits: options.files },
    state,
  })
  const begin = requestBeginner(options, now)
  const direct = new Map([
    ['/v1/messages', (exchange: Exchange) => messages.create(exchange)],
    ['/v1/messages/count_tokens', (exchange: Exchange) => messages.countTokens(exchange)],
  ])
  return {
    async fetch(input, init) {
      const request = input instanceof Request && !isInit(init) ? input : new Request(input, init)
      const { method, url, headers: sent } = request
      const { log, run } = begin({ method, path: new URL(url).pathname, headers: sent })
      return logged(log, async () => {
        const response = await run(() => app.fetch(request, { log }))
        const { headers } = response
        if (!upstreamRateLimits) for (const name of [...headers.keys()].filter(isRateLimit)) headers.delete(name)
        for (const [name, value] of log.responseHeaders) headers.set(name, value)
        return response
      })
    },
    answer(request) {
      const { method, path, headers } = request
      const route = method === 'POST' && headers.get('origin') === null ? direct.get(path) : undefined
      if (!route) return undefined
      const { log, run } = begin({ method, path, headers })
      return logged(log, async () => {
        const answer = await run(() => answerDirect(request, route, log, options))
        const given = Object.entries(answer.headers).filter(([name]) => upstreamRateLimits || !isRateLimit(name))
        return { ...answer, headers: Object.fromEntries([...given, ...log.responseHeaders]) }
      })
    },
    refuse(request, error) {
      const { log } = begin({ ...request, headers: new Headers() })
      const response = toResponse(failedAnswer(error, { log }))
      log.responded(response.status)
      return response
    },
    isOriginAllowed: typeof origins === 'function' ? origins : (origin) => origins.includes(origin),
    drain() {
      state.isDraining = true
    },
    async close(closing) {
      threads?.close()
      await batches?.worker.close(closing)
    },
  }
}

/** Writes the log of a request when its response is known, or when it has none. */
async function logged<Result extends { status: number }>(
  log: RequestLog,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    const response = await work()
    log.responded(response.status)
    return response
  } catch (error) {
    log.broken(error)
    throw error
  }
}

async function answerDirect(
  request: DirectRequest,
  route: (exchange: Exchange) => Promise<Answer>,
  log: RequestLog,
  options: ServerOptions,
): Promise<Answer> {
  try {
    const caller = await admit(request.headers, options)
    return await route({ ...request, log, caller })
  } catch (error) {
    return failedAnswer(error, { log, signal: request.controller.signal })
  }
}

/** Finds the sender of a request. Throws the API's 401 for a key that is not accepted. */
async function admit(headers: RequestHeaders, { keys, access }: ServerOptions): Promise<Caller | undefined> {
  await authenticate(headers, keys)
  return access?.admit(headers)
}

/** Bun passes its server as a second argument to `fetch`. It is not a `RequestInit` and would change the request. */
function isInit(init: unknown): boolean {
  return typeof init === 'object' && init !== null && Object.getPrototypeOf(init) === Object.prototype
}

interface Parts {
  models: Models
  messages: MessagesEndpoint
  batches: BatchRoutesOptions | undefined
  files: FileRoutesOptions | undefined
  state: { isDraining: boolean }
}

function routes(options: ServerOptions, { models, messages, batches, files, state }: Parts): Hono<Env> {
  const { engine, origins, access, lenient = false, routes: further = [] } = options
  const app = new Hono<Env>()

  // Before the headers for web pages: these routes are for pages of the server itself.
  app.use((c, next) => answerAmong(further, c.req.raw) ?? next())
  if (origins) app.use(allowOrigins(origins))
  for (const path of ['/', '/healthz', '/api/hello']) app.get(path, (c) => c.json({ status: 'ok' }))
  app.get('/readyz', (c) => {
    if (state.isDraining) return c.json({ status: 'draining', problems: [] }, 503)
    const problems = access?.problems() ?? []
    return c.json({ status: problems.length === 0 ? 'ok' : 'degraded', problems })
  })

  const { metrics } = options
  if (metrics)
    app.get('/metrics', async (c) => {
      const caller = await admit(c.req.raw.headers, options)
      if (caller && !caller.isAdmin) throw apiError('permission_error', 'This key may not read the metrics')
      return c.body(await metrics.text(), 200, { 'content-type': metrics.contentType })
    })

  if (access) app.all('/admin/*', async ({ req: { raw } }) => access.admin(raw, await access.admit(raw.headers)))

  app.use('/v1/*', async (c, next) => {
    const caller = await admit(c.req.raw.headers, options)
    if (caller) c.env.caller = caller
    await next()
  })
  app.post('/v1/messages', async (c) => toResponse(await messages.create(exchangeOf(c))))
  app.post('/v1/messages/count_tokens', async (c) => toResponse(await messages.countTokens(exchangeOf(c))))
  app.get('/v1/models', async (c) => {
    const context = { ...versionAndBetas(c.req.raw.headers, lenient), signal: c.req.raw.signal }
    const listed = await engine.listModels?.(context)
    return c.json(models.page(new URL(c.req.url).searchParams, listed))
  })
  app.get('/v1/models/:id', async (c) => {
    const context = { ...versionAndBetas(c.req.raw.headers, lenient), signal: c.req.raw.signal }
    const listed = await engine.listModels?.(context)
    return c.json(models.info(c.req.param('id'), listed))
  })

  if (batches) addBatches(app, batches)
  if (files) addFiles(app, files)
  for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/models', '/v1/models/:id'])
    app.all(path, methodNotAllowed)
  app.notFound((c) => answerError(c, apiError('not_found_error', notFound(c.req.path))))
  app.onError((error, c) => answerError(c, error))
  return app
}

function answerAmong(routes: readonly Routes[], request: Request): Promise<Response> | undefined {
  for (const { answer } of routes) {
    const answered = answer(request)
    if (answered) return answered
  }
  return undefined
}

function exchangeOf({ req: { raw }, env: { log, caller } }: Context): Exchange {
  const controller = new AbortController()
  const abort = (): void => controller.abort(raw.signal.reason)
  if (raw.signal.aborted) abort()
  else raw.signal.addEventListener('abort', abort, { once: true })
  const body = raw.body ? webBody(raw.body) : undefined
  return { headers: raw.headers, query: new URL(raw.url).search, body, controller, log, caller }
}

/** Answers the preflight requests of browsers, and lets pages read every header of a response. */
function allowOrigins(origins: Origins): MiddlewareHandler {
  const isAllowed = typeof origins === 'function' ? origins : (origin: string) => origins.includes(origin)
  const allow = cors({
    origin: (origin) => (isAllowed(origin) ? origin : null),
    allowMethods: ['GET', 'POST', 'DELETE'],
    exposeHeaders: ['*'],
    // The longest that browsers cache a preflight. Without it every request takes two.
    maxAge: 7_200,
  })
  // Only browsers send an origin. Responses to POST are not cached, so they need no `vary` without one.
  return (c, next) => (c.req.method === 'POST' && c.req.header('origin') === undefined ? next() : allow(c, next))
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
  return toResponse(failedAnswer(error, { log: c.env.log, signal: c.req.raw.signal }))
}
