import type { Engine } from 'colloquy/engines'
import { AnthropicError, type ModelEntry, checkOptionNames } from 'colloquy/protocol'
import type { Access } from './access/access.ts'
import type { Keys } from './access/auth.ts'
import type { AllowedHosts } from './access/hosts.ts'
import type { PassOnOptions } from './messages/upstream-account.ts'
import type { Metrics, RequestObserver } from './operate/observer.ts'
import type { BatchSettings } from './messages/batches/batch-worker.ts'
import type { ThreadSettings } from './messages/threads/threads.ts'
import type { Operations } from './openapi/operation.ts'
import type { AccessEntry } from './operate/request-log.ts'
import type { ServerStore } from './state/server-store.ts'

/** Options of `createServer()`. */
export interface ServerOptions {
  /** The engine that answers. */
  engine: Engine
  /** The keys that are accepted. Default: any key, or none. */
  keys?: Keys
  /** Keys with limits and budgets of their own, and the ledger: see `openAccess()`. Default: none. */
  access?: Access
  /** Keeps message batches, files and threads, which exist only with it: see `openServerStore()`. Default: none. */
  store?: ServerStore
  /** How this process works on batches. */
  batches?: BatchSettings
  /**
   * Reports the prompt cache of the API in `usage`, for an engine that has none: which tokens the API would have read from the
   * cache or written to it. The entries are those of the workspace, in the `store`, or in memory without one. Default false.
   */
  cacheAccounting?: boolean
  /** How threads are kept, whose requests send only what is new. */
  threads?: ThreadSettings
  /**
   * Sends batches and files on to an account of the API, for an engine that sends requests on to the same account. The store
   * keeps which workspace they belong to. Default: batches are run here, and there are no files.
   */
  passOn?: PassOnOptions
  /** Limits for uploaded files. */
  files?: FileLimits
  /**
   * The origins of web pages that may use the server (`http://localhost:5173`), or a function that decides. Default: none, so
   * that no page a user happens to open can spend money here. Programs other than browsers are not concerned.
   */
  origins?: Origins
  /** Further routes, such as those of `conversationRoutes()`. They are tried in order, before the server's own. */
  routes?: readonly Routes[]
  /** The models that are served. Default: the catalogue. */
  models?: readonly ModelEntry[]
  /**
   * Accepts fields, block types and models that this version does not know, for an engine that may know them. Default false:
   * they are refused as the API refuses them.
   *
   * An engine that forwards requests, as `upstream()` does, leaves the checks to its upstream. Only `false` itself, not its
   * absence, makes this server check all of them first.
   */
  lenient?: boolean
  /** The size of the largest request body; a larger one is answered with 413. Default 32 MiB. */
  maxBodyBytes?: number
  /** The bytes of all request bodies being read; a request beyond is answered with 529. Default 256 MiB. */
  maxBufferedBytes?: number
  /** Milliseconds that a request body may take; a slower one is answered with 408. Default 300,000. */
  bodyTimeoutMs?: number
  /** The most replies in flight; a request beyond is answered with 529. Default 1,000. */
  maxReplies?: number
  /** Milliseconds without an event after which a stream gets a ping. Default 10,000. */
  pingMs?: number
  /** Returns milliseconds since 1970. Default: the machine's clock. */
  now?: () => number
  /**
   * Whether clients are told the rate limits of an upstream, in its `anthropic-ratelimit-*` headers. Default: they are, unless
   * the server has limits of its own (`access`).
   */
  upstreamRateLimits?: boolean
  /** Metrics for `GET /metrics`, such as `prometheusMetrics()`. With keys, an admin key may read them. Default: none. */
  metrics?: Metrics
  /** Follow the requests, such as `openTelemetry()`. Default: none. */
  observers?: readonly RequestObserver[]
  /** Called once for each request, when its response has ended. */
  log?: (entry: AccessEntry) => void
}

