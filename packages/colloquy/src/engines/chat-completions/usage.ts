import type { Usage } from '../../protocol/types/message.ts'
import type { ChatUsage } from './wire.ts'

/** The counts of a reply. `estimated` is true in the last event if the server gave none; the API has no such field. */
export type ReplyUsage = Usage & { estimated?: true }

export function estimatedUsage(promptTokens: number, outputTokens: number): Usage {
  return {
    input_tokens: promptTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  }
}

/** The counts of the server; undefined if it gave none. Cached tokens are part of its prompt, and apart from ours. */
export function usageOf(usage: ChatUsage | null | undefined): ReplyUsage | undefined {
  const prompt = countIn(usage?.prompt_tokens)
  const output = countIn(usage?.completion_tokens ?? 0)
  if (prompt === undefined || output === undefined) return undefined
  const cached = countIn(usage?.prompt_tokens_details?.cached_tokens ?? usage?.prompt_cache_hit_tokens) ?? 0
  const thinking = countIn(usage?.completion_tokens_details?.reasoning_tokens)
  const read = Math.min(cached, prompt)
  return {
    input_tokens: prompt - read,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: read,
    output_tokens: output,
    ...(thinking !== undefined && { output_tokens_details: { thinking_tokens: thinking } }),
  }
}

function countIn(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}
