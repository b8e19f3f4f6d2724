import { apiError } from 'colloquy/protocol'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { Hono } from 'hono/tiny'
import type { Caller } from './access/access.ts'
import { authenticate } from './access/auth.ts'
import type { RequestHeaders } from './access/request-headers.ts'
import { addBatches, type BatchRoutesOptions } from './messages/batches/routes.ts'
import { type MessagesEndpoint, versionAndBetas } from './messages/endpoint.ts'
import type { Env } from './messages/env.ts'
import { type Exchange, toResponse } from './messages/exchange.ts'
import { failedAnswer } from './messages/failure.ts'
import { httpError } from './messages/http-error.ts'
import { addFiles, type FileRoutesOptions } from './messages/files/routes.ts'
import type { Models } from './messages/models.ts'
import { webBody } from './messages/request/body-source.ts'
import type { Origins, Routes, ServerOptions } from './options.ts'

type Context = HonoContext<Env>

/** Finds the sender of a request. Throws the API's 401 for a key that is not accepted. */
export async function admit(headers: RequestHeaders, { keys, access }: ServerOptions): Promise<Caller | undefined> {
  await authenticate(headers, keys)
  return access?.admit(headers)
}

/** The parts of a server that its routes use. */
export interface ServerParts {
  models: Models
  messages: MessagesEndpoint
  batches: BatchRoutesOptions | undefined
  files: FileRoutesOptions | undefined
  state: { isDraining: boolean }
}

/** The routes of a server. */
export function serverRoutes(
  options: ServerOptions,
  { models, messages, batches, files, state }: ServerParts,
): Hono<Env> {
  const { engine, origins, access, lenient = false, routes: further = [] } = options
  const app = new Hono<Env>()

  // Before the headers for web pages: these routes are for pages of the server itself.
  app.use((c, next) => answerAmong(further, c) ?? next())
  if (origins) app.use(allowOrigins(origins))
  for (const path of ['/', '/healthz', '/api/hello']) app.get(path, (c) => c.json({ status: 'ok' }))
  app.get('/readyz', (c) => {
    if (state.isDraining) return c.json({ status: 'draining', problems: [] }, 503)
    const problems = access?.problems() ?? []
    return c.json({ status: problems.length === 0 ? 'ok' : 'degraded', problems })
  })

  app.get('/openapi.json', async (c) => {
    const { describeServer } = await import('./openapi/describe-server.ts')
    return c.json(await describeServer(options, { batches: batches !== undefined, files: files !== undefined }))
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
    if (caller) {
      c.env.caller = caller
      c.env.log.admitted(caller)
    }
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
  refuseOtherMethods(app)
  app.notFound((c) => answerError(c, apiError('not_found_error', notFound(c.req.path))))
  app.onError((error, c) => answerError(c, error))
  return app
}

function answerAmong(routes: readonly Routes[], { req, env }: Context): Promise<Response> | undefined {
  const onError = (error: unknown): void => env.log.failed(error)
  for (const { answer } of routes) {
    const answered = answer(req.raw, onError)
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

/** Answers other methods of the paths below `/v1` with 405. */
function refuseOtherMethods(app: Hono<Env>): void {
  const routes = app.routes.filter(({ method, path }) => path.startsWith('/v1/') && method !== 'ALL')
  for (const [path, found] of Map.groupBy(routes, (route) => route.path)) {
    const allow = found.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ')
    const error = apiError('invalid_request_error', 'Method Not Allowed')
    app.all(path, (c) => answerError(c, httpError(405, error, { allow })))
  }
}

/** Paths to which clients with a wrong setting send their requests, and how to mend it. */
const hints: readonly [path: RegExp, hint: string][] = [
  [/^\/v1\/v1\//, 'the base URL already ends in /v1, write it without'],
  [/\/\//, 'the base URL ends in a slash, write it without'],
  [/^\/(?:messages|models|files)(?:\/|$)/, 'the base URL must end in /v1 for this client'],
  [
    /\/(?:chat\/completions|completions|responses|embeddings)$/,
    'this server has the Claude Messages API, POST /v1/messages',
  ],
]

function notFound(path: string): string {
  const found = hints.find(([pattern]) => pattern.test(path))
  return found ? `Not found: ${found[1]}` : 'Not found'
}

function answerError(c: Context, error: unknown): Response {
  return toResponse(failedAnswer(error, { log: c.env.log, signal: c.req.raw.signal }))
}
