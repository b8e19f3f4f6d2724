import { AnthropicError } from '../protocol/types/error.ts'
import { checkAmounts } from './money/budget.ts'
import type { ConversationSettings } from './settings.ts'
import { checkCompaction } from './window/compaction.ts'
import { checkWindow } from './window/window.ts'

/** Checks the required settings and those of this library. Everything else is left to the API. */
export function checkSettings(settings: Partial<ConversationSettings>): asserts settings is ConversationSettings {
  const { model, max_tokens: maxTokens, budget, window } = settings
  if (budget !== undefined) checkAmounts('budget', budget)
  if (window !== undefined) checkWindow(window)
  if (typeof model !== 'string' || model === '') {
    throw new AnthropicError(`Cannot set the model of a conversation: found ${JSON.stringify(model)}`)
  }
  if (!Number.isInteger(maxTokens) || maxTokens! < 1) {
    throw new AnthropicError(
      `Cannot set max_tokens of a conversation as it must be a positive integer: found ${JSON.stringify(maxTokens)}`,
    )
  }
  checkCompaction({ ...settings, model, max_tokens: maxTokens! })
}

/** The settings with changes applied. A change to undefined removes the setting. */
export function changeSettings(
  settings: ConversationSettings,
  changes: Partial<ConversationSettings>,
): ConversationSettings {
  const changed = { ...settings, ...changes }
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) delete changed[name as keyof typeof changed]
  }
  checkSettings(changed)
  return changed
}
