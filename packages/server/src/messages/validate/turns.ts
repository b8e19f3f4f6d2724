import {
  type ContentBlockParam,
  isBlank,
  isModelOnly,
  isServerToolBlock,
  isThinking,
  type MessageParam,
} from 'colloquy/protocol'
import { refuse } from './schema.ts'

type Block = ContentBlockParam & Record<string, unknown>

/** A block and its position in the request. */
interface Placed {
  block: Block
  message: number
  index: number
}

/** Consecutive messages of one role, which the API merges. */
interface Turn {
  role: 'user' | 'assistant'
  blocks: Placed[]
}

/** Checks the rules between blocks and messages: roles, order, and which result answers which call. */
export function checkMessages(messages: readonly MessageParam[], { version, thinks }: MessageRules): void {
  if (messages.length === 0) refuse('messages', 'at least one message is required')
  messages.forEach((message, index) => checkMessage(message, index, index === messages.length - 1, version))
  const turns = turnsOf(messages)
  checkCalls(turns)
  checkServerCalls(turns)
  checkThinking(messages, thinks)
}

export interface MessageRules {
  version: string
  /** Whether thinking has a budget. If so, thinking must be the first block of an assistant message that has any. */
  thinks: boolean
}

/** The blocks of a message. A string is one text block. */
export function blocksOf({ content }: Pick<MessageParam, 'content'>): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Block[])
}

function checkMessage(message: MessageParam, index: number, isLast: boolean, version: string): void {
  const isPrefill = isLast && message.role === 'assistant'
  const changesConfig = message.role === 'system' && 'output_config' in message
  if (message.content.length === 0 && !isPrefill && !changesConfig)
    refuse(
      `messages.${index}`,
      'all messages must have non-empty content except for the optional final assistant message',
    )
  const blocks = blocksOf(message)
  blocks.forEach((block, at) => {
    if (block.type === 'text') checkText(block, `messages.${index}.content.${at}`, 'messages', isPrefill)
    checkSide(block, message.role, index, at, version)
  })
  const last = blocks.at(-1)
  if (isPrefill && last?.type === 'text' && /\s$/.test(last.text))
    refuse('messages', 'final assistant content cannot end with trailing whitespace')
}

/** Checks the text of a block of a message or the system prompt. */
export function checkText(
  { text, cache_control: mark }: { text?: unknown; cache_control?: unknown },
  path: string,
  section: string,
  mayBeEmpty = false,
): void {
  if (text === '') {
    if (mark) refuse(`${path}.text`, 'cache_control cannot be set for empty text blocks')
    if (!mayBeEmpty) refuse(section, 'text content blocks must be non-empty')
  } else if (isBlank(String(text)) && !mayBeEmpty) {
    refuse(section, 'text content blocks must contain non-whitespace text')
  }
}

const ofUser = new Set(['image', 'document', 'search_result', 'tool_result', 'container_upload'])
const ofSystem = new Set(['text', 'tool_addition', 'tool_removal'])

function checkSide(
  { type, citations }: Block,
  role: MessageParam['role'],
  message: number,
  index: number,
  version: string,
): void {
  const isNew = version >= '2026-10-21'
  if (role === 'system') {
    if (!ofSystem.has(type))
      refuse(`messages.${message}.content.${index}`, '`system` messages can only hold `text` blocks')
  } else if (role === 'user') {
    if (isThinking({ type }))
      refuse(`messages.${message}.content`, 'thinking blocks may only be in `assistant` messages')
    if (!ofUser.has(type) && isModelOnly({ type }))
      refuse(`messages.${message}`, `\`${type}\` blocks can only be in \`assistant\` messages`)
    if (isNew && Array.isArray(citations) && citations.length > 0)
      refuse(`messages.${message}.content.${index}.${type}.citations`, 'Extra inputs are not permitted')
  } else if (ofUser.has(type) && type !== 'container_upload' && (isNew || type !== 'document')) {
    refuse(`messages.${message}`, `\`${type}\` blocks can only be in \`user\` messages`)
  }
}

function turnsOf(messages: readonly MessageParam[]): Turn[] {
  const turns: Turn[] = []
  messages.forEach((message, at) => {
    if (message.role === 'system') return
    const placed = blocksOf(message).map((block, index) => ({ block, message: at, index }))
    const last = turns.at(-1)
    if (last?.role === message.role) last.blocks.push(...placed)
    else turns.push({ role: message.role, blocks: placed })
  })
  return turns
}

