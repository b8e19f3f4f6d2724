import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { printable } from '../printable.ts'
import { atOnce } from '../pieces.ts'

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

export function readHistory(params: Pick<MessageCreateParams, 'system' | 'messages'>): History {
  return atOnce(readHistoryInSteps(params))
}

/** As `readHistory()`, with a step for each message. */
export function* readHistoryInSteps({
  system,
  messages,
}: Pick<MessageCreateParams, 'system' | 'messages'>): Generator<void, History> {
  const instructions = [plainTextOf(blocksOf(system ?? ''))]
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    yield
    const blocks = blocksOf(content)
    if (role === 'system') {
      instructions.push(plainTextOf(blocks))
      continue
    }
    const [first] = blocks
    // The block replaces all earlier messages.
    if (first?.type === 'compaction') turns.push({ role: 'user', text: printable(first.content ?? ''), blocks: [] })
    let last = turns.at(-1)
    if (last?.role !== role) turns.push((last = { role, blocks: [], text: '' }))
    for (const block of blocks) last.blocks.push(block)
  }
  for (const turn of turns) {
    if (turn.blocks.length > 0) turn.text = plainTextOf(turn.blocks)
    yield
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
  const [only] = blocks
  if (blocks.length === 1 && only!.type === 'text') return withoutReminders(printable(only!.text)).trim()
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => withoutReminders(printable(text)))
  return texts
    .filter((text) => text !== '' && text !== interruptedNote)
    .join('\n')
    .trim()
}

// The conversation layer sends it before a message that follows an interrupted reply.
const interruptedNote = '(Your previous message was interrupted and is incomplete.)'

// Agents put notes for the model into user messages. A responder that quotes the user must not quote them.
function withoutReminders(text: string): string {
  const [start, end] = ['<system-reminder>', '</system-reminder>']
  if (!text.includes(start)) return text
  let kept = ''
  let at = 0
  for (let from = text.indexOf(start); from >= 0; from = text.indexOf(start, at)) {
    const to = text.indexOf(end, from)
    if (to < 0) break
    kept += text.slice(at, from)
    at = to + end.length
  }
  return (kept + text.slice(at)).trim()
}

/** The number of words, without a list of them, which could be long. */
export function countWords(text: string): number {
  let words = 0
  for (const _ of text.matchAll(/\S+/g)) words++
  return words
}
