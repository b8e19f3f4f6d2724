import { AnthropicError } from '../types/error.ts'
import { bandFor, costOf, priceAt } from './cost.ts'
import {
  type Bound,
  boundAt,
  largestBound,
  type LongestCalls,
  longestCalls,
  type RequestSettings,
  sumOfBounds,
  timesBound,
} from './longest-calls.ts'
import type { ModelEntry } from './model-entry.ts'
import { findModel, models as catalogue } from './models.ts'
import { fromUsd, type PicoUsd } from './money.ts'
import { isCount } from './token-counts.ts'

/** Options of `mostCostOf()`. */
export interface MostCostOptions {
  /** An upper bound for the tokens of the prompt. */
  promptTokens: number
  /** The time of the request, which decides the price. Default: now. */
  at?: Date
  /** Models to search before the catalogue. */
  models?: readonly ModelEntry[] | undefined
}

/**
 * The most that a request can cost, with all the model calls that it can make: the reply, a compaction before it, the models
 * that it falls back to, and advice. Assumes that nothing is read from the prompt cache, that everything is written to it for an
 * hour, and a reply of `max_tokens`. Undefined if a model has no price.
 *
 * Throws an `AnthropicError` if there is no bound: a web search or an advisor without `max_uses`.
 *
 * @example
 * ```ts
 * import { formatUsd, mostCostOf } from 'colloquy/protocol'
 *
 * const most = mostCostOf({ model: 'claude-sonnet-4-6', max_tokens: 1_000 }, { promptTokens: 10_000 })
 * console.log(most && formatUsd(most)) // $0.0750
 * ```
 */
export function mostCostOf(settings: RequestSettings, options: MostCostOptions): PicoUsd | undefined {
  const { promptTokens, at = new Date(), models } = options
  const calls = longestCalls(settings, BigInt(promptTokens))
  const bounds = calls.map((call) => costBound(settings, call, { at, models }))
  if (!bounds.every((bound) => bound !== undefined)) return undefined
  return boundAt(sumOfBounds(bounds), settings.max_tokens) + mostSearches(settings)
}

interface PriceOptions {
  at: Date
  models?: readonly ModelEntry[] | undefined
}

/** The most that calls cost; undefined if there is no price. If the API chooses their model, the most among all models. */
export function costBound(settings: RequestSettings, call: LongestCalls, options: PriceOptions): Bound | undefined {
  const { models = [] } = options
  const bound =
    call.model === undefined
      ? [...models, ...catalogue]
          .map(({ id }) => boundOf(settings, call, id, options))
          .filter((each) => each !== undefined)
          .reduce(largestBound)
      : boundOf(settings, call, call.model, options)
  return bound && timesBound(bound, call.count)
}

function boundOf(
  { max_tokens: most, inference_geo = null }: RequestSettings,
  { speed = null, prompt, output }: LongestCalls,
  model: string,
  { at, models }: PriceOptions,
): Bound | undefined {
  const entry = findModel(model, models)
  const price = entry && priceAt(entry, at)
  if (!price) return undefined
  const band = bandFor(price, Number(boundAt(prompt, most)))
  // The list price changes with speed and region.
  const none = { cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }
  const factor = costOf({ ...none, input_tokens: 1_000, speed, inference_geo }, entry, { at })?.picoUsd
  if (factor === undefined) return undefined
  const listed = sumOfBounds([timesBound(prompt, band.cacheWrite1h), timesBound(output, band.output)])
  const base = price.bands[0].input * 1_000n
  // Nothing tells the factor of a price that is 0.
  if (base === 0n) return listed
  return { fixed: divideUp(listed.fixed * factor, base), perToken: divideUp(listed.perToken * factor, base) }
}

/** The most that server-side searches can cost: $10 for 1,000. */
export function mostSearches({ tools = [] }: RequestSettings): PicoUsd {
  return tools.reduce((sum, tool) => {
    if (!String(tool.type).startsWith('web_search')) return sum
    const { max_uses: most } = tool as { max_uses?: number | null }
    if (!isCount(most))
      throw new AnthropicError('Cannot apply a budget in dollars: found a web_search tool without max_uses')
    return sum + BigInt(most) * fromUsd(0.01)
  }, 0n)
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}
