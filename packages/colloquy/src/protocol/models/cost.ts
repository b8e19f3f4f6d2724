import type { Usage, UsageIteration } from '../types/message.ts'
import type { ModelEntry, Price, PriceBand } from './model-entry.ts'
import { checkArgument } from '../json/option-names.ts'
import { findModel } from './models.ts'
import type { PicoUsd } from './money.ts'
import { callsIn, hasCounts, isCount, tokenCounts, type TokenCounts, tokenKinds } from './token-counts.ts'

/** An exact cost at list prices, without discounts or commitments. */
export interface CostTotal {
  /** The sum of the parts. */
  picoUsd: PicoUsd
  parts: CostParts
}

/** The cost of one request. */
export interface Cost extends CostTotal {
  /** The price of the reply's model, with its day and source. */
  price: Price
}

/** The cost by bucket. */
export interface CostParts {
  input: PicoUsd
  cacheWrite5m: PicoUsd
  cacheWrite1h: PicoUsd
  cacheRead: PicoUsd
  output: PicoUsd
  serverTools: PicoUsd
}

/** Options of `costOf()`. */
export interface CostOptions {
  /** The time of the request, which decides the price. Default: now. */
  at?: Date
  /** Whether to charge half the price. Default: by `usage.service_tier`. */
  batch?: boolean
  /** Models to search before the catalogue. */
  models?: readonly ModelEntry[]
}

/** $10 for 1,000 searches, also in batches and in every region. */
const webSearchPicoUsd = 10_000_000_000n

/**
 * The cost of a request's usage. `undefined` if no price is known for the model, its speed or the day, or if a count is not
 * a whole number: show "no price", not 0.
 *
 * The rules are the API's:
 *
 * - The length of the whole prompt chooses the price band.
 * - Cache writes cost by their lifetime: 5 minutes if the usage does not tell.
 * - Batches cost half, and `inference_geo: "us"` costs 1.1 times as much.
 * - Each model call in `usage.iterations` is billed by itself: at the price of its own model, in the band of its own prompt.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { costOf, formatUsd } from 'colloquy/protocol'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const { usage, model } = await new Anthropic().messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * const cost = costOf(usage, model)
 * console.log(cost ? formatUsd(cost.picoUsd) : 'no price') // $0.0001
 * ```
 */
export function costOf(usage: Usage, model: string | ModelEntry, options: CostOptions = {}): Cost | undefined {
  checkArgument(usage, 'an object', 'the usage of costOf()')
  const { at = new Date(), batch = usage.service_tier === 'batch', models } = options
  const entry = typeof model === 'string' ? findModel(model, models) : model
  const price = entry && priceAt(entry, at)
  const searches = usage.server_tool_use?.web_search_requests ?? 0
  if (!price || !isCount(searches)) return undefined
  const parts = noParts()
  for (const call of callsIn(usage)) {
    const called = modelOf(call, entry, models)
    const callPrice = called === entry ? price : called && priceAt(called, at)
    const factor = callPrice && factorOf(isAdvice(call) ? { ...usage, speed: null } : usage, callPrice, batch)
    if (!factor || !hasCounts(call)) return undefined
    addTokens(parts, tokenCounts(call), callPrice, factor)
  }
  parts.serverTools = BigInt(searches) * webSearchPicoUsd
  return { picoUsd: sumOf(parts), parts, price }
}

/** The model of a call: the reply's, unless the call names another one. */
function modelOf(
  call: Usage | UsageIteration,
  entry: ModelEntry,
  models: readonly ModelEntry[] | undefined,
): ModelEntry | undefined {
  const name = 'model' in call ? call.model : null
  return name == null || name === entry.id || entry.aliases.includes(name) ? entry : findModel(name, models)
}

/** The `speed` of a request is not that of its advisor. */
function isAdvice(call: Usage | UsageIteration): boolean {
  return 'type' in call && call.type === 'advisor_message'
}

/**
 * The price on a day: the newest that has begun.
 *
 * @example
 * ```ts
 * import { bandFor, findModel, priceAt } from 'colloquy/protocol'
 *
 * const price = priceAt(findModel('claude-sonnet-4-6')!, new Date())
 * console.log(price && bandFor(price, 1_000).input) // 3000000n
 * ```
 */
