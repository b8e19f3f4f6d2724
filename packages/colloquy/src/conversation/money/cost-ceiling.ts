import {
  type Bound,
  boundAt,
  type LongestCalls,
  longestCalls,
  type RequestSettings,
  sumOfBounds,
  timesBound,
} from '../../protocol/models/longest-calls.ts'
import { costBound, mostSearches } from '../../protocol/models/most-cost.ts'
import { isCount } from '../../protocol/models/token-counts.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Amounts } from '../stores/store.ts'

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
  const bounds = calls.map((call) => {
    const bound = costBound(settings, call, { at })
    if (bound === undefined) throw noPriceFor(call.speed === 'fast' ? `${call.model} at this speed` : call.model!)
    return bound
  })
  return sumOfBounds([...bounds, { fixed: mostSearches(settings), perToken: 0n }])
}

export function noPriceFor(what: string): AnthropicError {
  return new AnthropicError(`Cannot apply a budget in dollars: found no price for ${what}`)
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
