import type { AdvisorTool20260301 } from '../types/beta/advisor.ts'
import type { Compact20260112Edit, ContextManagement } from '../types/beta/context-edit.ts'
import type { FallbackParam } from '../types/beta/fallback.ts'
import { AnthropicError } from '../types/error.ts'
import type { MessageCreateParams } from '../types/params.ts'
import { findModel } from './models.ts'
import { isCount } from './token-counts.ts'

/** The parameters of a request besides its messages. */
export type RequestSettings = Omit<MessageCreateParams, 'messages'>

/** An upper bound that may grow with `max_tokens`. */
export interface Bound {
  fixed: bigint
  /** The amount for each token of `max_tokens`. */
  perToken: bigint
}

/** Model calls of a request, each at its longest. */
export interface LongestCalls {
  count: bigint
  /** Undefined: the API chooses the model. */
  model: string | undefined
  speed: RequestSettings['speed']
  prompt: Bound
  output: Bound
}

/**
 * The model calls that one request can make: the reply itself, a compaction before it, the models that it falls back to, and
 * advice. The results of other server tools are left out, as their length is not known before.
 *
 * Throws an `AnthropicError` for an advisor without `max_uses`.
 *
 * @param tokens an upper bound for the tokens of the prompt.
 */
export function longestCalls(settings: RequestSettings, tokens: bigint): LongestCalls[] {
  const { model, speed } = settings
  const compaction = compactionBound(settings, tokens)
  const prompt = fixed(tokens)
  const output = { fixed: 0n, perToken: 1n }
  return [
    ...(compaction
      ? [{ count: 1n, model, speed, prompt: fixed(compaction.input), output: fixed(compaction.output) }]
      : []),
    { count: 1n, model, speed, prompt, output },
    ...fallbackCalls(settings, { prompt, output }),
    ...(settings.tools ?? []).filter(isAdvisor).flatMap((tool) => adviceCalls(settings, tool, { prompt, output })),
  ]
}

/** The tokens of the reply's own call. */
type OwnCall = Pick<LongestCalls, 'prompt' | 'output'>

/** A model that refuses in the middle of its reply hands over what it has written. */
function fallbackCalls({ fallbacks, speed }: RequestSettings, own: OwnCall): LongestCalls[] {
  const chain: Partial<FallbackParam>[] = fallbacks === 'default' ? [{}] : (fallbacks ?? [])
  let { prompt, output } = own
  return chain.map(({ model, max_tokens: most, speed: ownSpeed }) => {
    prompt = sumOfBounds([prompt, output])
    output = isCount(most) ? fixed(BigInt(most)) : own.output
    return { count: 1n, model, speed: ownSpeed ?? speed, prompt, output }
  })
}

/** The advisor reads all that there is, and the model reads it once more with the advice. */
function adviceCalls({ model, speed }: RequestSettings, tool: AdvisorTool20260301, own: OwnCall): LongestCalls[] {
  const { max_uses: uses, max_tokens: most = findModel(tool.model)?.maxOutputTokens } = tool
  if (!isCount(uses)) throw new AnthropicError('Cannot apply a budget: found an advisor tool without max_uses')
  if (!isCount(most)) {
    throw new AnthropicError(
      `Cannot apply a budget: found an advisor tool without max_tokens, and no model ${tool.model}`,
    )
  }
  const count = BigInt(uses)
  const output = fixed(BigInt(most))
  const prompt = sumOfBounds([own.prompt, own.output, fixed(count * BigInt(most))])
  return [
    { count, model: tool.model, speed: null, prompt, output },
    { count, model, speed, prompt, output: fixed(0n) },
  ]
}

/** The edit that compacts, if the request has one. */
export function compactEdit(managed: ContextManagement | null | undefined): Compact20260112Edit | undefined {
  return managed?.edits?.find((found): found is Compact20260112Edit => found.type === 'compact_20260112')
}

/** The API's default trigger. */
export const unknownCompactTokens = 150_000
const mostSummaryTokens = 16_384n

/**
 * The most tokens that compaction takes besides the request itself: the prompt once more, and the summary. The API sets no
 * limit for a summary; a few thousand tokens are usual. Undefined if a prompt of this length is not compacted.
 */
function compactionBound(
  { context_management: managed }: Pick<MessageCreateParams, 'context_management'>,
  prompt: bigint,
): { input: bigint; output: bigint } | undefined {
  const compact = compactEdit(managed)
  if (compact === undefined) return undefined
  const { value = unknownCompactTokens } = compact.trigger ?? {}
  return prompt < BigInt(value) ? undefined : { input: prompt, output: mostSummaryTokens }
}

function isAdvisor(tool: object): tool is AdvisorTool20260301 {
  return String((tool as { type?: unknown }).type).startsWith('advisor_')
}

function fixed(amount: bigint): Bound {
  return { fixed: amount, perToken: 0n }
}

export function sumOfBounds(bounds: readonly Bound[]): Bound {
  return bounds.reduce((sum, each) => ({ fixed: sum.fixed + each.fixed, perToken: sum.perToken + each.perToken }))
}

/** A bound that holds for both, whatever `max_tokens` is. */
export function largestBound(one: Bound, other: Bound): Bound {
  return {
    fixed: one.fixed > other.fixed ? one.fixed : other.fixed,
    perToken: one.perToken > other.perToken ? one.perToken : other.perToken,
  }
}

/** A bound multiplied by a whole number. */
export function timesBound(bound: Bound, times: bigint): Bound {
  return { fixed: bound.fixed * times, perToken: bound.perToken * times }
}

/** The bound for this `max_tokens`. */
export function boundAt(bound: Bound, maxTokens: number): bigint {
  return bound.fixed + bound.perToken * BigInt(maxTokens)
}
