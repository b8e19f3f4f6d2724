import type { ConversationSettings } from 'colloquy/conversation'
import { findModel } from 'colloquy/protocol'
import { UsageError } from '../../exit.ts'

/** The values of `--thinking`, from none to the most. */
const levels = ['off', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type ThinkingLevel = (typeof levels)[number]
type Effort = Exclude<ThinkingLevel, 'off'>

/** The part of `max_tokens` to think with, for models that take a budget instead of an effort. */
const budgetShares: Record<Effort, number> = { low: 0.25, medium: 0.5, high: 0.75, xhigh: 0.8, max: 0.9 }
/** The smallest budget that the API accepts. Tokens. */
const minBudget = 1024

/** The settings of thinking. An undefined field is removed from the settings of a chat. */
export type ThinkingSettings = Partial<Pick<ConversationSettings, 'thinking' | 'output_config'>>

export function isThinkingLevel(text: string): text is ThinkingLevel {
  return (levels as readonly string[]).includes(text)
}

/**
 * The settings for a level of thinking, in the form that the model supports: an effort, a budget, or thinking between tool
 * calls only. An effort that the model does not have becomes the next lower one. Throws a `UsageError` if the model cannot
 * think, or not without thinking.
 */
export function thinkingSettings(
  level: ThinkingLevel,
  { model, max_tokens: maxTokens }: Pick<ConversationSettings, 'model' | 'max_tokens'>,
): ThinkingSettings {
  const entry = findModel(model)
  const types = entry?.thinking.types ?? ['adaptive', 'disabled']
  if (level === 'off') {
    const type = (['disabled', 'between_tools'] as const).find((one) => types.includes(one))
    if (type === undefined)
      throw new UsageError(`Cannot turn thinking off: ${model} always thinks, at least at effort low`)
    return removing('output_config', { thinking: { type } })
  }
  const effort = supportedEffort(level, entry === undefined ? levels : (entry.effort?.levels ?? []))
  if (types.includes('adaptive')) {
    return withEffort({ thinking: { type: 'adaptive', display: 'summarized' } }, effort)
  }
  if (!types.includes('enabled')) throw new UsageError(`Cannot use thinking ${level}: ${model} does not think`)
  const budget = Math.max(minBudget, Math.floor(maxTokens * budgetShares[level]))
  if (budget >= maxTokens) {
    throw new UsageError(
      `Cannot use thinking ${level} with ${maxTokens} tokens for a reply: thinking takes ${minBudget}`,
    )
  }
  return withEffort({ thinking: { type: 'enabled', budget_tokens: budget } }, effort)
}

/** The level of thinking in the settings. Undefined if they do not set one. */
export function thinkingLevelOf({
  thinking,
  output_config: output,
  max_tokens: maxTokens,
}: ConversationSettings): ThinkingLevel | undefined {
  switch (thinking?.type) {
    case undefined:
      return undefined
    case 'disabled':
    case 'between_tools':
      return 'off'
    case 'enabled': {
      const share = thinking.budget_tokens / maxTokens
      return output?.effort ?? (share <= 0.3 ? 'low' : share <= 0.6 ? 'medium' : 'high')
    }
    default:
      return output?.effort ?? 'high'
  }
}

/** The thinking of a chat in the form for another model. Empty if the chat does not set it. */
export function thinkingForModel(settings: ConversationSettings, model: string): ThinkingSettings {
  const level = thinkingLevelOf(settings)
  return level === undefined ? {} : thinkingSettings(level, { ...settings, model })
}

/** As `thinkingForModel()`; removes the thinking if the model cannot have it. */
export function thinkingIfAble(settings: ConversationSettings, model: string): ThinkingSettings {
  try {
    return thinkingForModel(settings, model)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return withoutThinking()
  }
}

/** Removes thinking and effort from the settings of a chat. */
export function withoutThinking(): ThinkingSettings {
  return removing('output_config', removing('thinking', {}))
}

function supportedEffort(level: Effort, supported: readonly string[]): Effort | undefined {
  const lower = levels.slice(1, levels.indexOf(level) + 1) as Effort[]
  return lower.findLast((one) => supported.includes(one))
}

function withEffort(settings: ThinkingSettings, effort: Effort | undefined): ThinkingSettings {
  return effort === undefined ? removing('output_config', settings) : { ...settings, output_config: { effort } }
}

/** Adds an undefined field, with which `configure` removes it. The types of settings do not express that. */
function removing(name: keyof ThinkingSettings, settings: ThinkingSettings): ThinkingSettings {
  return { ...settings, [name]: undefined as never }
}
