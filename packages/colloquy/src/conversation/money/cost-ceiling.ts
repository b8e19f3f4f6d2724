import { bandFor, costOf, priceAt } from '../../protocol/models/cost.ts'
import { findModel, models } from '../../protocol/models/models.ts'
import { fromUsd, type PicoUsd } from '../../protocol/models/money.ts'
import { isCount } from '../../protocol/models/token-counts.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { RequestSettings } from '../cache/breakpoints.ts'
import type { Amounts } from '../stores/store.ts'
import {
  type Bound,
  boundAt,
  largestBound,
  type LongestCalls,
  longestCalls,
  sumOfBounds,
  timesBound,
} from './longest-calls.ts'

/** A request whose cost is to be bounded. */
export interface CostInput {
  settings: RequestSettings
  /** Builds the request, which takes longer the longer the conversation is. */
  params: () => MessageCreateParams
  /** The tokens of everything before `added`, from the usage of the last reply. Undefined if that says nothing about it. */
  usedTokens: number | undefined
  /** The messages that this request adds, as JSON. */
  added: readonly string[]
  /** Counts the prompt's tokens; undefined if the engine cannot. */
  countTokens: () => Promise<number | undefined>
}

/** The most that a request can take, however little of its prompt is read from the cache. */
export interface CostCeiling {
  /** The requested `max_tokens`. */
  maxTokens: number
  /** The lowest `max_tokens` that the API accepts for the request. */
  minTokens: number
  tokens: Bound
  /** Undefined: no limit is in dollars. */
  picoUsd: Bound | undefined
}

/**
 * The upper bound of a request's cost. Throws an `AnthropicError` if there is no bound: a model without a price, a web search or an
 * advisor without `max_uses`, an image that the engine cannot count.
 */
export async function ceilingFor(input: CostInput, { inDollars }: { inDollars: boolean }): Promise<CostCeiling> {
  const { settings } = input
  const calls = longestCalls(settings, BigInt(await promptBound(input)))
  return {
    maxTokens: settings.max_tokens,
    minTokens: minTokensFor(settings),
    tokens: sumOfBounds(calls.map(({ count, prompt, output }) => timesBound(sumOfBounds([prompt, output]), count))),
    picoUsd: inDollars ? dollarsFor(settings, calls) : undefined,
  }
}

/** The most that the request can take with this `max_tokens`. */
export function ceilingAt({ tokens, picoUsd }: CostCeiling, maxTokens: number): Amounts {
  return { tokens: boundAt(tokens, maxTokens), picoUsd: picoUsd === undefined ? 0n : boundAt(picoUsd, maxTokens) }
}

/** `max_tokens` has to exceed the thinking budget, if there is one. */
function minTokensFor({ thinking, max_tokens: maxTokens }: RequestSettings): number {
  const budget = thinking?.type === 'enabled' ? thinking.budget_tokens : 0
  return Math.min(isCount(budget) ? budget + 1 : 1, maxTokens)
}

function dollarsFor(settings: RequestSettings, calls: readonly LongestCalls[]): Bound {
  const at = new Date()
  const bounds = calls.map((call) => timesBound(dollarsOf(settings, call, at), call.count))
  return sumOfBounds([...bounds, { fixed: searches(settings), perToken: 0n }])
}

/** The most that a call costs. If the API chooses its model, the most among all models. */
function dollarsOf(settings: RequestSettings, call: LongestCalls, at: Date): Bound {
  if (call.model !== undefined) {
    const bound = dollarsAt(settings, call, { model: call.model, at })
    if (bound === undefined) throw noPriceFor(call.speed === 'fast' ? `${call.model} at this speed` : call.model)
    return bound
  }
  return models
    .map(({ id }) => dollarsAt(settings, call, { model: id, at }))
    .filter((bound) => bound !== undefined)
    .reduce(largestBound)
}

/**
 * The most that a call costs with this model; undefined if there is no price. Assumes the most expensive case: nothing is read
 * from the prompt cache and everything is written to it for an hour.
 */
function dollarsAt(
  { max_tokens: most, inference_geo = null }: RequestSettings,
  { speed = null, prompt, output }: LongestCalls,
  { model, at }: { model: string; at: Date },
): Bound | undefined {
  const entry = findModel(model)
  const price = entry && priceAt(entry, at)
  if (!price) return undefined
  const band = bandFor(price, Number(boundAt(prompt, most)))
  // The list price changes with speed and region.
  const none = { cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }
  const factor = costOf({ ...none, input_tokens: 1_000, speed, inference_geo }, model, { at })?.picoUsd
  if (factor === undefined) return undefined
  const listed = sumOfBounds([timesBound(prompt, band.cacheWrite1h), timesBound(output, band.output)])
  const base = price.bands[0].input * 1_000n
  return { fixed: divideUp(listed.fixed * factor, base), perToken: divideUp(listed.perToken * factor, base) }
}

export function noPriceFor(what: string): AnthropicError {
  return new AnthropicError(`Cannot apply a budget in dollars: found no price for ${what}`)
}

/** The most that server-side searches can cost: $10 for 1,000. */
function searches({ tools = [] }: RequestSettings): PicoUsd {
  return tools.reduce((sum, tool) => {
    if (!String(tool.type).startsWith('web_search')) return sum
    const { max_uses: most } = tool as { max_uses?: number | null }
    if (!isCount(most))
      throw new AnthropicError('Cannot apply a budget in dollars: found a web_search tool without max_uses')
    return sum + BigInt(most) * fromUsd(0.01)
  }, 0n)
}

/** An upper bound for the prompt's tokens. */
async function promptBound({ params: build, usedTokens, added, countTokens }: CostInput): Promise<number> {
  const onlyText = !added.some((json) => json.includes('"source":'))
  if (onlyText && usedTokens !== undefined) return usedTokens + bytesOf(added)
  const counted = await countTokens()
  if (counted !== undefined) return counted
  const params = build()
  if (!onlyText || JSON.stringify(params.messages).includes('"source":')) {
    throw new AnthropicError('Cannot apply a budget: found an image or a document, and an engine that counts no tokens')
  }
  // The API adds instructions of its own to a request with tools.
  return bytesOf([JSON.stringify(params)]) + (params.tools?.length ? 1_000 : 0)
}

/** An upper bound for the tokens of texts: no token is shorter than a byte. */
function bytesOf(jsons: readonly string[]): number {
  return jsons.reduce((sum, json) => sum + new TextEncoder().encode(json).length, 0)
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}
