import { checkArgument } from '../json/option-names.ts'
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
 * The tokens of one model call. A value that is not a count is taken as 0. For a reply of several calls, add up those of
 * `callsIn(usage)`.
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
  checkArgument(used, 'an object', 'a usage')
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
  return (
    isCountOrAbsent(input_tokens) &&
    isCountOrAbsent(output_tokens) &&
    isCountOrAbsent(cache_creation_input_tokens) &&
    isCountOrAbsent(cache_read_input_tokens) &&
    isCountOrAbsent(ephemeral_5m_input_tokens) &&
    isCountOrAbsent(ephemeral_1h_input_tokens)
  )
}

function isCountOrAbsent(value: unknown): boolean {
  return value == null || isCount(value)
}

/**
 * The usage of each model call of a reply. `usage.iterations` lists the calls: the sums beside it leave out compactions, advice
 * and attempts that a fallback replaced, and some of them count only one of several calls. A call by another model names it.
 */
export function callsIn(usage: Usage): (Usage | UsageIteration)[] {
  checkArgument(usage, 'an object', 'a usage')
  const { iterations } = usage
  if (!Array.isArray(iterations) || iterations.length === 0) return [usage]
  const listed = iterations.filter((call: unknown) => typeof call === 'object' && call !== null)
  const own = listed.filter(isOwnCall)
  if (!coversPrompt(own, usage)) return [usage, ...listed.filter((call) => !isOwnCall(call))]
  // The list of a reply that broke off is older than the estimate of its output.
  const missing = countOf(usage.output_tokens) - sumOf(own.map(({ output_tokens: output }) => output))
  const last = own.at(-1)!
  return listed.map((call) =>
    call === last && missing > 0 ? { ...call, output_tokens: call.output_tokens + missing } : call,
  )
}

/**
 * The last call that wrote the reply. Its tokens are those that the model's window holds.
 *
 * @example
 * ```ts
 * import { lastCallIn } from 'colloquy/protocol'
 *
 * const call = { type: 'message', cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
 * const iterations = [
 *   { ...call, input_tokens: 1_000, output_tokens: 20 },
 *   { ...call, input_tokens: 1_500, output_tokens: 30 }, // after a web search
 * ]
 * console.log(lastCallIn({ ...call, input_tokens: 2_500, output_tokens: 50, iterations }).input_tokens) // 1500
 * ```
 */
export function lastCallIn(usage: Usage): Usage | UsageIteration {
  return usage?.iterations == null
    ? usage
    : (callsIn(usage).findLast((call) => call === usage || isOwnCall(call)) ?? usage)
}

/** Whether a call wrote the reply, or a part of it. */
function isOwnCall(call: Usage | UsageIteration): boolean {
  return 'type' in call && (call.type === 'message' || call.type === 'fallback_message')
}

/** Whether the calls have counts, and all the prompt that the sums have: some gateways list only a part. */
function coversPrompt(calls: readonly UsageIteration[], usage: Usage): boolean {
  const hasOwnCounts = calls.every((call) => isCount(call.input_tokens) && isCount(call.output_tokens))
  return calls.length > 0 && hasOwnCounts && sumOf(calls.map(promptOf)) >= promptOf(usage)
}

function promptOf(call: Usage | UsageIteration): number {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead } = tokenCounts(call)
  return input + cacheWrite5m + cacheWrite1h + cacheRead
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
