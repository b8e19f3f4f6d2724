import {
  type ContentBlockParam,
  type MessageParam,
  isBlank,
  isModelOnly,
  isThinking,
  isUserOnly,
} from 'colloquy/protocol'
import { refuse } from './schema.ts'

export type Block = ContentBlockParam & Record<string, unknown>

/** The blocks of a message. A string is one text block. */
export function blocksOf({ content }: Pick<MessageParam, 'content'>): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Block[])
}

/** The settings that the rules for a message depend on. */
interface Rules {
  version: string
  lenient: boolean
}

/** Checks each message by itself: its content, and which role may send which block. */
export function* checkEachMessage(messages: readonly MessageParam[], rules: Rules): Generator<void> {
  if (messages.length === 0) refuse('messages', 'at least one message is required')
  for (const [index, message] of messages.entries()) {
    yield* checkMessage(message, index, { ...rules, isLast: index === messages.length - 1 })
    yield
  }
}

function* checkMessage(
  message: MessageParam,
  index: number,
  { isLast, version, lenient }: Rules & { isLast: boolean },
): Generator<void> {
  const isPrefill = isLast && message.role === 'assistant'
  const changesConfig = message.role === 'system' && 'output_config' in message
  if (message.content.length === 0 && !isPrefill && !changesConfig)
    refuse(
      `messages.${index}`,
      'all messages must have non-empty content except for the optional final assistant message',
    )
  const blocks = blocksOf(message)
  for (const [at, block] of blocks.entries()) {
    const path = `messages.${index}.content.${at}`
    if (block.type === 'text') checkText(block, path, 'messages', isPrefill)
    if (block.type === 'tool_result') checkErrorResult(block, path)
    if (block.type === 'thinking' && block.signature === '' && !lenient)
      refuse(path, 'Invalid `signature` in `thinking` block')
    checkRole(block, message.role, { message: index, index: at, version })
    if (at % 100 === 99) yield
  }
  if (message.role === 'assistant') checkEnd(blocks.at(-1), index, isPrefill)
}

/** The API's words for a cache breakpoint on a text without a character. */
export const markedEmpty = 'cache_control cannot be set for empty text blocks'

/** Checks the text of a block of a message or the system prompt. */
export function checkText(
  { text, cache_control: mark }: { text?: unknown; cache_control?: unknown },
  path: string,
  section: string,
  mayBeEmpty = false,
): void {
  if (text === '') {
    if (mark) refuse(section === 'system' ? path : `${path}.text`, markedEmpty)
    if (!mayBeEmpty) refuse(section, 'text content blocks must be non-empty')
  } else if (isBlank(String(text)) && !mayBeEmpty) {
    refuse(section, 'text content blocks must contain non-whitespace text')
  }
}

function checkErrorResult({ is_error, content }: Block, path: string): void {
  if (is_error !== true) return
  const isEmpty = content === undefined || (content as string | unknown[]).length === 0
  if (isEmpty) refuse(`${path}.tool_result`, 'content cannot be empty if `is_error` is true')
}

const ofSystem = new Set(['text', 'tool_addition', 'tool_removal'])

function checkRole(
  { type, citations }: Block,
  role: MessageParam['role'],
  { message, index, version }: { message: number; index: number; version: string },
): void {
  const isNew = version >= '2026-10-21'
  if (role === 'system') {
    if (!ofSystem.has(type))
      refuse(`messages.${message}.content.${index}`, '`system` messages can only hold `text` blocks')
  } else if (role === 'user') {
    if (isThinking({ type }))
      refuse(`messages.${message}.content`, 'thinking blocks may only be in `assistant` messages')
    if (isModelOnly({ type })) refuse(`messages.${message}`, `\`${type}\` blocks can only be in \`assistant\` messages`)
    if (isNew && Array.isArray(citations) && citations.length > 0)
      refuse(`messages.${message}.content.${index}.${type}.citations`, 'Extra inputs are not permitted')
  } else if (isUserOnly({ type }) && (isNew || type !== 'document')) {
    refuse(`messages.${message}`, `\`${type}\` blocks can only be in \`user\` messages`)
  }
}

/** Checks the last block of an assistant message. */
function checkEnd(last: Block | undefined, index: number, isPrefill: boolean): void {
  if (last && isThinking(last))
    refuse(`messages.${index}`, `The final block in an assistant message cannot be \`${last.type}\`.`)
  if (isPrefill && last?.type === 'text' && /\s$/.test(last.text.slice(-1)))
    refuse('messages', 'final assistant content cannot end with trailing whitespace')
}
