import { countTokens } from '../../engines/prompt/tokens.ts'
import { type Cost, type CostParts, costOf } from '../../protocol/models/cost.ts'
import type { ContentBlock, ServerToolUsage, Usage, UsageIteration } from '../../protocol/types/message.ts'
import { jsonable } from '../../protocol/models/jsonable.ts'
import { callsIn, countOf, tokenCounts } from '../../protocol/models/token-counts.ts'
import { StoreError } from '../errors.ts'
import { parseReply, type ReplyRecord } from '../history/reply-record.ts'

export interface ReplyCost extends Cost {
  /** The reply was interrupted, so its output tokens are an estimate. */
  estimated: boolean
}

/** The cost of several requests. */
export interface TotalCost {
  /** The sum of all requests that have a price, in picodollars. */
  picoUsd: bigint
  /** A reply was interrupted, so its output tokens are an estimate. */
  estimated: boolean
  /** The number of requests without a known price. They are not in the sum. */
  unpriced: number
}

/** The usage of several requests, each kind of tokens by itself. */
export interface TotalUsage {
  calls: number
  input_tokens: number
  cache_creation_input_tokens: number
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number }
  cache_read_input_tokens: number
  output_tokens: number
  server_tool_use: Required<ServerToolUsage>
  cost: TotalCost
}

/** The usage of an interrupted reply: its output is what was reported last, or what arrived if that is more. */
export function estimateUsage(usage: Usage, content: readonly ContentBlock[]): Usage {
  const arrived = content.map((block) => countTokens(outputOf(block))).reduce((sum, tokens) => sum + tokens, 0)
  return { ...usage, output_tokens: Math.max(countOf(usage.output_tokens), arrived) }
}

function outputOf(block: ContentBlock): string {
  if (block.type === 'text') return block.text
  if (block.type === 'thinking') return block.thinking
  return block.type === 'tool_use' || block.type === 'server_tool_use' ? JSON.stringify(block.input) : ''
}

export function replyCost(
  { usage, model }: { usage: Usage; model: string },
  estimated: boolean,
): ReplyCost | undefined {
  const cost = costOf(usage, model)
  return cost && jsonable({ ...cost, estimated })
}

export const noUsage: Usage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

/** The cost of two requests together. Undefined if the price of one is not known. */
export function addCost(earlier: ReplyCost | undefined, later: ReplyCost | undefined): ReplyCost | undefined {
  if (earlier === undefined || later === undefined) return undefined
  const names = Object.keys(later.parts) as (keyof CostParts)[]
  const parts = Object.fromEntries(names.map((name) => [name, earlier.parts[name] + later.parts[name]]))
  return jsonable({
    picoUsd: earlier.picoUsd + later.picoUsd,
    parts: parts as Record<keyof CostParts, bigint>,
    price: later.price,
    estimated: earlier.estimated || later.estimated,
  })
}

/** A message that may have cost something. */
interface Counted {
  /** Its reply record; null for a user message. */
  reply: string | null
}

/** Adds up replies, when the sum is next read: parsing thousands at the start would delay the first turn. */
export class Ledger {
  #total: TotalUsage = emptyTotal()
  #uncounted: Counted[]

  constructor(messages: readonly Counted[] = []) {
    this.#uncounted = messages.slice()
  }

  /** @param reply the reply's record. */
  add(reply: string): void {
    this.#uncounted.push({ reply })
  }

  /** The sum as it is now. Replies that are added later change the returned object. */
  get current(): Readonly<TotalUsage> {
    const uncounted = this.#uncounted
    this.#uncounted = []
    for (const counted of uncounted) addReply(this.#total, replyOf(counted))
    return this.#total
  }

  /** The sum, in an object of its own. */
  get total(): TotalUsage {
    return copyOfTotal(this.current)
  }
}

/** The sum of no replies. */
export const noTotal: Readonly<TotalUsage> = emptyTotal()

/** A sum with one more reply, in an object of its own. */
export function totalWith(total: Readonly<TotalUsage>, reply: string): TotalUsage {
  const sum = copyOfTotal(total)
  addReply(sum, replyOf({ reply }))
  return sum
}

export function copyOfTotal(total: Readonly<TotalUsage>): TotalUsage {
  const { cache_creation, server_tool_use, cost } = total
  return {
    ...total,
    cache_creation: { ...cache_creation },
    server_tool_use: { ...server_tool_use },
    cost: jsonable({ ...cost }),
  }
}

/** The record of a reply; empty if its row is damaged, so that the usage of the others can still be read. */
function replyOf(counted: Counted): ReplyRecord {
  try {
    return parseReply(counted.reply ?? '{}') ?? {}
  } catch (error) {
    if (error instanceof StoreError) return {}
    throw error
  }
}

function emptyTotal(): TotalUsage {
  return {
    calls: 0,
    input_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    cache_read_input_tokens: 0,
    output_tokens: 0,
    server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
    cost: { picoUsd: 0n, estimated: false, unpriced: 0 },
  }
}

function addReply(total: TotalUsage, { message, cost_pico_usd: picoUsd, estimated, unpaid }: ReplyRecord): void {
  if (message === undefined || unpaid) return
  const { usage } = message
  for (const tokens of callsIn(usage)) addTokens(total, tokens)
  total.calls++
  total.server_tool_use.web_search_requests += countOf(usage.server_tool_use?.web_search_requests)
  total.server_tool_use.web_fetch_requests += countOf(usage.server_tool_use?.web_fetch_requests)
  if (estimated) total.cost.estimated = true
  if (picoUsd == null) total.cost.unpriced++
  else total.cost.picoUsd += BigInt(picoUsd)
}

function addTokens(total: TotalUsage, used: Usage | UsageIteration): void {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead, output } = tokenCounts(used)
  total.input_tokens += input
  total.cache_creation_input_tokens += cacheWrite5m + cacheWrite1h
  total.cache_creation.ephemeral_5m_input_tokens += cacheWrite5m
  total.cache_creation.ephemeral_1h_input_tokens += cacheWrite1h
  total.cache_read_input_tokens += cacheRead
  total.output_tokens += output
}
