import { type EngineContext, countPromptTokens, inPieces } from 'colloquy/engines'
import type { Access } from '../access/access.ts'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { ServerOptions } from '../options.ts'
import { readApiVersion } from './request/api-version.ts'
import { BodyReader } from './request/body.ts'
import { type Answer, type Exchange, jsonAnswer } from './exchange.ts'
import type { Models } from './models.ts'
import { Replies } from './reply/replies.ts'
import { upstreamHeaders } from './upstream-headers.ts'
import { type RequestContext, checkCountTokens, checkCreate } from './validate/request.ts'

/** Answers `POST /v1/messages` and `POST /v1/messages/count_tokens`. Throws the error of a request that has no answer. */
export class MessagesEndpoint {
  readonly #engine: ServerOptions['engine']
  readonly #lenient: boolean
  readonly #now: () => number
  readonly #access: Access | undefined
  readonly #bodies: BodyReader
  readonly #models: Models
  readonly #replies: Replies

  constructor(options: ServerOptions, models: Models) {
    this.#engine = options.engine
    this.#lenient = options.lenient ?? false
    this.#now = options.now ?? Date.now
    this.#access = options.access
    this.#bodies = new BodyReader(options)
    this.#models = models
    this.#replies = new Replies(options.engine, options)
  }

  async create(exchange: Exchange): Promise<Answer> {
    const context = this.#contextOf(exchange)
    const params = await inPieces(checkCreate(await this.#readBody(exchange), context))
    const { log, caller, headers } = exchange
    if (this.#access && caller) {
      const { requestId, requestBytes: bytes } = log
      log.began(await this.#access.begin(caller, { requestId, params, headers, bytes, at: this.#now() }))
    }
    return this.#replies.answer(params, context, exchange)
  }

  async countTokens(exchange: Exchange): Promise<Answer> {
    const context = this.#contextOf(exchange)
    const params = await inPieces(checkCountTokens(await this.#readBody(exchange), context))
    exchange.log.accepted({ model: params.model })
    const passed: Record<string, string> = {}
    const onHeaders = (headers: Headers): void => void Object.assign(passed, upstreamHeaders(headers))
    const { signal } = exchange.controller
    const count = await this.#engine.countTokens?.(params, { ...context, signal, onHeaders })
    return jsonAnswer(count ?? { input_tokens: countPromptTokens(params) }, passed)
  }

  #readBody({ headers, body, controller: { signal }, log }: Exchange): Promise<unknown> {
    return this.#bodies.readJson({ headers, body, signal }, (bytes) => log.received(bytes.length))
  }

  #contextOf({ headers }: Exchange): EngineContext & RequestContext {
    return { ...versionAndBetas(headers, this.#lenient), lenient: this.#lenient, models: this.#models }
  }
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
