import { AnthropicError } from '../../protocol/types/error.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { ContextManagement, MessageCreateParams } from '../../protocol/types/params.ts'
import type { ConversationSettings } from '../settings.ts'
import { longestAtLowestPrice } from './price-band.ts'
import { summaryInstructions } from './summary.ts'

// The API shortens the prompt by itself: what it writes stands in the reply as a `compaction` block, and for everything
// before it.

const beta = 'compact-2026-01-12'
const edit = 'compact_20260112'
/** The API takes no lower trigger. */
export const leastCompactTokens = 50_000

/** Throws where the model, or what else the settings say, has no place for it. */
export function checkCompaction({
  model,
  context_management: managed,
  compaction,
  window,
}: ConversationSettings): void {
  if (window?.policy !== 'compact') return
  if (findModel(model)?.compaction === false) {
    throw new AnthropicError(
      `Cannot set window.policy to 'compact' as ${model} has no compaction: 'summarize' does the same with any model`,
    )
  }
  if (compaction || managed?.edits.some(({ type }) => type === edit)) {
    throw new AnthropicError(
      `Cannot set window.policy to 'compact' beside ${compaction ? 'compaction' : `a ${edit} edit`}: found both`,
    )
  }
}

/** The settings with what asks for compaction, where the window wants it. */
export function withCompaction(settings: ConversationSettings): ConversationSettings {
  const { window, betas = [], context_management: managed, tools } = settings
  if (window?.policy !== 'compact') return settings
  // Where there are tools the model may call one instead of writing the summary, unless it is told not to.
  const instructions = window.instructions ?? (tools?.length ? summaryInstructions : undefined)
  const compact = {
    type: edit,
    trigger: { type: 'input_tokens', value: compactAt(settings) },
    ...(instructions === undefined ? {} : { instructions }),
  }
  const context_management: ContextManagement = { ...managed, edits: [...(managed?.edits ?? []), compact] }
  return { ...settings, context_management, betas: betas.includes(beta) ? betas : [...betas, beta] }
}

/** From how many tokens on the prompt is compacted. */
function compactAt({ model, max_tokens: reply, window }: ConversationSettings): number {
  if (window?.atTokens !== undefined) return window.atTokens
  const entry = findModel(model)
  if (entry === undefined) return unknownCompactTokens
  // The prompt that passes the trigger is read once more, as long as it is: the last tenth of a band is for it.
  const most = Math.min(entry.contextTokens - reply, Math.floor(longestAtLowestPrice(model) * 0.9))
  return Math.max(most, leastCompactTokens)
}

/** What the API takes where it is not told. */
const unknownCompactTokens = 150_000

/**
 * The most tokens that compacting takes besides the call itself: the prompt once more, and the summary. The API sets no bound
 * to a summary; they are a few thousand tokens. Undefined where a prompt of this length is not compacted.
 */
export function compactionBound(
  { context_management: managed }: Pick<MessageCreateParams, 'context_management'>,
  prompt: bigint,
): { input: bigint; output: bigint } | undefined {
  const compact = managed?.edits.find(({ type }) => type === edit)
  if (compact === undefined) return undefined
  const { value = unknownCompactTokens } = (compact.trigger ?? {}) as { value?: number }
  return prompt < BigInt(value) ? undefined : { input: prompt, output: mostSummaryTokens }
}

const mostSummaryTokens = 16_384n
