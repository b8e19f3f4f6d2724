import type { Conversation, ConversationMessage, ConversationSettings } from 'colloquy/conversation'
import { countPromptTokens } from 'colloquy/engines'
import {
  type Cost,
  type CostParts,
  type MessageContentParam,
  type Usage,
  callsIn,
  countOf,
  costOf,
  decimalUsd,
  tokenCounts,
  tokenKinds,
} from 'colloquy/protocol'
import { mostCostOf } from '../../access/ceiling.ts'
import type { CostLineJson, MoneyJson, PreviewJson, ReplyCostJson } from '../api.ts'

/** The arithmetic of a reply's cost. Undefined if the message is not a reply. */
export function replyCostJson({
  model,
  usage,
  createdAt,
  estimated = false,
  costPicoUsd,
}: ConversationMessage): ReplyCostJson | undefined {
  if (model === undefined || usage === undefined) return undefined
  const cost = costOf(usage, model, { at: createdAt })
  if (cost === undefined) return { model, total: null, estimated, price: null, lines: [] }
  const { from, source } = cost.price
  // Not billed, although its usage has tokens.
  if (costPicoUsd === 0n) return { model, total: money(0n), estimated, price: { from, source }, lines: [] }
  return { model, total: money(cost.picoUsd), estimated, price: { from, source }, lines: linesOf(cost, usage) }
}

function linesOf({ parts }: Cost, usage: Usage): CostLineJson[] {
  const calls = callsIn(usage).map(tokenCounts)
  const lines = tokenKinds.map((bucket) => {
    const count = calls.reduce((sum, tokens) => sum + tokens[bucket], 0)
    return line(bucket, count, parts, 1_000_000n)
  })
  const searches = countOf(usage.server_tool_use?.web_search_requests)
  return [...lines, line('serverTools', searches, parts, 1n)].filter(({ count }) => count > 0)
}

/** @param unit the number of tokens or searches that a price is for. */
function line(bucket: keyof CostParts, count: number, parts: CostParts, unit: bigint): CostLineJson {
  const price = count === 0 ? 0n : (parts[bucket] * unit) / BigInt(count)
  return { bucket, count, priceUsd: decimalUsd(price), cost: money(parts[bucket]) }
}

/** The next request of a conversation, before it is sent. */
export function previewJson(
  conversation: Conversation,
  content: MessageContentParam | undefined,
  settings: Partial<ConversationSettings>,
): PreviewJson {
  const request = conversation.preview(content, settings)
  const { length: bytes } = new TextEncoder().encode(JSON.stringify(request))
  const most = mostCostOf(request, { bytes, at: Date.now() })
  const inputTokens = countPromptTokens(request)
  return { request, inputTokens, estimated: true, mostCost: most === undefined ? null : money(most) }
}

function money(picoUsd: bigint): MoneyJson {
  return { picoUsd: String(picoUsd), usd: decimalUsd(picoUsd) }
}
