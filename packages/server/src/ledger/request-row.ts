import {
  APIError,
  callsIn,
  type Cost,
  type CostParts,
  costOf,
  isErrorBody,
  type ModelEntry,
  tokenCounts,
  type Usage,
  type UsageIteration,
} from 'colloquy/protocol'
import type { AccessEntry, UnrecordedRequest } from '../operate/request-log.ts'
import { totalTokens } from '../operate/total-tokens.ts'

/** A request in the ledger, with the columns of the table `request`. Amounts are picodollars as decimal strings. */
export interface RequestRow {
  id: string
  /** Milliseconds since 1970. */
  started_at: number
  workspace: string
  /** Empty without a key. */
  key_id: string
  /** The user of `metadata.user_id`; empty without one. */
  user_id: string
  /** Empty if the request names none. */
  conversation: string
  source: 'api' | 'chat' | 'batch'
  /** The path of the request. */
  path: string
  engine: string
  /** The requested model. Empty if the request was refused before it was read. */
  model: string
  /** The model that replied; the requested one if none did. Empty if the request was refused before it was checked. */
  served_model: string
  input: number
  cache_write_5m: number
  cache_write_1h: number
  cache_read: number
  output: number
  /** JSON of the usage that decides the cost besides the five counts: searches, speed, region, tier, and the model calls. */
  usage: string | null
  /** Null: no price is known. */
  cost: string | null
  /** The cost of the same prompt without the prompt cache, minus the cost. Negative if cache writes were not read. */
  saved: string
  /** The first day of the price, and its source. */
  price: string | null
  /** 1 if the usage was not reported to the end: the client left, or the server was killed. */
  estimated: 0 | 1
  status: number
  error_type: string | null
  stop_reason: string | null
  ttft_ms: number | null
  ms: number
  request_bytes: number
  response_bytes: number
  attempts: number
}

/** A row with its cost by type, which only the totals keep. */
export interface PricedRow extends RequestRow {
  /** Undefined without a price. */
  parts?: CostParts | undefined
}

/** The part of an access entry that the ledger records. */
export type LedgerEntry = Pick<
  AccessEntry,
  | 'status'
  | 'servedModel'
  | 'attempts'
  | 'usage'
  | 'stopReason'
  | 'isFree'
  | 'ttftMs'
  | 'ms'
  | 'requestBytes'
  | 'responseBytes'
  | 'aborted'
  | 'error'
>

/** The facts about a request that are known before its reply. */
export type RequestOrigin = Pick<
  RequestRow,
  'id' | 'started_at' | 'workspace' | 'key_id' | 'user_id' | 'conversation' | 'source' | 'path' | 'engine' | 'model'
>

/** How requests are priced. */
export interface Pricing {
  /** Models to search before the catalogue. */
  models?: readonly ModelEntry[] | undefined
  /** Whether replies cost money. Replies of models on this machine cost 0. */
  isPriced: boolean
}

const noUsage: Usage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }

/** The row of a request whose response has ended. */
export function requestRow(origin: RequestOrigin, entry: LedgerEntry, pricing: Pricing): PricedRow {
  const usage = entry.usage ?? noUsage
  const model = entry.servedModel ?? origin.model
  const counts = totalTokens(usage)
  const { attempts } = entry
  const isFree = entry.usage === null || entry.isFree || !pricing.isPriced
  return {
    ...origin,
    engine: attempts.at(-1)?.engine ?? origin.engine,
    served_model: model,
    input: counts.input,
    cache_write_5m: counts.cacheWrite5m,
    cache_write_1h: counts.cacheWrite1h,
    cache_read: counts.cacheRead,
    output: counts.output,
    usage: otherUsage(usage),
    ...(isFree ? free : priceOf(usage, model, origin.started_at, pricing)),
    // Only the end of a reply tells all of its output.
    estimated: entry.usage !== null && entry.stopReason === null ? 1 : 0,
    status: entry.aborted ? 499 : entry.status,
    error_type: entry.aborted ? 'aborted' : errorTypeOf(entry.error),
    stop_reason: entry.stopReason,
    ttft_ms: entry.ttftMs === null ? null : Math.round(entry.ttftMs),
    ms: Math.round(entry.ms),
    request_bytes: entry.requestBytes,
    response_bytes: entry.responseBytes,
    attempts: Math.max(1, attempts.length),
  }
}

