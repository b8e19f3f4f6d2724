import { documentPages, imageSize } from './media.ts'
import { isThinking } from '../../protocol/sendable.ts'
import type { ImageSize } from '../../protocol/content/media.ts'
import type { MessageCountTokensParams } from '../../protocol/types/params.ts'
import { atOnce, charactersPerStep } from '../pieces.ts'
import { printable } from '../printable.ts'

/**
 * Estimates the tokens of a text. The real tokenizer is not public.
 *
 * The text is split into runs of one kind of character. The tokens of each run, rounded up:
 *
 * - letters: one for 8 ASCII letters, one for 4 other letters, one for each Han, kana or Hangul character;
 * - digits: one for 3;
 * - white space: none for a single space, which belongs to the next word, else one for 4 characters;
 * - other characters: one for 3 bytes of UTF-8.
 *
 * The estimate is stable (the rules change only with a major version), monotone (a text never has fewer tokens than its
 * prefix), and additive if a text is cut before white space that follows another character.
 *
 * @example
 * ```ts
 * import { countTokens } from 'colloquy/engines'
 *
 * console.log(countTokens('The lamp was lit at dusk.')) // 7
 * ```
 */
export function countTokens(text: string): number {
  return atOnce(countText(text))
}

/** As `countTokens()`, in steps. */
function* countText(text: string): Generator<void, number> {
  let tokens = 0
  let kind = -1
  let size = 0
  for (let start = 0; start < text.length; start += charactersPerStep) {
    if (start > 0) yield
    const end = Math.min(text.length, start + charactersPerStep)
    for (let index = start; index < end; index++) {
      const code = text.charCodeAt(index)
      const next = kindOf(code)
      if (next !== kind) {
        tokens += costOf(kind, size)
        kind = next
        size = 0
      }
      size += next === other ? bytesOf(code) : 1
    }
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

/** How a model counts content other than text. */
export interface TokenRules {
  /** The longest edge in pixels to which larger images are scaled down. Default 2,576. */
  maxImageEdge?: number
  /** The most tokens of an image. Default 4,784. */
  maxImageTokens?: number
  /** The tokens that tools add to the system prompt. Default 300. */
  toolTokens?: number
}

const perMessage = 4
const perBlock = 2
const perPage = 2_000

/**
 * Estimates the prompt of a request: messages, system, tools, images at 28 × 28 pixels a token and PDF pages at 2,000 tokens.
 *
 * Adding a message, block, tool or text never lowers the count.
 *
 * @example
 * ```ts
 * import { countPromptTokens } from 'colloquy/engines'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * console.log(countPromptTokens({ model: 'claude-sonnet-4-6', messages }) > 5) // true
 * ```
 */
export function countPromptTokens(params: MessageCountTokensParams, rules: TokenRules = {}): number {
  return atOnce(countInSteps(params, rules))
}

/** As `countPromptTokens()`, in steps. */
export function* countInSteps(params: MessageCountTokensParams, rules: TokenRules = {}): Generator<void, number> {
  let tokens = 0
  for (const segment of promptSegments(params, rules, noText)) {
    tokens += segment?.tokens ?? 0
    yield
  }
  return tokens
}

/** A part of the prompt, in the order in which the model reads it: a tool, a system block or a block of a message. */
export interface PromptSegment {
  level: 'tools' | 'system' | 'messages'
  tokens: number
  /** The text that the prompt cache compares. */
  text: string
  /** The lifetime of the block's cache breakpoint, if it has one. */
  ttl: '5m' | '1h' | undefined
  /** Whether the block may have a cache breakpoint. */
  markable: boolean
}

/** Text that is not needed, such as to count tokens. */
function noText(): string {
  return ''
}

/** Splits the prompt into the segments that are cached and counted. Yields undefined between the steps of a long segment. */
export function* promptSegments(
  params: MessageCountTokensParams,
  rules: TokenRules = {},
  textOf: (block: object) => string = render,
): Generator<PromptSegment | void> {
  const { tools = [], system, messages } = params
  for (const [index, tool] of tools.entries()) {
    const text = render(tool)
    const overhead = index === 0 ? (rules.toolTokens ?? 300) : 0
    const tokens = (yield* countText(text)) + overhead
    yield { level: 'tools', tokens, text, ttl: markOf(tool), markable: true }
  }
  for (const block of blocksOf(system ?? [])) yield* segmentsOf(block, 'system', perBlock, rules, textOf)
  for (const { role, content } of messages) {
    let overhead = perMessage
    for (const block of blocksOf(content)) {
      for (const segment of segmentsOf(block, 'messages', overhead, rules, textOf)) {
        // The cache compares the role too: the same text from the other role is another prompt.
        yield segment && { ...segment, text: `${role}:${segment.text}` }
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
  textOf: (block: object) => string,
): Generator<PromptSegment | void> {
  const { type, content } = block
  if (type === 'tool_result' && Array.isArray(content)) {
    // Breakpoints inside a tool result come before its own.
    for (const inner of content as Block[]) yield* segmentsOf(inner, level, perBlock, rules, textOf)
    const text = textOf({ ...block, content: undefined })
    yield {
      level,
      tokens: overhead + countTokens(printable(block.tool_use_id)),
      text,
      ttl: markOf(block),
      markable: true,
    }
    return
  }
  const markable = !isThinking(block) && block.text !== ''
  const tokens = overhead + (yield* blockTokens(block, rules))
  yield { level, tokens, text: textOf(block), ttl: markOf(block), markable }
}

function* blockTokens(block: Block, rules: TokenRules): Generator<void, number> {
  const source = block.source as Block | undefined
  if (block.type === 'text') return yield* countText(printable(block.text))
  if (block.type === 'thinking') return yield* countText(printable(block.thinking))
  // The tokens in opaque data are unknown. A base64 character counts like a letter.
  if (block.type === 'redacted_thinking') return Math.ceil(printable(block.data).length / 8)
  if (block.type === 'image') return imageTokens(source, rules)
  if (block.type === 'document' && source) {
    const about = yield* countText([block.title, block.context].filter(Boolean).join('\n'))
    return about + (yield* sourceTokens(source, rules))
  }
  return yield* countText(render(block))
}

/** The tokens of a document. */
function* sourceTokens(source: Block, rules: TokenRules): Generator<void, number> {
  if (source.type === 'base64') return documentPages(printable(source.data)) * perPage
  if (source.type === 'text') return yield* countText(printable(source.data))
  if (source.type !== 'content') return perPage
  let tokens = 0
  for (const block of blocksOf(source.content as string | Block[])) tokens += yield* blockTokens(block, rules)
  return tokens
}

function imageTokens(source: Block | undefined, rules: TokenRules): number {
  const { maxImageEdge = 2_576, maxImageTokens = 4_784 } = rules
  const size = source?.type === 'base64' ? imageSize(printable(source.data)) : undefined
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

// The model does not read cache breakpoints, so moving one does not change the prompt.
function render(block: object): string {
  return JSON.stringify({ ...block, cache_control: undefined })
}
