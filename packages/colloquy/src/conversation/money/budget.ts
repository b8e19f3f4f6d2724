import { type CostOptions, costOf, bandFor, priceAt } from '../../protocol/models/cost.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { findModel } from '../../protocol/models/models.ts'
import { type PicoUsd, fromUsd } from '../../protocol/models/money.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { compactionBound } from '../window/compaction.ts'
import { BudgetError, type LimitName } from '../errors.ts'
import type { History } from '../history/history.ts'
import { countedTokens } from '../turn/request.ts'
import type { Limits } from './limits.ts'
import type { TotalUsage } from './ledger.ts'
import { picoUsdOf, tokensOf } from './spending.ts'
import type { Amounts } from '../stores/store.ts'

/** What a conversation may cost. Checked before a call against the most that it can cost; nothing is sent beyond it. */
export interface Budget {
  /** The most that all calls of the conversation may cost together, in US dollars at list prices. */
  usd?: number
  /** The most that one call may cost, in US dollars at list prices. */
  usdPerCall?: number
  /** The most tokens that all calls may use together, prompts and replies. */
  tokens?: number
  /** The most tokens that one call may use, prompt and reply. */
  tokensPerCall?: number
  /** Lowers `max_tokens` to what is left instead of refusing. Default false. */
  fit?: boolean
}

/** Throws where a limit is no amount. @param of where the limits were set. */
export function checkAmounts(of: string, { fit: _, ...limits }: Budget | Limits): void {
  for (const [name, amount] of Object.entries(limits) as [string, unknown][]) {
    if (amount === undefined) continue
    if (typeof amount !== 'number' || !Number.isFinite(amount) || amount <= 0) {
      throw new AnthropicError(`Cannot set ${of}.${name} as it must be positive: found ${JSON.stringify(amount)}`)
    }
    if (name.startsWith('tokens') && !Number.isInteger(amount)) {
      throw new AnthropicError(`Cannot set ${of}.${name} as it must be a whole number: found ${amount}`)
    }
  }
}

/** The call that a budget is asked for. */
export interface Call {
  params: MessageCreateParams
  /** What stands before the call's own messages. */
  history: History
  /** The call's own messages, as they are sent. */
  added: readonly string[]
  engine: Engine
  /** Whether the last reply of the history was asked for with the same settings. */
  sameSettings: boolean
}

/** The most that a call can take, whatever is read from the cache. */
export interface Bill {
  /** The `max_tokens` that were asked for. */
  asked: number
  /** The lowest `max_tokens` that the API takes for it. */
  least: number
  tokens: Share
  /** Undefined: nothing is limited in dollars. */
  picoUsd: Share | undefined
}

interface Share {
  /** What the prompt takes at most, whatever the reply. */
  before: bigint
  /** What each token of the reply takes. */
  perToken: bigint
}

/** Throws an `AnthropicError` where it is not known what the call can take: no price, no end of searches, no count. */
export async function billFor(call: Call, { inDollars }: { inDollars: boolean }): Promise<Bill> {
  const { params } = call
  const prompt = BigInt(await promptBound(call))
  const { input = 0n, output = 0n } = compactionBound(params, prompt) ?? {}
  return {
    asked: params.max_tokens,
    least: leastTokens(params),
    tokens: { before: prompt + input + output, perToken: 1n },
    picoUsd: inDollars ? dollarsFor(params, { prompt, input: prompt + input, output }) : undefined,
  }
}

/** The most that the call can take with these `max_tokens`. */
export function worstOf({ tokens, picoUsd }: Bill, maxTokens: number): Amounts {
  const worst = ({ before, perToken }: Share): bigint => before + perToken * BigInt(maxTokens)
  return { tokens: worst(tokens), picoUsd: picoUsd === undefined ? 0n : worst(picoUsd) }
}

