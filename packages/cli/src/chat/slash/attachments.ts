import { UsageError } from '../../exit.ts'
import { attach, attachmentLabel, type Attachment } from '../content/attach.ts'
import { change, say, type ChatState, type Effect } from '../chat-state.ts'
import type { SlashInput } from './command.ts'

export async function attachFile({ state, rest }: SlashInput): Promise<Effect[]> {
  if (rest === '') throw new UsageError('Cannot attach: give a file or a web address, as in /attach notes.md')
  return attachEffects(state, await attach(rest.replace(/^(["'])(.*)\1$/, '$2')))
}

/** The effects of attaching something to the next message. */
export function attachEffects(state: ChatState, attachment: Attachment): Effect[] {
  return [
    change({ attachments: [...state.attachments, attachment] }),
    say(`⎘ ${attachmentLabel(attachment)} goes with the next message`),
  ]
}

export function files({ state, words: [action] }: SlashInput): Effect[] {
  const attachments: readonly Attachment[] = action === 'clear' ? [] : state.attachments
  const lines = attachments.map((attachment) => `⎘ ${attachmentLabel(attachment)}`)
  return [change({ attachments }), say(...(lines.length === 0 ? ['No files go with the next message.'] : lines))]
}
