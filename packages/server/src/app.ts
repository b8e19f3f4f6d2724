import { requestOf } from 'colloquy/engines'
import { models as catalogue } from 'colloquy/protocol'
import { openBatches } from './messages/batches/open-batches.ts'
import { openFiles } from './messages/files/open-files.ts'
import { openCacheAccounting } from './messages/cache/open-cache-accounting.ts'
import { MessagesEndpoint } from './messages/endpoint.ts'
import { type Answer, type Exchange, type MessagesRequest, toResponse } from './messages/exchange.ts'
import { failedAnswer } from './messages/failure.ts'
import { Models } from './messages/models.ts'
import { ThreadStore } from './messages/threads/thread-store.ts'
import { Threads } from './messages/threads/threads.ts'
import { isRateLimit } from './messages/rate-limit-headers.ts'
import { requestBeginner } from './operate/observer.ts'
import type { RequestLog } from './operate/request-log.ts'
import { type ServerOptions, checkServerOptions } from './options.ts'
import { admit, type ServerParts, serverRoutes } from './routes.ts'

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
  /**
   * Makes `/readyz` answer 503 from now on, so that a balancer sends no more requests. All requests are still answered;
   * `listen()` ends each connection after its next response.
   */
  drain(): void
  /** Whether `drain()` was called. */
  readonly isDraining: boolean
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

/**
 * A server for the Messages API in front of an engine.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import Anthropic from 'colloquy'
 * import { offline } from 'colloquy/engines'
 *
 * const { fetch } = createServer({ engine: offline() })
 * const client = new Anthropic({ fetch, baseURL: 'http://localhost', apiKey: 'any' }) // no port is opened
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const { content } = await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(content[0]?.type === 'text' && content[0].text) // 6 * 7 = 42
 * ```
 */
export function createServer(options: ServerOptions): Server {
  checkServerOptions(options)
  const { now = Date.now, origins = [], access, upstreamRateLimits = access === undefined } = options
  const { parts, close } = openParts(options)
  const { messages, state } = parts
  const app = serverRoutes(options, parts)
  const begin = requestBeginner(options, now)
  const direct = new Map([
    ['/v1/messages', (exchange: Exchange) => messages.create(exchange)],
    ['/v1/messages/count_tokens', (exchange: Exchange) => messages.countTokens(exchange)],
  ])
  return {
    async fetch(input, init) {
      const request = input instanceof Request && !isInit(init) ? input : requestOf(input, init)
      const { method, url, headers: sent } = request
      const { log, run } = begin({ method, path: new URL(url).pathname, headers: sent })
      return logged(log, async () => {
        const response = await run(() => app.fetch(request, { log }))
        const { headers } = response
        log.told(headers.get('request-id'))
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
        addHeaders(answer, log, upstreamRateLimits)
        return answer
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
    get isDraining() {
      return state.isDraining
    },
    close,
  }
}

/** The parts of a server, and what stops their work. */
function openParts(options: ServerOptions): { parts: ServerParts; close: Server['close'] } {
  const { now = Date.now, engine, store, bodyTimeoutMs } = options
  const models = new Models(options.models ?? catalogue)
  const files = openFiles(options)
  // Threads, too, are the upstream's.
  const threads =
    store && !engine.forward ? new Threads(new ThreadStore(store.database), now, options.threads) : undefined
  const cache = openCacheAccounting(options, models)
  const batches = openBatches(options, models, { files, cache })
  return {
    parts: {
      models,
      messages: new MessagesEndpoint(options, models, { files, threads, cache }),
      batches,
      files: files && { store: files, now, limits: options.files, bodyTimeoutMs },
      state: { isDraining: false },
    },
    async close(closing) {
      threads?.close()
      await batches?.worker.close(closing)
    },
  }
}

/** Adds the headers of the server itself to those of an answer. */
function addHeaders({ headers }: Answer, log: RequestLog, upstreamRateLimits: boolean): void {
  if (!upstreamRateLimits) for (const name of Object.keys(headers).filter(isRateLimit)) delete headers[name]
  for (const [name, value] of log.responseHeaders) headers[name] = value
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
    if (caller) log.admitted(caller)
    return await route({ ...request, log, caller })
  } catch (error) {
    return failedAnswer(error, { log, signal: request.controller.signal })
  }
}

/** Bun passes its server as a second argument to `fetch`. It is not a `RequestInit` and would change the request. */
function isInit(init: unknown): boolean {
  return typeof init === 'object' && init !== null && Object.getPrototypeOf(init) === Object.prototype
}
