import { type Engine, type ScriptEngine, requestOf, script } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import type { Server } from '../app.ts'
import type { Routes } from '../options.ts'
import { controlRoutes } from './control-routes.ts'
import { type ResponseChanges, type TestReply, changeResponse, toScriptStep } from './test-step.ts'

/** A request that the server received, valid or not. */
export interface TestRequest {
  method: string
  /** With the query. */
  path: string
  /** By lower-case name. They include the key. */
  headers: Readonly<Record<string, string>>
  /** The JSON of the body. Undefined if the body is not JSON. */
  params: MessageCreateParams | undefined
}

/**
 * The replies of a server in a test, and the requests that it received. `testServer()` makes one with its server.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { TestScript } from '@colloquy/server/testing'
 * import Anthropic from 'colloquy'
 *
 * const script = new TestScript()
 * script.script(['Paris.'])
 * const { fetch } = script.around(createServer({ engine: script.engine }))
 * const client = new Anthropic({ fetch, baseURL: 'http://localhost', apiKey: 'any' })
 * const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
 * await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(script.requests.length, script.remaining) // 1 0
 * ```
 */
export class TestScript {
  readonly #otherwise: Engine | undefined
  readonly #requests: TestRequest[] = []
  readonly #changes = new Map<string, ResponseChanges>()
  #engine: ScriptEngine

  /** @param otherwise replies when no step is left for a request. Default: an `api_error` that clients do not retry. */
  constructor(otherwise?: Engine) {
    this.#otherwise = otherwise
    this.#engine = this.#play([])
  }

  /** The engine for `createServer()`. */
  get engine(): Engine {
    const current = (): ScriptEngine => this.#engine
    const listModels = this.#otherwise?.listModels?.bind(this.#otherwise)
    return Object.assign(((params, context) => current()(params, context)) as Engine, {
      countTokens: (...parameters: Parameters<ScriptEngine['countTokens'] & {}>) =>
        current().countTokens!(...parameters),
      ...(listModels && { listModels }),
    })
  }

  /** The routes below `/testing`, by which other programs control the script. */
  get routes(): Routes {
    return controlRoutes(this)
  }

  /** The requests below `/v1` since the last reset, in order. */
  get requests(): readonly TestRequest[] {
    return this.#requests
  }

  /** The number of steps that were not used up. */
  get remaining(): number {
    return this.#engine.remaining
  }

  /** Replaces the steps that are left. Throws an `AnthropicError` for a step that is not valid, and then changes nothing. */
  script(steps: readonly TestReply[]): void {
    this.#engine = this.#play(steps)
  }

  /** Removes the steps that are left and the recorded requests. */
  reset(): void {
    this.script([])
    this.#requests.length = 0
  }

  /** The server, with its requests recorded and the responses changed as the steps say. */
  around(server: Server): Server {
    return {
      ...server,
      answer: () => undefined,
      fetch: async (input, init) => this.#answer(server, requestOf(input, init)),
    }
  }

  #play(steps: readonly TestReply[]): ScriptEngine {
    const scripted = steps.map((step) =>
      toScriptStep(step, ({ requestId = '' }, changes) => this.#changes.set(requestId, changes)),
    )
    return script(scripted, this.#otherwise && { otherwise: this.#otherwise })
  }

  async #answer(server: Server, request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    if (!pathname.startsWith('/v1/')) return server.fetch(request)
    const { method, headers, signal } = request
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
    this.#requests.push({
      method,
      path: pathname + search,
      headers: Object.fromEntries(headers),
      params: parsed(body) as MessageCreateParams | undefined,
    })
    const response = await server.fetch(request.url, { method, headers, signal, ...(body && { body }) })
    const requestId = response.headers.get('request-id') ?? ''
    const { response: replaced, cutAfterBytes } = this.#changes.get(requestId) ?? {}
    this.#changes.delete(requestId)
    if (replaced === undefined && cutAfterBytes === undefined) return response
    return changeResponse(response, { response: replaced, cutAfterBytes })
  }
}

function parsed(body: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