/** The `max_tokens` with which the call stays within the budget. Throws `BudgetError` where there are none. */
export function tokensWithin(budget: Budget, bill: Bill, spent: TotalUsage, held: Amounts): number {
  const { usd, usdPerCall, tokens, tokensPerCall, fit = false } = budget
  if (usd !== undefined && spent.cost.unpriced > 0) throw noPrice(`${spent.cost.unpriced} earlier replies`)
  const limits = [
    { limit: 'tokensPerCall', allowed: tokensPerCall, spent: 0n, held: 0n },
    { limit: 'tokens', allowed: tokens, spent: tokensOf(spent), held: held.tokens },
    { limit: 'usdPerCall', allowed: usdPerCall, spent: 0n, held: 0n },
    { limit: 'usd', allowed: usd, spent: spent.cost.picoUsd, held: held.picoUsd },
  ] as const
  let granted = bill.asked
  for (const { limit, allowed: amount, ...used } of limits) {
    if (amount === undefined) continue
    const unit = unitOf(limit)
    const allowed = unit === 'tokens' ? BigInt(amount) : picoUsdOf(amount)
    const worst = worstOf(bill, bill.asked)[unit]
    if (used.spent + used.held + worst <= allowed) continue
    const refusal = new BudgetError(limit, { allowed, ...used, worst })
    if (!fit) throw refusal
    granted = Math.min(granted, tokensLeft(bill, refusal))
  }
  return granted
}

/** The `max_tokens` for which the limit has room that refused more. Throws what it refused with where it has none. */
export function tokensLeft(bill: Bill, refusal: BudgetError): number {
  const { limit, allowed, spent, held } = refusal
  const { before, perToken } = bill[unitOf(limit)]!
  const left = allowed - spent - held - before
  const least = perToken * BigInt(bill.least)
  if (left < least) throw new BudgetError(limit, { allowed, spent, held, worst: before + least })
  return Number(left / perToken)
}

/** What is thought must have room in it, where thinking has a budget of its own. */
function leastTokens({ thinking, max_tokens: asked }: MessageCreateParams): number {
  return thinking?.type === 'enabled' ? Math.min(thinking.budget_tokens + 1, asked) : 1
}

function unitOf(limit: LimitName): 'picoUsd' | 'tokens' {
  return limit.startsWith('usd') ? 'picoUsd' : 'tokens'
}

interface Tokens {
  /** Of the longest prompt. */
  prompt: bigint
  /** Of all prompts. */
  input: bigint
  /** Of all that is written before the reply. */
  output: bigint
}

/** As if nothing of the prompt were read from the cache and all of it written for an hour, which costs the most. */
function dollarsFor(params: MessageCreateParams, { prompt, input, output }: Tokens): Share {
  const at = new Date()
  const price = priceOf(params, at)
  const band = bandFor(price, Number(prompt))
  const usage = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }
  // What the call's speed and place make of the list price.
  const terms = { speed: params.speed ?? null, inference_geo: params.inference_geo ?? null }
  const one = (tokens: object): PicoUsd => costFor({ ...usage, ...terms, ...tokens }, params.model, { at })
  const factor = one({ input_tokens: 1_000 })
  const base = price.bands[0].input * 1_000n
  return {
    before: ceiling((input * band.cacheWrite1h + output * band.output) * factor, base) + searches(params),
    perToken: ceiling(band.output * factor, base),
  }
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
  const counted = await countedTokens(engine, params)
  if (counted !== undefined) return counted
  if (!onlyText || JSON.stringify(params.messages).includes('"source":')) {
    throw new AnthropicError('Cannot hold a budget: found an image or a document, and an engine that counts no tokens')
  }
  // What the API itself says about tools is not in the request.
  return bytesOf([JSON.stringify(params)]) + (params.tools?.length ? 1_000 : 0)
}

/** The tokens up to the last reply, which its usage told; undefined where it told nothing. */
export function tokensTo({ last, lastReply }: History): number | undefined {
  if (last?.state !== 'committed' || last !== lastReply?.record) return undefined
  const { message, unpaid } = lastReply.about
  if (message === undefined || unpaid) return undefined
  return Number(tokensOf(message.usage))
}

/** No token is shorter than a byte, and a message's own words take a few. */
function bytesOf(jsons: readonly string[]): number {
  return jsons.reduce((sum, json) => sum + new TextEncoder().encode(json).length, 0)
}

function ceiling(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}
