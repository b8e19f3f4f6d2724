import type { MessageCreateParams } from '../../protocol/types/params.ts'

/** What the responder reads: the conversation as plain text, with what is not text beside it. */
export interface History {
  /** All system instructions: the top-level one and those between the messages. */
  system: string
  /** Merged as the API merges them: the roles alternate. */
  turns: Turn[]
  /** What was said last by the user. */
  question: string
  /** The beginning of the reply that the caller wrote, or ''. */
  prefill: string
}

export interface Turn {
  role: 'user' | 'assistant'
  text: string
  blocks: Block[]
}

/** A content block of which only the type is known. */
export type Block = Record<string, unknown> & { type: string }

export function readHistory({ system, messages }: Pick<MessageCreateParams, 'system' | 'messages'>): History {
  const instructions = [textOf(blocksOf(system ?? ''))]
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    const blocks = blocksOf(content)
    if (role === 'system') {
      instructions.push(textOf(blocks))
      continue
    }
    const [first] = blocks
    // It stands for what was said before it.
    if (first?.type === 'compaction') turns.push({ role: 'user', text: String(first.content ?? ''), blocks: [] })
    const last = turns.at(-1)
    if (last?.role === role) {
      last.blocks.push(...blocks)
      last.text = textOf(last.blocks)
    } else {
      turns.push({ role, blocks: [...blocks], text: textOf(blocks) })
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

export function textOf(blocks: readonly Block[]): string {
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => withoutReminders(String(text)))
  return texts.filter(Boolean).join('\n').trim()
}

// Agents put notes for the model into the user's message; a responder that quotes the user must not quote them.
function withoutReminders(text: string): string {
  return text.includes('<system-reminder>')
    ? text.replace(/<system-reminder>[^]*?<\/system-reminder>/g, '').trim()
    : text
}
