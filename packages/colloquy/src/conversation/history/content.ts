import { imageSize, mediaType } from '../../engines/prompt/media.ts'
import { hasBlockFields } from '../../protocol/content/block-fields.ts'
import { maxImageBytes, maxImagePixels } from '../../protocol/content/media.ts'
import { isBlank, isModelOnly } from '../../protocol/sendable.ts'
import { cutText } from '../../protocol/text.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type {
  ContentBlockParam,
  MessageContentParam,
  MessageParam,
  TextBlockParam,
  ToolResultBlockParam,
} from '../../protocol/types/params.ts'
import { unansweredIn } from '../../tools/run.ts'
import { ContentError } from '../errors.ts'

/** The tool calls at the end of a history that have no result yet, by the ids of their `tool_use` blocks. */
export type WaitingCalls = readonly string[]

/** The tool calls that wait for a result after the last message. */
export function waitingCalls(last: MessageParam | undefined): string[] {
  return unansweredIn(last === undefined ? [] : [last]).map(({ id }) => id)
}

/**
 * Checks a user message by the API's rules, so that nothing is stored or paid for that the API would refuse: a text must
 * not be empty, blocks that only the model may send are not allowed, and the message must begin with exactly the results
 * that the last reply waits for.
 */
export function checkContent(content: MessageContentParam, waiting: WaitingCalls): void {
  if (Array.isArray(content)) {
    for (const [index, block] of content.entries()) {
      if (block?.type === 'tool_result') checkResult(block, `content.${index}`)
    }
  }
  checkUserContent(content, waiting)
  if (typeof content !== 'string') checkAllMedia(content, 'content')
}

/** @param blocks their fields have the types of the API. */
function checkAllMedia(blocks: readonly { type: string; content?: unknown }[], path: string): void {
  for (const [index, block] of blocks.entries()) {
    const fault = mediaFault(block)
    if (fault !== undefined) throw new ContentError(`Cannot send ${path}.${index}: found ${fault}`)
    if (block.type === 'tool_result' && Array.isArray(block.content)) {
      checkAllMedia(block.content as { type: string }[], `${path}.${index}.content`)
    }
  }
}

function checkUserContent(content: MessageContentParam, waiting: WaitingCalls): void {
  if (typeof content === 'string') {
    checkText(content, 'content')
    checkResults([], waiting)
    return
  }
  if (!Array.isArray(content) || content.length === 0) throw noContent(content)
  for (const [index, block] of content.entries()) checkBlock(block, `content.${index}`)
  const results = content.filter((block): block is ToolResultBlockParam => block.type === 'tool_result')
  const misplaced = content.findIndex((block, index) => block.type === 'tool_result' && index >= results.length)
  if (misplaced >= 0) {
    throw new ContentError(`Cannot send content.${misplaced}: tool results come before all other blocks`)
  }
  checkResults(results, waiting)
}

/** Throws a `ContentError` for content that is neither text nor a list of blocks. It may be empty, as a draft is. */
export function checkDraft(content: MessageContentParam): void {
  if (typeof content === 'string') return
  if (!Array.isArray(content)) throw noContent(content)
  for (const [index, block] of content.entries()) checkType(block, `content.${index}`)
}

function noContent(content: unknown): ContentError {
  return new ContentError(`Cannot send content: it must be text or a list of blocks, found ${describe(content)}`)
}

/** Checks a message of a history that other messages follow. The content of tool results is not checked. */
export function checkMessage({ role, content }: MessageParam, waiting: WaitingCalls): void {
  if (role === 'user') return checkUserContent(content, waiting)
  if (role !== 'assistant' && role !== 'system') throw new ContentError(`its role is ${describe(role)}`)
  checkResults([], waiting)
  if (content?.length > 0) return
  throw new ContentError(`its content must be text or a list of blocks, found ${describe(content)}`)
}

/** Checks content that replaces a reply: text, or blocks without tool calls, which would stay unanswered. */
export function checkReplacement(content: MessageContentParam): void {
  if (typeof content === 'string') return checkText(content, 'content')
  checkContent(content, [])
}

function checkType(block: ContentBlockParam | null, path: string): asserts block is ContentBlockParam {
  if (typeof block === 'object' && block !== null && typeof block.type === 'string') return
  throw new ContentError(`Cannot send ${path}: it must be a block with a type, found ${describe(block)}`)
}

