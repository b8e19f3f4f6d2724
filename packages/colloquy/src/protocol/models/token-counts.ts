import type { Usage, UsageIteration } from '../types/message.ts'

/** The kinds of tokens, each with a price of its own. */
export const tokenKinds = ['input', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'output'] as const

/** The tokens of one model call, by kind of price. */
export type TokenCounts = Record<(typeof tokenKinds)[number], number>

/**
 * The tokens of one model call. If the API compacted the prompt, add those of `usage.iterations`.
 *
 * @example
 * ```ts
 * import { tokenCounts } from 'colloquy/protocol'
 *
 * const { input, cacheRead } = tokenCounts({
 *   input_tokens: 10,
 *   output_tokens: 20,
 *   cache_read_input_tokens: 3_000,
 *   cache_creation_input_tokens: 0,
 *   cache_creation: null,
 * })
 * console.log(input, cacheRead) // 10 3000
 * ```
 */
export function tokenCounts(used: Omit<UsageIteration, 'type'>): TokenCounts {
  const split = used.cache_creation
  const write1h = split?.ephemeral_1h_input_tokens ?? 0
  const write5m = split?.ephemeral_5m_input_tokens ?? 0
  return {
    input: used.input_tokens ?? 0,
    // Some servers send the total without the split, and some the split without the total.
    cacheWrite5m: Math.max(write5m, (used.cache_creation_input_tokens ?? 0) - write1h),
    cacheWrite1h: write1h,
    cacheRead: used.cache_read_input_tokens ?? 0,
    output: used.output_tokens ?? 0,
  }
}

/** The usage of each model call of a reply. The sums in its usage leave out the call that compacted the prompt. */
export function callsIn(usage: Usage): (Usage | UsageIteration)[] {
  return [usage, ...(usage.iterations ?? []).filter(({ type }) => type === 'compaction')]
}
