import type { Engine, EngineContext, Forwarded, ForwardRequest } from '../../protocol/types/engine.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import type { ModelInfo } from '../../protocol/types/resources/model.ts'
import { type Clock, systemClock, throwIfAborted } from '../clock.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import { type AttemptOptions, beginReply, type Event } from './attempt.ts'
import { type Candidate, candidatesFor, randomOf } from './candidates.ts'
import { Refusal } from './failure.ts'
import { firstResult } from './first-result.ts'
import { beginForward, type BegunForward } from './forward.ts'
import { routedModels } from './list-models.ts'
import { checkRouteOptions, type RouteOptions } from './options.ts'
import { type PreparedRoute, RouteTable } from './table.ts'

/**
 * An engine that chooses among other engines by the model of the request.
 *
 * If an engine is overloaded, fails or does not begin in time, the next one of the route is tried, as long as the caller has
 * seen no event. An engine that said when to retry is left alone until then, and one that failed several times in a row for a
 * while. If none answers, the error names the route and every cause; its `cause` holds their errors. Throws an
 * `AnthropicError` for an option that is not known or an engine that does not exist.
 *
 * @example
 * ```ts
 * import { offline, route, script } from 'colloquy/engines'
 * import { accumulate } from 'colloquy/protocol'
 *
 * const engine = route({
 *   engines: { first: script([{ error: { type: 'overloaded_error' } }]), second: offline() },
 *   routes: { '*': ['first', 'second'] },
 * })
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const reply = await accumulate(engine({ model: 'claude-sonnet-4-6', max_tokens: 100, messages }))
 * console.log(reply.content[0]?.type === 'text' && reply.content[0].text) // 6 * 7 = 42
 * ```
 */
export function route(options: RouteOptions): Engine {
  checkRouteOptions(options)
  const router = new Router(options)
  const reply: Engine = (params, context) => router.reply(params, context)
  return Object.assign(reply, {
    countTokens: router.countTokens.bind(router),
    listModels: router.listModels.bind(router),
    // Bytes can be sent on only if no engine needs another form or another model's name.
    ...(router.forwards && { forward: router.forward.bind(router) }),
  })
}

class Router {
  readonly #table: RouteTable
  readonly #clock: Clock
  readonly #random: () => number

  constructor(options: RouteOptions) {
    const { clock = systemClock, random = Math.random } = options
    this.#table = new RouteTable(options)
    this.#clock = clock
    this.#random = random
  }

  /** Whether every engine sends requests on as they are. */
  get forwards(): boolean {
    return this.#table.forwards
  }

  async *reply(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<Event> {
    throwIfAborted(context.signal)
    const route = this.#table.find(params.model)
    enter(route)
    try {
      yield* await this.#first(route, params, context, (candidate, options) =>
        beginReply(candidate, params, context, options),
      )
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      yield* error.reply as Event[]
    } finally {
      leave(route)
    }
  }

  async forward(request: ForwardRequest, context: EngineContext = {}): Promise<Forwarded> {
    throwIfAborted(context.signal)
    const route = this.#table.find(request.params.model)
    enter(route)
    try {
      const { forwarded, onEnd } = await this.#forwarded(route, request, context)
      onEnd(() => leave(route))
      return forwarded
    } catch (error) {
      leave(route)
      throw error
    }
  }

  async #forwarded(route: PreparedRoute, request: ForwardRequest, context: EngineContext): Promise<BegunForward> {
    try {
      return await this.#first(route, request.params, context, (candidate, options) =>
        beginForward(candidate, request, context, options),
      )
    } catch (error) {
      if (error instanceof Refusal) return error.reply as BegunForward
      throw error
    }
  }

  async countTokens(params: MessageCountTokensParams, context: EngineContext = {}): Promise<MessageTokensCount> {
    throwIfAborted(context.signal)
    const route = this.#table.find(params.model)
    const candidates = this.#candidates(route, params).filter(({ engine }) => 'countTokens' in engine)
    if (candidates.length === 0) return { input_tokens: countPromptTokens(params) }
    const attempt = async (candidate: Candidate): Promise<MessageTokensCount> => {
      const { engine, model, health } = candidate
      try {
        return await engine.countTokens!({ ...params, model }, context)
      } finally {
        // Counting has limits of its own, so it says nothing about replies; but it may have been the trial.
        health.left(candidate)
      }
    }
    const { onAttempt: _, ...own } = context
    return firstResult(candidates, attempt, { route, model: params.model, context: own, clock: this.#clock })
  }

  async listModels(context?: EngineContext): Promise<ModelInfo[]> {
    return routedModels(this.#table.routes, context)
  }

  #first<Result>(
    route: PreparedRoute,
    params: MessageCreateParams,
    context: EngineContext,
    begin: (candidate: Candidate, options: AttemptOptions) => Promise<Result>,
  ): Promise<Result> {
    const candidates = this.#candidates(route, params)
    const clock = this.#clock
    const attempt = (candidate: Candidate): Promise<Result> => {
      // A refusal can be avoided as long as there is another engine.
      const watchesRefusal = candidate !== candidates.at(-1) && route.fallbackOn.has('refusal')
      return begin(candidate, { timeoutMs: route.firstEventTimeoutMs, clock, watchesRefusal })
    }
    return firstResult(candidates, attempt, { route, model: params.model, context, clock })
  }

  #candidates(route: PreparedRoute, params: MessageCountTokensParams): Candidate[] {
    return candidatesFor(route.groups, params.model, route.isSticky ? randomOf(params) : this.#random)
  }
}

function enter(route: PreparedRoute): void {
  const { name, maxConcurrent, inFlight } = route
  if (inFlight >= maxConcurrent)
    throw apiError('overloaded_error', `The route ${name} is busy: ${maxConcurrent} replies are in flight`)
  route.inFlight++
}

function leave(route: PreparedRoute): void {
  route.inFlight--
}
