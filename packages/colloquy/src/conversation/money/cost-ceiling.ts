import { type CostOptions, bandFor, costOf, priceAt } from '../../protocol/models/cost.ts'
import { findModel } from '../../protocol/models/models.ts'
import { fromUsd, type PicoUsd } from '../../protocol/models/money.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Amounts } from '../stores/store.ts'
import { compactionBound } from '../window/compaction.ts'

/** A request whose cost is to be bounded. */
export interface CostInput {
  params: MessageCreateParams
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
  tokens: Share
  /** Undefined: no limit is in dollars. */
  picoUsd: Share | undefined
}

interface Share {
  /** The most that the prompt takes, however long the reply is. */
  fixed: bigint
  /** The amount per token of the reply. */
  perToken: bigint
}

/**
 * The upper bound of a request's cost. Throws an `AnthropicError` if there is no bound: a model without a price, a web search without
 * `max_uses`, an image that the engine cannot count.
 */
export async function ceilingFor(input: CostInput, { inDollars }: { inDollars: boolean }): Promise<CostCeiling> {
  const { params } = input
  const prompt = BigInt(await promptBound(input))
  const compaction = compactionBound(params, prompt) ?? { input: 0n, output: 0n }
  return {
    maxTokens: params.max_tokens,
    minTokens: minTokensFor(params),
    tokens: { fixed: prompt + compaction.input + compaction.output, perToken: 1n },
    picoUsd: inDollars
      ? dollarsFor(params, { prompt, input: prompt + compaction.input, output: compaction.output })
      : undefined,
  }
}

/** The most that the request can take with this `max_tokens`. */
export function ceilingAt({ tokens, picoUsd }: CostCeiling, maxTokens: number): Amounts {
  const atMost = ({ fixed, perToken }: Share): bigint => fixed + perToken * BigInt(maxTokens)
  return { tokens: atMost(tokens), picoUsd: picoUsd === undefined ? 0n : atMost(picoUsd) }
}

/** `max_tokens` has to exceed the thinking budget, if there is one. */
function minTokensFor({ thinking, max_tokens: maxTokens }: MessageCreateParams): number {
  return thinking?.type === 'enabled' ? Math.min(thinking.budget_tokens + 1, maxTokens) : 1
}

interface Tokens {
  /** The tokens of the longest prompt, which decides the price band. */
  prompt: bigint
  /** The tokens of all prompts together: compaction reads the prompt a second time. */
  input: bigint
  /** The tokens that are written before the reply. */
  output: bigint
}

/** Assumes the most expensive case: nothing is read from the prompt cache and everything is written to it for an hour. */
function dollarsFor(params: MessageCreateParams, { prompt, input, output }: Tokens): Share {
  const at = new Date()
  const price = priceOf(params, at)
  const band = bandFor(price, Number(prompt))
  const usage = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }
  // The list price changes with speed and region.
  const terms = { speed: params.speed ?? null, inference_geo: params.inference_geo ?? null }
  const one = (tokens: object): PicoUsd => costFor({ ...usage, ...terms, ...tokens }, params.model, { at })
  const factor = one({ input_tokens: 1_000 })
  const base = price.bands[0].input * 1_000n
  return {
    fixed: divideUp((input * band.cacheWrite1h + output * band.output) * factor, base) + searches(params),
    perToken: divideUp(band.output * factor, base),
  }
}

function priceOf({ model }: MessageCreateParams, at: Date): NonNullable<ReturnType<typeof priceAt>> {
  const entry = findModel(model)
  const price = entry && priceAt(entry, at)
  if (!price) throw noPriceFor(model)
  return price
}

function costFor(usage: Parameters<typeof costOf>[0], model: string, options: CostOptions): PicoUsd {
  const cost = costOf(usage, model, options)
  if (!cost) throw noPriceFor(`${model} at this speed`)
  return cost.picoUsd
}

export function noPriceFor(what: string): AnthropicError {
  return new AnthropicError(`Cannot apply a budget in dollars: found no price for ${what}`)
}

/** The most that server-side searches can cost: $10 for 1,000. */
function searches({ tools = [] }: MessageCreateParams): PicoUsd {
  return tools.reduce((sum, tool) => {
    if (!String(tool.type).startsWith('web_search')) return sum
    const { max_uses: most } = tool as { max_uses?: number | null }
    if (most == null)
      throw new AnthropicError('Cannot apply a budget in dollars: found a web_search tool without max_uses')
    return sum + BigInt(most) * fromUsd(0.01)
  }, 0n)
}

/** An upper bound for the prompt's tokens. */
async function promptBound({ params, usedTokens, added, countTokens }: CostInput): Promise<number> {
  const onlyText = !added.some((json) => json.includes('"source":'))
  if (onlyText && usedTokens !== undefined) return usedTokens + bytesOf(added)
  const counted = await countTokens()
  if (counted !== undefined) return counted
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