/** The row of a request that was refused by the limits of its key. */
export function refusedRow(origin: RequestOrigin, error: unknown, now: number): RequestRow {
  return {
    ...origin,
    served_model: origin.model,
    input: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    cache_read: 0,
    output: 0,
    usage: null,
    cost: '0',
    saved: '0',
    price: null,
    estimated: 0,
    status: (error instanceof APIError && error.status) || 500,
    error_type: errorTypeOf(error),
    stop_reason: null,
    ttft_ms: null,
    // The clock may have been set back.
    ms: Math.max(0, now - origin.started_at),
    request_bytes: 0,
    response_bytes: 0,
    attempts: 0,
  }
}

/** The row of a request that was refused before it was checked. */
export function uncheckedRow(entry: AccessEntry, { model, at }: UnrecordedRequest): PricedRow {
  const origin: RequestOrigin = {
    id: entry.requestId,
    started_at: at,
    workspace: entry.workspace ?? 'default',
    key_id: entry.key?.id ?? '',
    user_id: '',
    conversation: '',
    source: 'api',
    path: entry.path.slice(0, longestPath),
    engine: '',
    model,
  }
  const row = requestRow(origin, entry, { isPriced: false })
  // A name that was not checked would make a row of its own in the totals.
  return { ...row, served_model: '', attempts: 0 }
}

const longestPath = 200

/** The columns of a request that cost nothing: no reply began, the engine is free, or the model refused before any output. */
const free = { cost: '0', saved: '0', price: null }

/** The columns `cost`, `saved` and `price`, and the parts of the cost. */
function priceOf(
  usage: Usage,
  model: string,
  at: number,
  { models }: Pricing,
): Pick<PricedRow, 'cost' | 'saved' | 'price' | 'parts'> {
  const options = { at: new Date(at), ...(models !== undefined && { models }) }
  const cost = costOf(usage, model, options)
  if (cost === undefined) return { cost: null, saved: '0', price: null }
  const { from, source } = cost.price
  const saved = savedBy(cost, usage, model, options)
  return { cost: String(cost.picoUsd), saved: String(saved), price: `${from} ${source}`, parts: cost.parts }
}

/** The cost of the same request without cache reads and writes, minus its cost. */
function savedBy(cost: Cost, usage: Usage, model: string, options: { at: Date }): bigint {
  const calls = callsIn(usage)
  const isCached = calls.map(tokenCounts).some((each) => each.cacheWrite5m + each.cacheWrite1h + each.cacheRead > 0)
  if (!isCached) return 0n
  const iterations = usage.iterations == null ? null : calls.map((call) => ({ type: 'message', ...withoutCache(call) }))
  const bare: Usage = { ...usage, ...withoutCache(usage), iterations }
  return (costOf(bare, model, options)?.picoUsd ?? cost.picoUsd) - cost.picoUsd
}

/** The usage of a call that read the same prompt, and nothing of it from a cache. */
function withoutCache<Call extends Usage | UsageIteration>(call: Call): Call {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead } = tokenCounts(call)
  return {
    ...call,
    cache_creation: null,
    input_tokens: input + cacheWrite5m + cacheWrite1h + cacheRead,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  }
}

const priced = ['server_tool_use', 'service_tier', 'inference_geo', 'speed', 'iterations'] as const

/** The counts beside a list of calls, which are not the sums of the calls. */
const besideCalls = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'cache_read_input_tokens',
  'output_tokens',
] as const

function otherUsage(usage: Usage): string | null {
  const names = usage.iterations == null ? priced : [...priced, ...besideCalls]
  const found = names.filter((name) => usage[name] != null && usage[name] !== 'standard' && usage[name] !== 'global')
  if (found.length === 0) return null
  return JSON.stringify(Object.fromEntries(found.map((name) => [name, usage[name]])))
}

/** The usage that a row was made from, as far as its cost depends on it. The inverse of `requestRow`. */
export function usageOf(row: RequestRow): Usage {
  return {
    input_tokens: row.input,
    cache_creation_input_tokens: row.cache_write_5m + row.cache_write_1h,
    cache_creation: {
      ephemeral_5m_input_tokens: row.cache_write_5m,
      ephemeral_1h_input_tokens: row.cache_write_1h,
    },
    cache_read_input_tokens: row.cache_read,
    output_tokens: row.output,
    ...(row.usage === null ? {} : (JSON.parse(row.usage) as Partial<Usage>)),
  }
}

/** The `type` of the API's error. */
function errorTypeOf(error: unknown): string | null {
  if (error === undefined) return null
  if (error instanceof APIError && isErrorBody(error.error)) return error.error.error.type
  return 'api_error'
}
