import { isObject } from './json/json-object.ts'
import type { ContentBlock } from './types/message.ts'
import type { ContentBlockParam } from './types/params.ts'

// Rules of the Messages API for what a message may contain, as far as they hold for every request. A server refuses what
// breaks them; a client leaves it out before it sends a message back.

interface BlockType {
  type?: unknown
}

/** Whether the block is thinking of the model. No `assistant` message may end with one. */
export function isThinking({ type }: BlockType): boolean {
  return type === 'thinking' || type === 'redacted_thinking'
}

/** Whether the text has no visible character: the API refuses such a text block. */
export function isBlank(text: string): boolean {
  return text.trim() === ''
}

/** Whether the value can be the `input` of a tool call: the API accepts only JSON objects. */
export function isToolInput(value: unknown): value is object {
  return isObject(value)
}

/** Whether the block is a call that the API runs itself, such as `server_tool_use`. Its result is part of a reply. */
export function isServerToolUse({ type }: BlockType): boolean {
  return typeof type === 'string' && type.endsWith('_tool_use')
}

/** Whether the block is the result of a call that the API ran itself, such as `web_search_tool_result`. */
export function isServerToolResult({ type }: BlockType): boolean {
  return typeof type === 'string' && type.endsWith('_tool_result')
}

/** Whether a message that ends with this block leaves the model in the middle of its work with a server tool. */
export function isServerToolBlock(block: BlockType): boolean {
  return isServerToolUse(block) || isServerToolResult(block)
}

/** Whether the block may be in `assistant` messages only. */
export function isModelOnly(block: BlockType): boolean {
  return block.type === 'tool_use' || isThinking(block) || isServerToolBlock(block)
}

const userTypes: readonly unknown[] = ['image', 'document', 'search_result', 'tool_result']

/** Whether the block may be in `user` messages only. */
export function isUserOnly({ type }: BlockType): boolean {
  return userTypes.includes(type)
}

/** The content of a reply as it can be sent back: without blank text, and with an object as the input of each tool call. */
export function sendable<Block extends ContentBlock | ContentBlockParam>(content: readonly Block[]): Block[] {
  return content
    .filter((block) => block.type !== 'text' || !isBlank(block.text))
    .map((block) => (block.type === 'tool_use' && !isToolInput(block.input) ? { ...block, input: {} } : block))
}

/** The blocks without the thinking at their end. */
export function withoutLastThinking<Block extends BlockType>(blocks: readonly Block[]): Block[] {
  return blocks.slice(0, blocks.findLastIndex((block) => !isThinking(block)) + 1)
}
