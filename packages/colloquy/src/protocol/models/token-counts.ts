import type { Usage, UsageIteration } from '../types/message.ts'

/** The kinds of tokens, each with a price of its own. */
export const tokenKinds = ['input', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'output'] as const

/** The tokens of one model call, by kind of price. */
export type TokenCounts = Record<(typeof tokenKinds)[number], number>

// More tokens than any call can have, and few enough that their cost fits in 64 bits, as a database has them.
const mostTokens = 1_000_000_000

/** Whether the value is a number of tokens, or of uses of a server tool, that one call can have. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= mostTokens
}

/** The count, or 0 for a value that is not one: it would spoil every sum. */
export function countOf(value: unknown): number {
  return isCount(value) ? value : 0
}

/**
 * The tokens of one model call. A value that is not a count is taken as 0. If the API compacted the prompt, add those of
 * `usage.iterations`.
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
  const write1h = countOf(split?.ephemeral_1h_input_tokens)
  const write5m = countOf(split?.ephemeral_5m_input_tokens)
  return {
    input: countOf(used.input_tokens),
    // Some servers send the total without the split, and some the split without the total.
    cacheWrite5m: Math.max(write5m, countOf(used.cache_creation_input_tokens) - write1h),
    cacheWrite1h: write1h,
    cacheRead: countOf(used.cache_read_input_tokens),
    output: countOf(used.output_tokens),
  }
}

/** Whether each value of the usage that `tokenCounts()` reads is a count, or is absent. */
export function hasCounts(used: Omit<UsageIteration, 'type'>): boolean {
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, cache_creation } = used
  const { ephemeral_5m_input_tokens, ephemeral_1h_input_tokens } = cache_creation ?? {}
  return [
    input_tokens,
    output_tokens,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    ephemeral_5m_input_tokens,
    ephemeral_1h_input_tokens,
  ].every((value) => value == null || isCount(value))
}

/** The usage of each model call of a reply. The sums in its usage leave out the call that compacted the prompt. */
export function callsIn(usage: Usage): (Usage | UsageIteration)[] {
  const { iterations } = usage
  const others = Array.isArray(iterations) ? iterations : []
  return [usage, ...others.filter((each: UsageIteration | null) => each?.type === 'compaction')]
}
