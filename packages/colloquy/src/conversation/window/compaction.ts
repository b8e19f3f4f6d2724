import { priceAt } from '../../protocol/models/cost.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { compactEdit, unknownCompactTokens } from '../../protocol/models/longest-calls.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { Compact20260112Edit, ContextManagement } from '../../protocol/types/beta/context-edit.ts'
import type { ConversationSettings } from '../settings.ts'
import { summaryInstructions } from './summary.ts'

// Compaction: the API shortens the prompt by itself. Its summary is a `compaction` block of the reply, and replaces
// everything before it.

const beta = 'compact-2026-01-12'
const edit = 'compact_20260112'
/** The lowest trigger that the API accepts. */
export const leastCompactTokens = 50_000

/** Throws an `AnthropicError` if the model has no compaction, or if other settings ask for it too. */
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
  if (compaction || compactEdit(managed)) {
    throw new AnthropicError(
      `Cannot set window.policy to 'compact' together with ${compaction ? 'compaction' : `a ${edit} edit`}: found both`,
    )
  }
}

/** The settings, with the request for compaction if that is the window's policy. */
export function withCompaction(settings: ConversationSettings): ConversationSettings {
  const { window, betas = [], context_management: managed, tools } = settings
  if (window?.policy !== 'compact') return settings
  // If there are tools, the model may call one instead of writing the summary, unless the instructions forbid it.
  const instructions = window.instructions ?? (tools?.length ? summaryInstructions : undefined)
  const compact: Compact20260112Edit = {
    type: edit,
    trigger: { type: 'input_tokens', value: compactAt(settings) },
    ...(instructions === undefined ? {} : { instructions }),
  }
  const context_management: ContextManagement = { ...managed, edits: [...(managed?.edits ?? []), compact] }
  return { ...settings, context_management, betas: betas.includes(beta) ? betas : [...betas, beta] }
}

/** The prompt size in tokens from which the prompt is compacted. */
function compactAt({ model, max_tokens: reply, window }: ConversationSettings): number {
  if (window?.atTokens !== undefined) return window.atTokens
  const entry = findModel(model)
  if (entry === undefined) return unknownCompactTokens
  // The prompt that passes the trigger is read once more at its full length, so the last tenth of a price band is left for
  // it.
  const most = Math.min(entry.contextTokens - reply, Math.floor(longestAtLowestPrice(model) * 0.9))
  return Math.max(most, leastCompactTokens)
}

/** The longest prompt at the model's lowest price per token, as of today. Infinity if the length does not matter. */
export function longestAtLowestPrice(model: string): number {
  const entry = findModel(model)
  return (entry && priceAt(entry, new Date())?.bands[1]?.abovePromptTokens) ?? Infinity
}
