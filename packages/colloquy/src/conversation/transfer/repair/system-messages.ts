import { findModel } from '../../../protocol/models/models.ts'
import { mapped, type Pausable } from '../../in-slices.ts'
import { blocksOf, contentOf, textBlock } from '../blocks.ts'
import type { SourceConversation, SourceMessage } from '../source.ts'

/**
 * Puts system messages where the API takes them: those at the beginning into the `system` setting, unless it is set. A later
 * one stays if the model takes system messages and it stands between a user message and a reply; else it becomes a user message.
 */
export function* placeSystemMessages(
  source: SourceConversation,
  model: string | undefined,
): Pausable<SourceConversation> {
  if (!source.messages.some(isSystem)) return source
  const { messages, settings } = source
  const followers = Map.groupBy(messages, ({ parent }) => parent)
  const leading = new Set<number>([0])
  const prompts: string[] = []
  const placed = yield* mapped(messages, (message, index): SourceMessage => {
    if (!isSystem(message)) return message
    if (leading.has(message.parent)) {
      leading.add(index + 1)
      prompts.push(textIn(message))
      return { ...message, content: null }
    }
    if (findModel(model ?? '')?.systemInMessages && isBetween(messages[message.parent - 1], followers.get(index + 1)))
      return message
    message.line.repaired('a system message in a place that the API refuses goes out as a user message')
    return { ...message, role: 'user', content: contentOf([textBlock(`[System message]\n${textIn(message)}`)]) }
  })
  const system = prompts.filter((text) => text.trim() !== '').join('\n\n')
  if (system === '' || settings.system !== undefined) return { ...source, messages: placed }
  return { ...source, messages: placed, settings: { ...settings, system } }
}

function isSystem({ role }: SourceMessage): boolean {
  return role === 'system' || role === 'developer'
}

function isBetween(before: SourceMessage | undefined, after: readonly SourceMessage[] = []): boolean {
  return before?.role === 'user' && after.length > 0 && after.every(({ role }) => role === 'assistant')
}

function textIn({ content }: SourceMessage): string {
  const blocks = content === null ? undefined : blocksOf(content)
  return (blocks ?? []).map(({ block }) => (typeof block.text === 'string' ? block.text : '')).join('\n')
}