export function priceAt(entry: ModelEntry, at: Date): Price | undefined {
  checkArgument(entry?.prices, 'a list', 'the prices of a model')
  const day = dayOf(at)
  return entry.prices.findLast((price) => price.from <= day)
}

const dayMs = 24 * 60 * 60 * 1000
/** Caches the last day: a turn needs it several times, and formatting it takes longer than the rest. */
let lastDay = { number: Number.NaN, text: '' }

/** The day in UTC, such as `2026-11-21`. */
function dayOf(at: Date): string {
  const number = Math.floor(at.getTime() / dayMs)
  if (lastDay.number !== number) lastDay = { number, text: at.toISOString().slice(0, 10) }
  return lastDay.text
}

/** The band in which a prompt of this length is billed. */
export function bandFor(price: Price, promptTokens: number): PriceBand {
  checkArgument(price?.bands, 'a list', 'the bands of a price')
  return price.bands.findLast((band) => promptTokens > band.abovePromptTokens) ?? price.bands[0]
}

/**
 * Adds costs, bucket by bucket. Requests without a price must be counted separately.
 *
 * @example
 * ```ts
 * import { addCosts, costOf, formatUsd } from 'colloquy/protocol'
 *
 * const usage = { input_tokens: 1_000, output_tokens: 500, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
 * const costs = ['claude-sonnet-4-6', 'claude-haiku-4-5'].map((model) => costOf(usage, model)!)
 * console.log(formatUsd(addCosts(...costs).picoUsd)) // $0.0140
 * ```
 */
export function addCosts(...costs: readonly CostTotal[]): CostTotal {
  const parts = noParts()
  for (const cost of costs) {
    checkArgument(cost?.parts, 'an object', 'the parts of a cost')
    for (const name of partNames) parts[name] += cost.parts[name]
  }
  return { picoUsd: sumOf(parts), parts }
}

function noParts(): CostParts {
  return { input: 0n, cacheWrite5m: 0n, cacheWrite1h: 0n, cacheRead: 0n, output: 0n, serverTools: 0n }
}

function sumOf({ input, cacheWrite5m, cacheWrite1h, cacheRead, output, serverTools }: CostParts): PicoUsd {
  return input + cacheWrite5m + cacheWrite1h + cacheRead + output + serverTools
}

const partNames = [...tokenKinds, 'serverTools'] as const

function addTokens(parts: CostParts, tokens: TokenCounts, price: Price, factor: Factor): void {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead, output } = tokens
  const band = bandFor(price, input + cacheWrite5m + cacheWrite1h + cacheRead)
  // Each name by itself: a loop over them takes several times as long, at the end of each turn.
  parts.input += costOfTokens(input, band.input, factor)
  parts.cacheWrite5m += costOfTokens(cacheWrite5m, band.cacheWrite5m, factor)
  parts.cacheWrite1h += costOfTokens(cacheWrite1h, band.cacheWrite1h, factor)
  parts.cacheRead += costOfTokens(cacheRead, band.cacheRead, factor)
  parts.output += costOfTokens(output, band.output, factor)
}

function costOfTokens(count: number, price: PicoUsd, { times, over }: Factor): PicoUsd {
  if (count === 0) return 0n
  const cost = BigInt(count) * price
  return times === over ? cost : (cost * times) / over
}

/** A fraction. List prices are whole thousands of picodollars, so the division by `over` is exact. */
interface Factor {
  times: bigint
  over: bigint
}

/** Undefined if the price of the speed is not known. */
function factorOf(usage: Usage, price: Price, batch: boolean): Factor | undefined {
  const isStandard = usage.speed == null || usage.speed === 'standard'
  const speed = usage.speed === 'fast' ? price.fastFactor : isStandard ? 1n : undefined
  if (speed === undefined) return undefined
  const [times, over] = usage.inference_geo === 'us' ? [11n, 10n] : [1n, 1n]
  return { times: times * speed, over: batch ? over * 2n : over }
}
