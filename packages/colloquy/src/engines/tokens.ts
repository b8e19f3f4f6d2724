import { documentPages, imageSize } from './media.ts'
import { isThinking } from '../protocol/sendable.ts'
import type { ImageSize } from '../protocol/codec/media.ts'
import type { MessageCountTokensParams } from '../protocol/types/params.ts'

/**
 * Estimates how many tokens a text has. It is an estimate: the real tokenizer is not public.
 *
 * The text is read as runs of one kind of character, and each run costs, rounded up:
 *
 * - letters: one token for each 8 ASCII letters, one for each 4 other letters, one for each Han, kana or Hangul character;
 * - digits: one for each 3;
 * - white space: none for a single space, which belongs to the word after it, else one for each 4 characters;
 * - everything else: one for each 3 bytes of UTF-8.
 *
 * It is stable (the rule changes only with a major version), monotone (a text never has fewer tokens than its
 * beginning), and additive where a text is cut before white space that follows something else.
 */
export function countTokens(text: string): number {
  let tokens = 0
  let kind = -1
  let size = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const next = kindOf(code)
    if (next !== kind) {
      tokens += costOf(kind, size)
      kind = next
      size = 0
    }
    size += next === other ? bytesOf(code) : 1
  }
  return tokens + costOf(kind, size)
}

const ascii = 0
const letter = 1
const ideograph = 2
const digit = 3
const space = 4
const other = 5

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return ascii
  if (code === 32 || code === 10 || code === 13 || code === 9) return space
  if (code >= 65 && code <= 90) return ascii
  if (code >= 48 && code <= 57) return digit
  if (code < 0xc0) return other
  if (code >= 0x2e80 && code <= 0xd7ff) return ideograph
  return code < 0x2000 ? letter : other
}

function bytesOf(code: number): number {
  if (code < 0x80) return 1
  // Half of a surrogate pair is half of four bytes.
  return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3
}

function costOf(kind: number, size: number): number {
  if (size === 0) return 0
  if (kind === ascii) return Math.ceil(size / 8)
  if (kind === letter) return Math.ceil(size / 4)
  if (kind === ideograph) return size
  if (kind === space) return size === 1 ? 0 : Math.ceil(size / 4)
  return Math.ceil(size / 3)
}

/** How a model sees what is not text. */
export interface TokenRules {
  /** The longest edge of an image in pixels: a larger image is scaled down. Default 2,576. */
  maxImageEdge?: number
  /** The most tokens an image may cost. Default 4,784. */
  maxImageTokens?: number
  /** What tools add to the system prompt when there are any. Default 300. */
  toolTokens?: number
}

const perMessage = 4
const perBlock = 2
const perPage = 2_000

/**
 * Estimates the prompt of a request: messages, system, tools, images at 28 × 28 pixels a token and PDF pages at 2,000.
 *
 * Adding a message, a block, a tool or text never lowers it.
 */
export function countPromptTokens(params: MessageCountTokensParams, rules: TokenRules = {}): number {
  let tokens = 0
  for (const segment of promptSegments(params, rules)) tokens += segment.tokens
  return tokens
}

/** One step of the prompt in the order in which the model reads it: a tool, a system block, or a message's block. */
export interface PromptSegment {
  level: 'tools' | 'system' | 'messages'
  tokens: number
  /** What the prompt cache compares. */
  text: string
  /** The cache mark, if the block carries one. */
  ttl: '5m' | '1h' | undefined
  /** Whether a cache mark may stand here. */
  markable: boolean
}

/** The prompt as the segments that caching and counting work on. */
export function* promptSegments(params: MessageCountTokensParams, rules: TokenRules = {}): Generator<PromptSegment> {
  const { tools = [], system, messages } = params
  for (const [index, tool] of tools.entries()) {
    const text = render(tool)
    const overhead = index === 0 ? (rules.toolTokens ?? 300) : 0
    yield { level: 'tools', tokens: countTokens(text) + overhead, text, ttl: markOf(tool), markable: true }
  }
  for (const block of blocksOf(system ?? [])) yield* segmentsOf(block, 'system', perBlock, rules)
  for (const { role, content } of messages) {
    let overhead = perMessage
    for (const block of blocksOf(content)) {
      for (const segment of segmentsOf(block, 'messages', overhead, rules)) {
        // The role is part of what the cache compares: the same words said by the other side are another prompt.
        yield { ...segment, text: `${role}:${segment.text}` }
      }
      overhead = perBlock
    }
  }
}

type Block = Record<string, unknown> & { type: string }

function blocksOf(content: string | readonly unknown[]): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Block[])
}

function* segmentsOf(
  block: Block,
  level: PromptSegment['level'],
  overhead: number,
  rules: TokenRules,
): Generator<PromptSegment> {
  const { type, content } = block
  if (type === 'tool_result' && Array.isArray(content)) {
    // Marks inside a tool result are processed before its own.
    for (const inner of content as Block[]) yield* segmentsOf(inner, level, perBlock, rules)
    const text = render({ ...block, content: undefined })
    yield { level, tokens: overhead + countTokens(String(block.tool_use_id)), text, ttl: markOf(block), markable: true }
    return
  }
  const markable = !isThinking(block) && block.text !== ''
  yield { level, tokens: overhead + tokensOf(block, rules), text: render(block), ttl: markOf(block), markable }
}

function tokensOf(block: Block, rules: TokenRules): number {
  const source = block.source as Block | undefined
  if (block.type === 'text') return countTokens(String(block.text))
  if (block.type === 'thinking') return countTokens(String(block.thinking))
  // Opaque data says nothing of the tokens in it; a base64 sign is worth less than a letter.
  if (block.type === 'redacted_thinking') return Math.ceil(String(block.data).length / 8)
  if (block.type === 'image') return imageTokens(source, rules)
  if (block.type === 'document' && source) {
    const about = countTokens([block.title, block.context].filter(Boolean).join('\n'))
    if (source.type === 'base64') return about + documentPages(String(source.data)) * perPage
    if (source.type === 'text') return about + countTokens(String(source.data))
    if (source.type === 'content')
      return about + blocksOf(source.content as string | Block[]).reduce((sum, each) => sum + tokensOf(each, rules), 0)
    return about + perPage
  }
  return countTokens(render(block))
}

function imageTokens(source: Block | undefined, rules: TokenRules): number {
  const { maxImageEdge = 2_576, maxImageTokens = 4_784 } = rules
  const size = source?.type === 'base64' ? imageSize(String(source.data)) : undefined
  if (!size) return Math.min(1_568, maxImageTokens)
  const scale = Math.min(1, maxImageEdge / Math.max(size.width, size.height))
  return Math.max(1, Math.min(maxImageTokens, tiles(size, scale)))
}

function tiles({ width, height }: ImageSize, scale: number): number {
  return Math.ceil((width * scale) / 28) * Math.ceil((height * scale) / 28)
}

function markOf(block: object): PromptSegment['ttl'] {
  const mark = (block as { cache_control?: { ttl?: '5m' | '1h' } | null }).cache_control
  return mark ? (mark.ttl ?? '5m') : undefined
}

// A cache mark is no part of what the model reads, so moving it does not change the prompt.
function render(block: object): string {
  return JSON.stringify({ ...block, cache_control: undefined })
}
