import { type Engine, type EngineContext, countPromptTokens, inPieces } from 'colloquy/engines'
import {
  APIError,
  type Forwarded,
  type ForwardRequest,
  type MessageCountTokensParams,
  type MessageCreateParams,
} from 'colloquy/protocol'
import type { Access, Passage } from '../access/access.ts'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { RequestLog } from '../operate/request-log.ts'
import type { ServerOptions } from '../options.ts'
import { readApiVersion } from './request/api-version.ts'
import { checkForwarded, forwardedHeaders } from './request/forwarded.ts'
import { BodyReader } from './request/body.ts'
import type { FileStore } from './files/file-store.ts'
import { type Resolved, withFiles } from './files/resolve.ts'
import { type Answer, type Exchange, jsonAnswer } from './exchange.ts'
import { upstreamError } from './failure.ts'
import { forwardedAnswer } from './reply/forwarded-answer.ts'
import type { Models } from './models.ts'
import { Replies } from './reply/replies.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import type { CacheAccounting } from './cache/cache-accounting.ts'
import type { Threads, ThreadTurn } from './threads/threads.ts'
import { type RequestContext, checkCountTokens, checkCreate } from './validate/request.ts'

/**
 * Answers `POST /v1/messages` and `POST /v1/messages/count_tokens`. Throws the error of a request that has no answer.
 *
 * An engine that forwards is sent the body as it was received, and its response is passed on as it arrives. The body is then
 * checked only as far as this server reads it, unless strict checks are asked for.
 */
export class MessagesEndpoint {
  readonly #engine: Engine
  readonly #lenient: boolean
  readonly #isStrict: boolean
  readonly #now: () => number
  readonly #access: Access | undefined
  readonly #bodies: BodyReader
  readonly #models: Models
  /** The models that a request that is forwarded may name. Undefined: any. */
  readonly #forwardedModels: Models | undefined
  readonly #replies: Replies

  /** Undefined if requests cannot name files of this server. */
  readonly #files: FileStore | undefined
  /** Undefined if this server keeps no threads. */
  readonly #threads: Threads | undefined
  /** Undefined if the engine has a prompt cache of its own, or none is accounted for. */
  readonly #cache: CacheAccounting | undefined

  constructor(options: ServerOptions, models: Models, { files, threads, cache }: EndpointParts = {}) {
    this.#files = files
    this.#threads = threads
    this.#cache = cache
    this.#engine = options.engine
    this.#lenient = options.lenient ?? false
    this.#isStrict = options.lenient === false || !options.engine.forward
    this.#now = options.now ?? Date.now
    this.#access = options.access
    this.#bodies = new BodyReader(options)
    this.#models = models
    this.#forwardedModels = options.models ? models : undefined
    this.#replies = new Replies(options.engine, options)
  }

  async create(exchange: Exchange): Promise<Answer> {
    const context = this.#contextOf(exchange)
    const body = await this.#readBody(exchange)
    const turn = await this.#openTurn(body, context, exchange)
    try {
      return await this.#reply(body, turn, context, exchange)
    } catch (error) {
      await turn?.release()
      throw error
    }
  }

