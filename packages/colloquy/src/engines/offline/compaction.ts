import type { CompactionBlock } from '../../protocol/types/beta/compaction.ts'
import type { Usage, UsageIteration } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import type { Compact20260112Edit } from '../../protocol/types/beta/context-edit.ts'
import { iterationOf } from '../../tools/usage.ts'
import { countTokens } from '../prompt/tokens.ts'
import { blocksOf, readHistory } from './history.ts'

type Messages = Pick<MessageCreateParams, 'messages'>

/** The prompt as the API reads it: from the newest compaction block on. */
export function fromCompaction<Params extends Messages>(params: Params): Params {
  const { messages } = params
  const isCompaction = ({ type, content }: { type: string; content?: unknown }): boolean =>
    type === 'compaction' && content != null
  const first = messages.findLastIndex(({ content }) => blocksOf(content).some(isCompaction))
  if (first < 0) return params
  const { role, content } = messages[first]!
  const blocks = blocksOf(content)
  const kept = { role, content: blocks.slice(blocks.findLastIndex(isCompaction)) } as MessageParam
  return { ...params, messages: [kept, ...messages.slice(first + 1)] }
}

export interface Compaction {
  block: CompactionBlock
  /** The messages that the reply is generated from. */
  messages: MessageParam[]
  /** Whether the reply ends with the block. */
  pauses: boolean
}

/** The compaction that the request asks for at this prompt size; undefined if none. */
export function compactionOf(params: MessageCreateParams, promptTokens: number): Compaction | undefined {
  const edit = params.context_management?.edits?.find(({ type }) => type === 'compact_20260112') as
    | Compact20260112Edit
    | undefined
  const { value = 150_000 } = edit?.trigger ?? {}
  if (edit === undefined || promptTokens < value || params.messages.at(-1)?.role === 'assistant') return undefined
  const block: CompactionBlock = { type: 'compaction', content: summaryOf(params), encrypted_content: null }
  const pauses = edit.pause_after_compaction === true
  return { block, messages: [{ role: 'assistant', content: [block] }], pauses }
}

const mostPerMessage = 300

/** The user's messages, one line each, long ones shortened. */
function summaryOf(params: MessageCreateParams): string {
  const messages = readHistory(params).turns.filter(({ role, text }) => role === 'user' && text !== '')
  const isCompacted = blocksOf(params.messages[0]?.content).some(({ type }) => type === 'compaction')
  return messages
    .map(({ text }, index) =>
      index === 0 && isCompacted ? text : text.replaceAll(/\s+/g, ' ').slice(0, mostPerMessage),
    )
    .join('\n')
    .toWellFormed()
}

/** The two model calls of a compacted reply. The sums in its usage are those of the second. */
export function iterationsOf(compaction: Compaction, prompt: Usage, reply: Usage): UsageIteration[] {
  const output_tokens = countTokens(compaction.block.content!)
  return [iterationOf('compaction', { ...prompt, output_tokens }), iterationOf('message', reply)]
}
