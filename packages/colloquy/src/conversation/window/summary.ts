import { findModel } from '../../protocol/models/models.ts'
import { encodeMessage } from '../history/records.ts'
import type { Summary } from '../history/reply-record.ts'
import { oncePer } from '../once-per.ts'
import type { ConversationSettings } from '../settings.ts'

/** The default instructions for a summary. The length is added to them. */
export const summaryInstructions: string =
  'Write a summary of this conversation up to here. It will stand in the place of these messages: a reader who continues the ' +
  'conversation knows nothing else of them. Keep what the user wants and how, what was decided and why, names, numbers, ' +
  'dates, file names and code that may be needed again, what tools found out, and what is still open. ' +
  'Call no tool and answer nothing that is still open: write the summary only.'

/** The message that is sent in place of the summarized messages, as JSON. */
export const summaryMessage: (summary: Summary) => string = oncePer(({ text }: Summary) => {
  const content = `This is a summary of our conversation so far, in the place of its messages:\n\n${text}`
  return encodeMessage('user', [{ type: 'text', text: content }])
})

/** The most tokens of a summary, for prompts with a limit. */
export function summaryTokens(limit: number): number {
  return Math.min(8_192, Math.ceil(limit / 4))
}

/**
 * The settings of the request for a summary. With the same model, everything that the prompt cache covers stays the same, so
 * that the messages are read from the cache.
 */
export function summarySettings(settings: ConversationSettings, limit: number): ConversationSettings {
  const { model, window: _, stop_sequences: __, tool_choice, output_config, ...rest } = settings
  const own = settings.window?.model
  const thinking = own === undefined || own === model ? settings.thinking : undefined
  const max_tokens = summaryTokens(limit) + thinkingTokens(own ?? model, thinking)
  if (own !== undefined && own !== model) {
    const { system, tools, metadata, betas, version, inference_geo, service_tier } = settings
    const kept = { system, tools, metadata, betas, version, inference_geo, service_tier }
    return { ...present(kept), model: own, max_tokens }
  }
  const { format: ___, ...effort } = output_config ?? {}
  return {
    ...rest,
    model,
    max_tokens,
    ...(tool_choice === undefined || tool_choice.type === 'auto' || tool_choice.type === 'none'
      ? present({ tool_choice })
      : {}),
    ...(Object.keys(effort).length > 0 && { output_config: effort }),
  }
}

/** The tokens that the model may think before it writes. */
function thinkingTokens(model: string, thinking: ConversationSettings['thinking']): number {
  if (thinking?.type === 'enabled') return thinking.budget_tokens
  const type = thinking?.type ?? findModel(model)?.thinking.default
  return type === 'adaptive' || type === 'between_tools' ? mostThinkingTokens : 0
}

const mostThinkingTokens = 8_192

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>
}
