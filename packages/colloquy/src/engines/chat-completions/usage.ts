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
  if (usage?.prompt_tokens == null) return undefined
  const prompt = usage.prompt_tokens
  const cached = usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? 0
  const thinking = usage.completion_tokens_details?.reasoning_tokens
  return {
    input_tokens: Math.max(0, prompt - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage.completion_tokens ?? 0,
    ...(thinking != null && { output_tokens_details: { thinking_tokens: thinking } }),
  }
}
