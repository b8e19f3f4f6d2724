import type { FallbackParam } from '../../protocol/types/beta/fallback.ts'
import type { FallbackState, Middleware } from '../request/options.ts'
import type { RefusalFallbackOptions } from './fallback-request.ts'

/**
 * The fallback that the requests of a conversation stay with, once a model has refused.
 *
 * @example
 * ```ts
 * import Anthropic, { BetaFallbackState, betaRefusalFallbackMiddleware } from 'colloquy'
 *
 * const client = new Anthropic({ middleware: [betaRefusalFallbackMiddleware([{ model: 'claude-opus-4-8' }])] })
 * const fallbackState = new BetaFallbackState() // one for each conversation
 * const messages = [{ role: 'user' as const, content: 'Hi' }]
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 100, messages }
 * console.log((await client.beta.messages.create(request, { fallbackState })).stop_reason) // end_turn
 * ```
 */
export class BetaFallbackState implements FallbackState {
  index?: number
}

/**
 * Asks other models, in the order of the list, when a model refuses.
 *
 * A reply then begins with a `fallback` block for each change of the model. A reply that streams continues with the next
 * model's events, so that the reader sees one message; what had arrived stays. When every model refuses, the last refusal
 * is the reply.
 *
 * Pass the same `fallbackState` with the requests of a conversation, so that a later one begins with the model that
 * answered.
 *
 * @example
 * ```ts
 * import Anthropic, { betaRefusalFallbackMiddleware } from 'colloquy'
 *
 * const client = new Anthropic({ middleware: [betaRefusalFallbackMiddleware([{ model: 'claude-opus-4-8' }])] })
 * const messages = [{ role: 'user' as const, content: 'Hi' }]
 * const { model } = await client.beta.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(model) // claude-sonnet-4-6
 * ```
 */
export function betaRefusalFallbackMiddleware(
  fallbacks: readonly FallbackParam[],
  options: RefusalFallbackOptions = {},
): Middleware {
  const memory = { hasWarned: false }
  return async (request, next, context) => {
    const { method, path, body } = context.options ?? {}
    const isMessage = method === 'post' && path?.split('?')[0] === '/v1/messages' && typeof body === 'object'
    if (fallbacks.length === 0 || !isMessage || body === null) return next(request)
    const { answerRefusals } = await import('./answer-refusals.ts')
    return answerRefusals({ request, next, context, fallbacks, options, memory })
  }
}