function checkBlock(block: ContentBlockParam | null, path: string): void {
  checkType(block, path)
  if (isModelOnly(block)) throw new ContentError(`Cannot send ${path}: only the model writes ${block.type} blocks`)
  if (block.type === 'text') checkText(block.text, `${path}.text`)
  if (!hasBlockFields(block)) {
    throw new ContentError(`Cannot send ${path}: a field of this ${block.type} block is missing or has a wrong type`)
  }
}

/** A result may be empty, unless it is an error: the API refuses that, at every later turn too. */
function checkResult({ content, is_error: isError }: ToolResultBlockParam, path: string): void {
  const isText = (block: { type: string } | null): block is TextBlockParam => block?.type === 'text'
  if (Array.isArray(content)) {
    for (const [index, block] of content.entries()) {
      if (isText(block)) checkText(block.text, `${path}.content.${index}.text`)
    }
  }
  if (isError && (content === undefined || content === null || isEmpty(content))) {
    throw new ContentError(`Cannot send ${path}: the result of a tool call that failed needs content`)
  }
}

function isEmpty(content: string | readonly unknown[]): boolean {
  return typeof content === 'string' ? isBlank(content) : content.length === 0
}

function checkText(text: unknown, path: string): void {
  if (typeof text !== 'string') throw new ContentError(`Cannot send ${path}: it must be text, found ${describe(text)}`)
  if (isBlank(text)) throw new ContentError(`Cannot send ${path}: found no visible character in it`)
}

function checkResults(results: readonly ToolResultBlockParam[], waiting: WaitingCalls): void {
  if (results.length === 0 && waiting.length === 0) return
  const answered = new Set<string>()
  for (const { tool_use_id: id } of results) {
    if (!waiting.includes(id))
      throw new ContentError(`Cannot send the result of ${id}: no call with this id waits for one`)
    if (answered.has(id)) throw new ContentError(`Cannot send the result of ${id} twice`)
    answered.add(id)
  }
  const missing = waiting.filter((id) => !answered.has(id))
  if (missing.length === 0) return
  throw new ContentError(
    `Cannot send content without the results of ${missing.join(', ')}: the last reply waits for them. Send them, or undo the turn`,
    { waitingCalls: missing },
  )
}

interface MediaSource {
  type: string
  data: string
  media_type: string
}

/**
 * Describes an image or a document whose bytes the API refuses, as it would at every later turn. Undefined for other blocks,
 * for references, and if nothing is found against the bytes.
 *
 * @param block its fields have the types of the API.
 */
export function mediaFault({ type, source }: { type: string; source?: unknown }): string | undefined {
  const { type: kind, data, media_type: named } = (source ?? {}) as MediaSource
  if (kind !== 'base64') return undefined
  if (type === 'image') return imageFault(data, named)
  const isPdf = named === 'application/pdf' && mediaType(data) === named
  return type !== 'document' || isPdf ? undefined : 'a document that is neither text nor a PDF'
}

function imageFault(data: string, named: string): string | undefined {
  const size = imageSize(data)
  if (size === undefined) return 'an image that cannot be read'
  const found = mediaType(data)
  if (found !== named) return `an image whose media type is ${found}, not ${named}`
  if (data.length > maxImageBytes) return 'an image of more than 10 MB as base64'
  const isLarge = Math.max(size.width, size.height) > maxImagePixels
  return isLarge ? `an image of more than ${maxImagePixels} pixels a side` : undefined
}

/** Lists and objects that stand in each other at more levels than this are refused: reading them could end the stack. */
export const maxLevels = 1_000

/**
 * Copies values that JSON can represent, so that the caller may change the originals afterwards. Other values are returned
 * as they are. Throws an `AnthropicError` for a value that contains itself, or that is nested more than 1,000 levels deep.
 */
export function copyOf<Value>(value: Value): Value {
  return copied(value, 0)
}

function copied<Value>(value: Value, level: number): Value {
  if (typeof value !== 'object' || value === null) return value
  if (level > maxLevels) {
    throw new AnthropicError(
      `Cannot copy what was given: it contains itself, or is nested more than ${maxLevels} levels deep`,
    )
  }
  if (Array.isArray(value)) return value.map((each: unknown) => copied(each, level + 1)) as Value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy = { ...value }
  // Five times as fast as Object.fromEntries().
  for (const name of Object.keys(copy) as (keyof Value)[]) copy[name] = copied(copy[name], level + 1)
  return copy
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'string') return JSON.stringify(cutText(value, 41))
  return value === null || typeof value !== 'object' ? String(value) : 'an object'
}
