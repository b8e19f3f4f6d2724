import { AnthropicError } from '../types/error.ts'
import type { ContentBlock, Message } from '../types/message.ts'

type Fields = Record<string, unknown>

/** Copies the message that a stream begins with. Fields that a server left out, or sent as null, are empty. */
export function startedMessage(value: unknown): Message {
  const message = objectOf(value, 'message_start', 'message')
  const { content = null, usage = null, stop_reason = null, stop_sequence = null } = message
  if (content !== null && !Array.isArray(content))
    throw malformed('message_start', 'message.content', 'a list', content)
  const blocks: ContentBlock[] = []
  for (const block of content ?? []) {
    blocks.push(startedBlock(block, 'message_start', `message.content[${blocks.length}]`))
  }
  const counts = usage === null ? {} : objectOf(usage, 'message_start', 'message.usage')
  const copy: Fields = { ...message, content: blocks, usage: { ...counts }, stop_reason, stop_sequence }
  copy['type'] ??= 'message'
  copy['role'] ??= 'assistant'
  return copy as unknown as Message
}

/** Copies the block that a `content_block_start` brings. Fields that a server left out, or sent as null, are empty. */
export function startedBlock(value: unknown, event = 'content_block_start', name = 'content_block'): ContentBlock {
  const block: Fields = { ...objectOf(value, event, name) }
  const type = stringOf(block['type'], event, `${name}.type`)
  for (const field of textFields[type] ?? []) block[field] = stringOf(block[field] ?? '', event, `${name}.${field}`)
  if (type.endsWith('tool_use')) block['input'] = block['input'] || {}
  if (type === 'compaction') block['content'] ??= null
  if (block['citations'] != null) block['citations'] = [...listOf(block['citations'], event, `${name}.citations`)]
  return block as unknown as ContentBlock
}

/** The fields of a block that deltas append to or replace. */
const textFields: Record<string, readonly string[]> = {
  text: ['text'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
}

/** The field of each delta that is a text. */
export const deltaTexts: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
  input_json_delta: 'partial_json',
}

/** Returns a string of an event. Throws an `AnthropicError` that names the field for any other value. */
export function stringOf(value: unknown, event: string, name: string): string {
  if (typeof value !== 'string') throw malformed(event, name, 'a string', value)
  return value
}

/** Returns an object of an event. Throws an `AnthropicError` that names the field for any other value. */
export function objectOf(value: unknown, event: string, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(event, name, 'an object', value)
  return value as Fields
}

function listOf(value: unknown, event: string, name: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(event, name, 'a list', value)
  return value
}

export function malformed(event: string, name: string, expected: string, found: unknown): AnthropicError {
  const text = JSON.stringify(found) ?? 'nothing'
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text
  return new AnthropicError(`Cannot read ${event}: its ${name} is not ${expected}: found ${shown}`)
}

/** The error for an event that another one must precede. */
export function outOfOrder({ type }: { type: string }, before: string): AnthropicError {
  return new AnthropicError(`Unexpected event order, got ${type} before ${before}`)
}

type BlocksByIndex = ReadonlyMap<number, { block: ContentBlock }>

/** The messages whose stream has other indexes than `content`: some gateways leave blocks out, or count from 1. */
const renumbered = new WeakMap<Message, BlocksByIndex>()

/** Remembers the blocks of a message by the indexes of its events. */
export function setBlocksByIndex(message: Message, blocks: BlocksByIndex): void {
  renumbered.set(message, blocks)
}

/** The block that an event of a message means by its index; undefined if none began with it. */
export function blockAt(message: Message, index: number): ContentBlock | undefined {
  const blocks = renumbered.get(message)
  return blocks ? blocks.get(index)?.block : message.content[index]
}
