import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { apiError } from '../../protocol/types/error.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import { systemClock, throwIfAborted } from '../clock.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import { beginReply, type Event } from './attempt.ts'
import { type Candidate, candidatesFor, randomOf } from './candidates.ts'
import { Refusal } from './failure.ts'
import { firstResult } from './first-result.ts'
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
 */
export function route(options: RouteOptions): Engine {
  checkRouteOptions(options)
  const { clock = systemClock, random = Math.random } = options
  const table = new RouteTable(options)

  function candidatesOf(chosen: PreparedRoute, params: MessageCountTokensParams): Candidate[] {
    return candidatesFor(chosen.groups, params.model, chosen.isSticky ? randomOf(params) : random)
  }

  async function* reply(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<Event> {
    throwIfAborted(context.signal)
    const chosen = table.find(params.model)
    if (chosen.inFlight >= chosen.maxConcurrent) throw isBusy(chosen)
    chosen.inFlight++
    try {
      yield* await begun(chosen, params, context)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      yield* error.events
    } finally {
      chosen.inFlight--
    }
  }

  function begun(
    chosen: PreparedRoute,
    params: MessageCreateParams,
    context: EngineContext,
  ): Promise<AsyncGenerator<Event>> {
    const candidates = candidatesOf(chosen, params)
    const attempt = (candidate: Candidate): Promise<AsyncGenerator<Event>> => {
      const watchesRefusal = candidate !== candidates.at(-1) && chosen.fallbackOn.has('refusal')
      return beginReply(candidate, params, context, { timeoutMs: chosen.firstEventTimeoutMs, clock, watchesRefusal })
    }
    return firstResult(candidates, attempt, { route: chosen, model: params.model, context, clock })
  }

  async function countTokens(
    params: MessageCountTokensParams,
    context: EngineContext = {},
  ): Promise<MessageTokensCount> {
    throwIfAborted(context.signal)
    const chosen = table.find(params.model)
    const candidates = candidatesOf(chosen, params).filter(({ engine }) => 'countTokens' in engine)
    if (candidates.length === 0) return { input_tokens: countPromptTokens(params) }
    const attempt = async ({ engine, model, health }: Candidate): Promise<MessageTokensCount> => {
      try {
        return await engine.countTokens!({ ...params, model }, context)
      } finally {
        // Counting has limits of its own, so it says nothing about replies; but it may have been the trial.
        health.left()
      }
    }
    const { onAttempt: _, ...own } = context
    return firstResult(candidates, attempt, { route: chosen, model: params.model, context: own, clock })
  }

  return Object.assign(reply, {
    countTokens,
    listModels: (context?: EngineContext) => routedModels(table.routes, context),
  })
}

function isBusy({ name, maxConcurrent }: PreparedRoute): Error {
  return apiError('overloaded_error', `The route ${name} is busy: ${maxConcurrent} replies are in flight`)
}