  async #reply(
    { bytes, value }: Body,
    turn: ThreadTurn | undefined,
    context: EngineContext & RequestContext,
    exchange: Exchange,
  ): Promise<Answer> {
    const given = this.#isStrict
      ? await inPieces(checkCreate(turn?.body ?? value, context))
      : this.#checkForwarded(value)
    const { log, caller, headers } = exchange
    const { params, added } = await this.#withFiles(given, exchange)
    if (this.#access && caller) {
      const { requestId } = log
      const length = bytes.length + added + (turn?.addedBytes ?? 0)
      log.passing()
      const isForwarded = this.#engine.forward !== undefined
      const asked = { requestId, params, headers, bytes: length, at: this.#now(), isForwarded }
      await begin(() => this.#access!.begin(caller, asked), log)
    }
    if (this.#engine.forward)
      return this.#replies.forward(forwardRequest('/v1/messages', { body: bytes, params }, exchange), exchange)
    const { thread: _, ...whole } = params
    return this.#replies.answer(turn ? whole : params, context, exchange, (events) => {
      const counted = this.#cache?.counted(events, whole, caller?.workspace ?? 'default') ?? events
      return turn ? turn.stored(counted) : counted
    })
  }

  /** The turn of a thread, if the request is one. */
  async #openTurn({ value }: Body, context: RequestContext, { caller }: Exchange): Promise<ThreadTurn | undefined> {
    if (!this.#threads || (value as { thread?: unknown } | null)?.thread == null) return undefined
    // Without the beta the field is refused with the rest of the request.
    if (!context.lenient && !context.betas.includes(threadsBeta)) return undefined
    const owner = { workspace: caller?.workspace ?? 'default', key_id: caller?.key?.id ?? '' }
    return this.#threads.open({ body: value as Record<string, unknown>, ...context, owner })
  }

  async countTokens(exchange: Exchange): Promise<Answer> {
    const context = this.#contextOf(exchange)
    const { bytes, value } = await this.#readBody(exchange)
    const given = this.#isStrict ? await inPieces(checkCountTokens(value, context)) : this.#checkForwarded(value)
    const { params } = await this.#withFiles(given, exchange)
    exchange.log.accepted({ model: params.model })
    const { signal } = exchange.controller
    if (this.#engine.forward) {
      const sent = { body: bytes, params: params as MessageCreateParams }
      const request = forwardRequest('/v1/messages/count_tokens', sent, exchange)
      return forwardedAnswer(await this.#forwardCount(request, exchange), exchange.log)
    }
    const passed: Record<string, string> = {}
    const onHeaders = (headers: Headers): void => {
      Object.assign(passed, rateLimitHeaders(headers))
      exchange.log.upstreamResponded(headers.get('request-id'))
    }
    const count = await this.#engine.countTokens?.(params, { ...context, signal, onHeaders })
    return jsonAnswer(count ?? { input_tokens: countPromptTokens(params) }, passed)
  }

  async #forwardCount(request: ForwardRequest, { controller: { signal }, log }: Exchange): Promise<Forwarded> {
    try {
      return await this.#engine.forward!(request, { signal })
    } catch (error) {
      throw upstreamError(error, log)
    }
  }

  #withFiles<Params extends MessageCountTokensParams>(params: Params, { caller }: Exchange): Promise<Resolved<Params>> {
    return withFiles(params, { files: this.#files, engine: this.#engine, workspace: caller?.workspace ?? 'default' })
  }

  #checkForwarded(value: unknown): MessageCreateParams {
    return checkForwarded(value, this.#forwardedModels)
  }

  async #readBody({ headers, body, controller: { signal }, log }: Exchange): Promise<Body> {
    let bytes!: Uint8Array
    const onBytes = (read: Uint8Array): void => {
      bytes = read
      log.received(read.length)
    }
    const value = await this.#bodies.readJson({ headers, body, signal }, onBytes)
    log.named((value as { model?: unknown } | null)?.model)
    return { bytes, value }
  }

  #contextOf({ headers }: Exchange): EngineContext & RequestContext {
    const lenient = !this.#isStrict || this.#lenient
    return {
      ...versionAndBetas(headers, lenient),
      lenient,
      models: this.#models,
      threads: this.#threads !== undefined,
    }
  }
}

/** The parts of a server that answer for an engine. */
export interface EndpointParts {
  files?: FileStore | undefined
  threads?: Threads | undefined
  cache?: CacheAccounting | undefined
}

const threadsBeta = 'message-threads-2026-08-12'

/** Begins a request within the limits of its key. The response tells the limits also if they refuse it. */
async function begin(work: () => Passage | Promise<Passage>, log: RequestLog): Promise<void> {
  try {
    log.began(await work())
  } catch (error) {
    if (error instanceof APIError && error.headers) log.limited(Object.entries(rateLimitHeaders(error.headers)))
    throw error
  }
}

interface Body {
  bytes: Uint8Array
  value: unknown
}

function forwardRequest(
  path: string,
  sent: Pick<ForwardRequest, 'body' | 'params'>,
  { query, headers }: Exchange,
): ForwardRequest {
  return { path: `${path}${query}`, headers: forwardedHeaders(headers), ...sent }
}

/** The version of the API that a request asks for, and its betas. */
export function versionAndBetas(headers: RequestHeaders, lenient: boolean): { version: string; betas: string[] } {
  const betas =
    headers
      .get('anthropic-beta')
      ?.split(',')
      .map((value) => value.trim()) ?? []
  return { version: readApiVersion(headers, lenient), betas: betas.filter(Boolean) }
}
