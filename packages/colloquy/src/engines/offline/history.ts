import type { MessageCreateParams } from '../../protocol/types/params.ts'

/** The conversation as the responder reads it: plain text, and the blocks. */
export interface History {
  /** All system instructions: the top-level one and the system messages. */
  system: string
  /** The messages, merged as in the API so that the roles alternate. */
  turns: Turn[]
  /** The text of the last user message. */
  question: string
  /** The prefilled beginning of the reply, or ''. */
  prefill: string
}

export interface Turn {
  role: 'user' | 'assistant'
  text: string
  blocks: Block[]
}

/** A content block of any type. */
export type Block = Record<string, unknown> & { type: string }

export function readHistory({ system, messages }: Pick<MessageCreateParams, 'system' | 'messages'>): History {
  const instructions = [plainTextOf(blocksOf(system ?? ''))]
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    const blocks = blocksOf(content)
    if (role === 'system') {
      instructions.push(plainTextOf(blocks))
      continue
    }
    const [first] = blocks
    // The block replaces all earlier messages.
    if (first?.type === 'compaction') turns.push({ role: 'user', text: String(first.content ?? ''), blocks: [] })
    const last = turns.at(-1)
    if (last?.role === role) {
      last.blocks.push(...blocks)
      last.text = plainTextOf(last.blocks)
    } else {
      turns.push({ role, blocks: [...blocks], text: plainTextOf(blocks) })
    }
  }
  const prefill = turns.at(-1)?.role === 'assistant' ? turns.pop()!.text : ''
  return {
    system: instructions.filter(Boolean).join('\n'),
    turns,
    question: turns.findLast(({ role }) => role === 'user')?.text ?? '',
    prefill,
  }
}

export function blocksOf(content: unknown): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return Array.isArray(content) ? (content as Block[]) : []
}

export function plainTextOf(blocks: readonly Block[]): string {
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => withoutReminders(String(text)))
  return texts.filter(Boolean).join('\n').trim()
}

// Agents put notes for the model into user messages. A responder that quotes the user must not quote them.
function withoutReminders(text: string): string {
  return text.includes('<system-reminder>')
    ? text.replace(/<system-reminder>[^]*?<\/system-reminder>/g, '').trim()
    : text
}
