import type { Usage, UsageIteration } from './message.ts'
import type { ModelEntry, Price, PriceBand } from './model-entry.ts'
import { findModel } from './models.ts'
import type { PicoUsd } from './money.ts'

/** What a request cost, exactly. Prices are list prices: discounts that were agreed upon are not in them. */
export interface Cost {
  /** The sum of the parts. */
  picoUsd: PicoUsd
  parts: CostParts
  /** The price that was applied: its day and source. */
  price: Price
}

/** The buckets stay apart to the end. */
export interface CostParts {
  input: PicoUsd
  cacheWrite5m: PicoUsd
  cacheWrite1h: PicoUsd
  cacheRead: PicoUsd
  output: PicoUsd
  serverTools: PicoUsd
}

export interface CostOptions {
  /** When the request was made: prices change. Default: now. */
  at?: Date
  /** Half the price. Default: what `usage.service_tier` says. */
  batch?: boolean
  /** Looked through before the catalogue. */
  models?: readonly ModelEntry[]
}

/** $10 for 1,000 searches. */
const webSearchPicoUsd = 10_000_000_000n

/**
 * The cost of what a request used. `undefined` means that no price is known, for the model, its speed or the day: show
 * "no price", never 0.
 *
 * Reckoned by the API's rules: one band by the length of the whole prompt; cache writes by how long they live (5 minutes
 * where the split is missing); half for batches; 1.1 times for `inference_geo: "us"`; compaction entries of
 * `usage.iterations` on top, as the totals leave them out.
 */
export function costOf(usage: Usage, model: string | ModelEntry, options: CostOptions = {}): Cost | undefined {
  const entry = typeof model === 'string' ? findModel(model, options.models) : model
  const price = entry && priceAt(entry, options.at ?? new Date())
  if (!price) return undefined
  const factor = factorOf(usage, price, options.batch ?? usage.service_tier === 'batch')
  if (!factor) return undefined
  const compactions = (usage.iterations ?? []).filter((iteration) => iteration.type === 'compaction')
  const parts = [usage, ...compactions].map((used) => tokenParts(used, price, factor)).reduce(addParts)
  parts.serverTools += BigInt(usage.server_tool_use?.web_search_requests ?? 0) * webSearchPicoUsd
  return { picoUsd: sum(parts), parts, price }
}

/** The price that holds on a day: the newest one that has begun. */
export function priceAt(entry: ModelEntry, at: Date): Price | undefined {
  const day = at.toISOString().slice(0, 10)
  return entry.prices.findLast((price) => price.from <= day)
}

/** The band that a prompt of so many tokens is billed in. */
export function bandFor(price: Price, promptTokens: number): PriceBand {
  return price.bands.findLast((band) => promptTokens > band.abovePromptTokens) ?? price.bands[0]
}

/** Adds up; the price is that of the first. */
export function addCosts(first: Cost, ...more: readonly Cost[]): Cost {
  const parts = more.map((cost) => cost.parts).reduce(addParts, first.parts)
  return { picoUsd: sum(parts), parts, price: first.price }
}

function tokenParts(used: Usage | UsageIteration, price: Price, { times, over }: Factor): CostParts {
  const written = used.cache_creation_input_tokens ?? 0
  const written1h = used.cache_creation?.ephemeral_1h_input_tokens ?? 0
  const written5m = used.cache_creation?.ephemeral_5m_input_tokens ?? written - written1h
  const read = used.cache_read_input_tokens ?? 0
  const band = bandFor(price, used.input_tokens + written + read)
  const cost = (tokens: number, rate: PicoUsd): PicoUsd => (BigInt(tokens) * rate * times) / over
  return {
    input: cost(used.input_tokens, band.input),
    cacheWrite5m: cost(written5m, band.cacheWrite5m),
    cacheWrite1h: cost(written1h, band.cacheWrite1h),
    cacheRead: cost(read, band.cacheRead),
    output: cost(used.output_tokens, band.output),
    serverTools: 0n,
  }
}

/** A fraction: list prices are whole thousands of picodollars, so `over` always divides. */
interface Factor {
  times: bigint
  over: bigint
}

function factorOf(usage: Usage, price: Price, batch: boolean): Factor | undefined {
  let times = 1n
  let over = 1n
  if (usage.speed === 'fast') {
    if (price.fastFactor === undefined) return undefined
    times *= price.fastFactor
  }
  if (usage.inference_geo === 'us') {
    times *= 11n
    over *= 10n
  }
  if (batch) over *= 2n
  return { times, over }
}

function addParts(a: CostParts, b: CostParts): CostParts {
  return {
    input: a.input + b.input,
    cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
    cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
    cacheRead: a.cacheRead + b.cacheRead,
    output: a.output + b.output,
    serverTools: a.serverTools + b.serverTools,
  }
}

function sum(parts: CostParts): PicoUsd {
  return Object.values(parts as unknown as Record<string, PicoUsd>).reduce((total, part) => total + part, 0n)
}