/** Limits for uploaded files. */
export interface FileLimits {
  /** The bytes of the largest file; a larger one is answered with 413. Default 100 MiB. */
  maxBytes?: number
  /** The most files of a workspace. Default 10,000. */
  maxFiles?: number
  /** The most bytes of all files of a workspace. Default 10 GiB. */
  maxStoredBytes?: number
}

/** Routes besides those of the Messages API. */
export interface Routes {
  /**
   * Answers a request. Undefined if its path is not one of these routes. `onError` is called with an error that is answered, so
   * that the log has it with all that the client is not told.
   */
  answer: (request: Request, onError?: (error: unknown) => void) => Promise<Response> | undefined
  /** The routes for `GET /openapi.json`, or a function that returns them. Default: not described. */
  operations?: Operations | (() => Promise<Operations>)
}

/** The origins of pages that may use the server, or a function that decides. */
export type Origins = readonly string[] | ((origin: string) => boolean)

/** Options of `listen()`. */
export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  host?: string
  /**
   * Host names that requests may be sent to, and whose pages may send them. IP addresses, names without a dot and the origins
   * of `createServer()` are always allowed. Other requests are answered with 403: they may come from a page of another site.
   * `false` turns the check off. Default: none on a loopback address; elsewhere any name, but only pages of that name.
   */
  allowedHosts?: AllowedHosts
  /** The most bytes of a request's headers; more are answered with 431. Default 65,536. */
  maxHeaderBytes?: number
  /** The most connections; further ones are closed at once. Default 10,000. */
  maxConnections?: number
  /** Milliseconds in which the headers of a request must arrive; slower ones are answered with 408. Default 60,000. */
  headersTimeoutMs?: number
  /**
   * Milliseconds in which a whole request must arrive; slower ones are answered with 408. Default 360,000, which is more than
   * the `bodyTimeoutMs` of `createServer()`.
   */
  requestTimeoutMs?: number
  /**
   * Milliseconds for which a connection without a request is kept. Longer than a balancer keeps one, or it may send a request
   * on a connection that is just being closed, and answer 502. Default 130,000: Caddy keeps connections for 120,000, nginx and
   * AWS for 60,000.
   */
  keepAliveMs?: number
  /** Milliseconds after which a client that reads nothing of its response is disconnected. Default 300,000. */
  stallMs?: number
}

const serverNames = Object.keys({
  engine: true,
  keys: true,
  access: true,
  store: true,
  batches: true,
  files: true,
  threads: true,
  passOn: true,
  cacheAccounting: true,
  origins: true,
  routes: true,
  models: true,
  lenient: true,
  maxBodyBytes: true,
  maxBufferedBytes: true,
  bodyTimeoutMs: true,
  maxReplies: true,
  pingMs: true,
  now: true,
  upstreamRateLimits: true,
  log: true,
  metrics: true,
  observers: true,
} satisfies Record<keyof ServerOptions, true>)
const listenNames = Object.keys({
  port: true,
  host: true,
  allowedHosts: true,
  maxHeaderBytes: true,
  maxConnections: true,
  headersTimeoutMs: true,
  requestTimeoutMs: true,
  keepAliveMs: true,
  stallMs: true,
} satisfies Record<keyof ListenOptions, true>)
// One object may hold the options of both.
const names = [...serverNames, ...listenNames]

/** Throws an `AnthropicError` for an option that is not known, and without an engine. */
export function checkServerOptions(options: ServerOptions): void {
  checkOptionNames(options, names, 'createServer()')
  if (typeof options.engine === 'function') return
  const found = JSON.stringify(options.engine) ?? String(options.engine)
  throw new AnthropicError(`Cannot create a server as engine must be an engine, such as offline(): found ${found}`)
}

/** Throws an `AnthropicError` for an option that is not known. */
export function checkListenOptions(options: ListenOptions): void {
  checkOptionNames(options, names, 'listen()')
}