/** Checks that each `tool_use` is answered once, at the beginning of the next user turn. */
function checkCalls(turns: readonly Turn[]): void {
  const seen = new Set<string>()
  let open: Placed[] = []
  for (const { role, blocks } of turns) {
    if (role === 'user') {
      checkResults(open, blocks)
      open = []
    } else {
      open = blocks.filter(({ block }) => block.type === 'tool_use')
      for (const { block, message, index } of open) {
        const id = String(block.id)
        if (seen.has(id)) refuse(`messages.${message}.content.${index}`, '`tool_use` ids must be unique')
        seen.add(id)
      }
    }
  }
  if (open.length > 0) refuseUnanswered(open)
}

function checkResults(calls: readonly Placed[], blocks: readonly Placed[]): void {
  const ids = new Set(calls.map(({ block }) => String(block.id)))
  const answered = new Set<string>()
  let isLeading = true
  for (const { block, message, index } of blocks) {
    if (block.type !== 'tool_result') {
      isLeading = false
      continue
    }
    const id = block.tool_use_id
    const path = `messages.${message}.content.${index}`
    if (!ids.has(id))
      refuse(
        path,
        `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
    if (answered.has(id))
      refuse(path, `each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`)
    // Results after other blocks do not count: the model would read those blocks first.
    if (isLeading) answered.add(id)
  }
  const missing = calls.filter(({ block }) => !answered.has(String(block.id)))
  if (missing.length > 0) refuseUnanswered(missing)
}

function refuseUnanswered(calls: readonly Placed[]): never {
  const first = calls[0]!.message
  const ids = calls.filter(({ message }) => message === first).map(({ block }) => String(block.id))
  refuse(
    `messages.${first}`,
    `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  )
}

/** Checks that each server tool call has its result in the same turn. Only the last turn may have paused. */
function checkServerCalls(turns: readonly Turn[]): void {
  for (const { role, blocks } of turns.slice(0, -1)) {
    if (role !== 'assistant') continue
    const answered = new Set(blocks.map(({ block }) => block.tool_use_id))
    for (const { block, message } of blocks) {
      if (block.type !== 'server_tool_use' || answered.has(block.id)) continue
      const { name } = block
      const result = name.startsWith('tool_search') ? 'tool_search_tool_result' : `${name}_tool_result`
      refuse(
        `messages.${message}`,
        `\`${name}\` tool use with id \`${block.id}\` was found without a corresponding \`${result}\` block`,
      )
    }
  }
}

function checkThinking(messages: readonly MessageParam[], thinks: boolean): void {
  if (!thinks) return
  messages.forEach((message, index) => {
    if (message.role !== 'assistant') return
    const blocks = blocksOf(message)
    const first = blocks[0]
    if (!first || isThinking(first) || !blocks.some(isThinking)) return
    refuse(
      `messages.${index}.content.0`,
      `If an assistant message contains any thinking blocks, the first block must be \`thinking\` or \`redacted_thinking\`. Found \`${first.type}\`.`,
    )
  })
}

/** Checks the positions of system messages, for models that take them. */
export function checkSystemMessages(messages: readonly MessageParam[]): void {
  messages.forEach((message, index) => {
    if (message.role !== 'system' || (message.content.length === 0 && 'output_config' in message)) return
    if (index === 0) refuse('messages.0', "use the top-level 'system' parameter for the initial system prompt")
    const before = messages.slice(0, index).findLast(({ role }) => role !== 'system')
    const after = messages.slice(index).find(({ role }) => role !== 'system')
    if (before?.role !== 'user' && !(before && endsInServerTool(before)))
      refuse(`messages.${index}`, 'a system message must immediately follow a user turn')
    if (after && after.role !== 'assistant')
      refuse(`messages.${index}`, 'a system message must be the last message or be followed by an assistant turn')
  })
}

/** Whether the message ends with a server tool's call or result, so that the model can continue it. */
export function endsInServerTool(message: MessageParam): boolean {
  const last = blocksOf(message).at(-1)
  return last !== undefined && isServerToolBlock(last)
}
