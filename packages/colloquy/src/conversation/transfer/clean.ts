import {
  isBlank,
  isModelOnly,
  isServerToolUse,
  isThinking,
  isToolInput,
  withoutLastThinking,
} from '../../protocol/sendable.ts'
import { type AnyBlock, blocksOf, type SourceBlock, withMember, withoutMember } from './blocks.ts'
import type { SourceMessage } from './source.ts'

/** A message without what the API refuses wherever the message stands. */
export interface CleanMessage {
  /** The blocks as they are in the file. */
  original: readonly SourceBlock[]
  /** Empty: the message is never sent. */
  blocks: SourceBlock[]
  /** The parts that were left out or changed. */
  reasons: string[]
}

/** Undefined if the content is neither text nor a list. */
export function cleanMessage({ role, content }: SourceMessage): CleanMessage | undefined {
  const found = content === null ? undefined : blocksOf(content)
  if (found === undefined) return undefined
  const reasons: string[] = []
  const clean = role === 'assistant' ? cleanReplyBlock : cleanUserBlock
  const blocks = found.flatMap((source) => {
    const result = clean(source, found)
    if (result !== source) reasons.push(typeof result === 'string' ? result : 'blank text in a tool result')
    return typeof result === 'string' ? [] : [result]
  })
  return { original: found, blocks: role === 'assistant' ? withoutThinkingAtEnd(blocks, reasons) : blocks, reasons }
}

/** The API refuses a reply that ends in thinking. */
export function withoutThinkingAtEnd(blocks: SourceBlock[], reasons: string[]): SourceBlock[] {
  const count = withoutLastThinking(blocks.map(({ block }) => block)).length
  if (count < blocks.length) reasons.push('thinking that nothing follows')
  return blocks.slice(0, count)
}

/** The block, or why it is left out. */
function cleanReplyBlock(source: SourceBlock, all: readonly SourceBlock[]): SourceBlock | string {
  const { block } = source
  const isResult = block.type.endsWith('_tool_result')
  if (block.type === 'tool_result') return 'a tool result in a reply'
  if (block.type === 'tool_use') return isToolCall(block) ? source : 'an incomplete tool call'
  if (isThinking(block)) return isSigned(block) ? source : 'thinking without a signature'
  if (isServerToolUse(block) && !isAnswered(block, all)) return 'a server tool call without its result'
  if (isResult && !isCalled(block, all)) return 'a server tool result without its call'
  return cleanAnyBlock(source)
}

function cleanUserBlock(source: SourceBlock): SourceBlock | string {
  const { block } = source
  if (isModelOnly(block)) return `a ${block.type} block in a user message`
  if (block.type === 'tool_result')
    return isText(block.tool_use_id) ? cleanResult(source) : 'a tool result without an id'
  return cleanAnyBlock(source)
}

function cleanAnyBlock(source: SourceBlock): SourceBlock | string {
  const { type, text } = source.block
  if (type === '') return 'an entry that is not a content block'
  return type === 'text' && !isVisible(text) ? 'a text block without a visible character' : source
}

/** A tool result without blank texts. One that reports an error needs content. */
function cleanResult(source: SourceBlock): SourceBlock {
  const { content, is_error: isError } = source.block
  const kept = Array.isArray(content) ? content.filter(isSendable) : content
  const isEmpty = kept === undefined || kept === null || kept === '' || (Array.isArray(kept) && kept.length === 0)
  if (isEmpty && isError === true) return withMember(source, 'content', 'The tool failed without a message.')
  if (!Array.isArray(content) || (kept as unknown[]).length === content.length) return source
  return isEmpty ? withoutMember(source, 'content') : withMember(source, 'content', kept)
}

function isSendable(part: { type?: unknown; text?: unknown } | null): boolean {
  return part?.type !== 'text' || isVisible(part.text)
}

function isToolCall({ id, name, input }: AnyBlock): boolean {
  return isText(id) && isText(name) && isToolInput(input)
}

function isSigned({ type, thinking, signature, data }: AnyBlock): boolean {
  return type === 'thinking' ? typeof thinking === 'string' && isText(signature) : isText(data)
}

function isAnswered({ id }: AnyBlock, all: readonly SourceBlock[]): boolean {
  return isText(id) && all.some(({ block }) => block.tool_use_id === id)
}

function isCalled({ tool_use_id: id }: AnyBlock, all: readonly SourceBlock[]): boolean {
  return isText(id) && all.some(({ block }) => isServerToolUse(block) && block.id === id)
}

function isVisible(text: unknown): boolean {
  return typeof text === 'string' && !isBlank(text)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
