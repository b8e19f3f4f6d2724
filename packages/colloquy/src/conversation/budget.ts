import { type CostOptions, costOf, bandFor, priceAt } from '../protocol/cost.ts'
import type { Engine } from '../protocol/engine.ts'
import { AnthropicError } from '../protocol/error.ts'
import { findModel } from '../protocol/models.ts'
import { type PicoUsd, fromUsd } from '../protocol/money.ts'
import type { MessageCreateParams } from '../protocol/params.ts'
import { BudgetError, type LimitName } from './errors.ts'
import type { History } from './history.ts'
import type { ReplyRecord, TotalUsage } from './money.ts'

/** What a conversation may cost. Checked before a call against the most that it can cost; nothing is sent beyond it. */
export interface Budget {
  /** The most that all calls of the conversation may cost together, in US dollars at list prices. */
  usd?: number
  /** The most that one call may cost, in US dollars at list prices. */
  usdPerCall?: number
  /** The most tokens that all calls may use together, prompts and replies. */
  tokens?: number
  /** Lowers `max_tokens` to what is left instead of refusing. Default false. */
  fit?: boolean
}

/** Throws where a limit is no amount. */
export function checkBudget({ usd, usdPerCall, tokens }: Budget): void {
  for (const [name, amount] of Object.entries({ usd, usdPerCall, tokens })) {
    const isAmount = amount === undefined || (Number.isFinite(amount) && amount > 0)
    if (!isAmount)
      throw new AnthropicError(`Cannot set budget.${name} as it must be positive: found ${JSON.stringify(amount)}`)
  }
  if (tokens !== undefined && !Number.isInteger(tokens)) {
    throw new AnthropicError(`Cannot set budget.tokens as it must be a whole number: found ${tokens}`)
  }
}

/** The call that a budget is asked for. */
export interface Call {
  params: MessageCreateParams
  /** What stands before the call's own messages. */
  history: History
  /** The call's own messages, as they are sent. */
  added: readonly string[]
  spent: TotalUsage
  engine: Engine
  /** Whether the last reply of the history was asked for with the same settings. */
  sameSettings: boolean
}

/** The `max_tokens` with which the call stays within the budget. Throws `BudgetError` where there is none. */
export async function tokensWithin(budget: Budget, call: Call): Promise<number> {
  const prompt = BigInt(await promptBound(call))
  const asked = BigInt(call.params.max_tokens)
  const limits = [...tokenLimits(budget, call, prompt), ...dollarLimits(budget, call, prompt)]
  let granted = asked
  for (const { limit, allowed, spent, before, perToken } of limits) {
    const left = allowed - spent - before
    const fits = left < 0n ? 0n : left / perToken
    if (fits < (budget.fit ? 1n : asked)) {
      throw new BudgetError(limit, { allowed, spent, held: 0n, worst: before + perToken * (budget.fit ? 1n : asked) })
    }
    if (fits < granted) granted = fits
  }
  return Number(granted)
}

interface Limit {
  limit: LimitName
  allowed: bigint
  spent: bigint
  /** What the prompt takes at most, whatever the reply. */
  before: bigint
  /** What each token of the reply takes. */
  perToken: bigint
}

function tokenLimits({ tokens }: Budget, { spent }: Call, prompt: bigint): Limit[] {
  if (tokens === undefined) return []
  const { input_tokens: input, cache_creation_input_tokens: written, cache_read_input_tokens: read } = spent
  const used = BigInt(input + written + read + spent.output_tokens)
  return [{ limit: 'tokens', allowed: BigInt(tokens), spent: used, before: prompt, perToken: 1n }]
}

/** As if nothing of the prompt were read from the cache and all of it written for an hour, which costs the most. */
function dollarLimits({ usd, usdPerCall }: Budget, { params, spent }: Call, prompt: bigint): Limit[] {
  if (usd === undefined && usdPerCall === undefined) return []
  const at = new Date()
  const price = priceOf(params, at)
  const band = bandFor(price, Number(prompt))
  const usage = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }
  // What the call's speed and place make of the list price.
  const terms = { speed: params.speed ?? null, inference_geo: params.inference_geo ?? null }
  const one = (tokens: object): PicoUsd => costFor({ ...usage, ...terms, ...tokens }, params.model, { at })
  const factor = one({ input_tokens: 1_000 })
  const base = price.bands[0].input * 1_000n
  const before = ceiling(prompt * band.cacheWrite1h * factor, base) + searches(params)
  const perToken = ceiling(band.output * factor, base)
  const limits: Limit[] = []
  if (usdPerCall !== undefined) {
    limits.push({ limit: 'usdPerCall', allowed: fromUsd(usdPerCall), spent: 0n, before, perToken })
  }
  if (usd !== undefined) {
    if (spent.cost.unpriced > 0) throw noPrice(`${spent.cost.unpriced} earlier replies`)
    limits.push({ limit: 'usd', allowed: fromUsd(usd), spent: spent.cost.picoUsd, before, perToken })
  }
  return limits
}

function priceOf({ model }: MessageCreateParams, at: Date): NonNullable<ReturnType<typeof priceAt>> {
  const entry = findModel(model)
  const price = entry && priceAt(entry, at)
  if (!price) throw noPrice(model)
  return price
}

function costFor(usage: Parameters<typeof costOf>[0], model: string, options: CostOptions): PicoUsd {
  const cost = costOf(usage, model, options)
  if (!cost) throw noPrice(`${model} at this speed`)
  return cost.picoUsd
}

function noPrice(what: string): AnthropicError {
  return new AnthropicError(`Cannot hold a budget in dollars: found no price for ${what}`)
}

/** The most that searches on the server can cost: $10 for 1,000. */
function searches({ tools = [] }: MessageCreateParams): PicoUsd {
  return tools.reduce((sum, tool) => {
    if (!String(tool.type).startsWith('web_search')) return sum
    const { max_uses: most } = tool as { max_uses?: number | null }
    if (most == null)
      throw new AnthropicError('Cannot hold a budget in dollars: found a web_search tool without max_uses')
    return sum + BigInt(most) * fromUsd(0.01)
  }, 0n)
}

/** The prompt's tokens at most. */
async function promptBound({ params, history, added, engine, sameSettings }: Call): Promise<number> {
  const onlyText = !added.some((json) => json.includes('"source":'))
  const known = sameSettings && onlyText ? tokensTo(history) : undefined
  if (known !== undefined) return known + bytesOf(added)
  if (engine.countTokens) {
    const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...counted } = params
    return (await engine.countTokens(counted)).input_tokens
  }
  if (!onlyText || JSON.stringify(params.messages).includes('"source":')) {
    throw new AnthropicError('Cannot hold a budget: found an image or a document, and an engine that counts no tokens')
  }
  // What the API itself says about tools is not in the request.
  return bytesOf([JSON.stringify(params)]) + (params.tools?.length ? 1_000 : 0)
}

/** The tokens up to the last reply, which its usage told; undefined where it told nothing. */
export function tokensTo({ last }: History): number | undefined {
  if (last?.state !== 'committed' || last.reply === null) return undefined
  const { message, unpaid } = JSON.parse(last.reply) as ReplyRecord
  if (message === undefined || unpaid) return undefined
  const { usage } = message
  const prompt = usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0)
  return prompt + usage.output_tokens
}

/** No token is shorter than a byte, and a message's own words take a few. */
function bytesOf(jsons: readonly string[]): number {
  return jsons.reduce((sum, json) => sum + new TextEncoder().encode(json).length, 0)
}

function ceiling(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}
