import { mediaType } from '../../../engines/prompt/media.ts'
import {
  hasBlockFields,
  hasCitationFields,
  isResultBlock,
  isSilentFailure,
  silentFailureText,
} from '../../../protocol/content/block-fields.ts'
import {
  isServerToolResult,
  isServerToolUse,
  isThinking,
  isToolInput,
  isUserOnly,
  withoutLastThinking,
} from '../../../protocol/sendable.ts'
import { cutText } from '../../../protocol/text.ts'
import { mediaFault } from '../../history/content.ts'
import { type AnyBlock, blocksOf, contentOf, type SourceBlock, withMember, without } from '../blocks.ts'
import { foreignMembers, isKnownType } from './known-members.ts'
import type { SourceMessage } from '../source.ts'
import { isVisible } from '../values.ts'

/** A message without what the API refuses wherever the message stands. */
export interface CleanMessage {
  /** The blocks as they are in the file. Those that no program could show are left out or cleaned. */
  original: readonly SourceBlock[]
  /** The JSON of these blocks, or the exact content of the file if it has no others. */
  content: string
  /** Empty: the message is never sent. */
  blocks: SourceBlock[]
  /** The parts that were left out or changed. */
  reasons: string[]
}

/** The block as it goes out; undefined if it is left out. Adds what was left out or changed to the reasons. */
type Clean = (source: SourceBlock, reasons: string[], surroundings: Surroundings) => SourceBlock | undefined

interface Surroundings {
  /** All blocks of the message. */
  all: readonly SourceBlock[]
  /** The ids of the calls of the API's own tools that are complete together with another message. */
  paired: ReadonlySet<unknown>
}

const noPairs: ReadonlySet<unknown> = new Set()

/**
 * Undefined if the content is neither text nor a list.
 *
 * @param paired the ids of the calls of the API's own tools that are complete together with another message.
 */
export function cleanMessage(
  { role, content }: SourceMessage,
  isOfApi = false,
  paired: ReadonlySet<unknown> = noPairs,
): CleanMessage | undefined {
  const found = content === null ? undefined : blocksOf(content)
  if (found === undefined) return undefined
  const reasons: string[] = []
  const clean = role === 'assistant' ? cleanReplyBlock : cleanUserBlock
  const cleaned = found.map((source) => {
    const block = clean(source, reasons, { all: found, paired })
    return block && !isOfApi ? knownPart(block, reasons) : block
  })
  const blocks = cleaned.filter((source) => source !== undefined)
  const original = found.flatMap((source, index) => {
    return canBeShown(source) && hasCitationFields(source.block) ? source : (cleaned[index] ?? [])
  })
  const isExact = original.length === found.length && original.every((source, index) => source === found[index])
  return {
    original,
    content: isExact ? content! : contentOf(original),
    blocks: role === 'assistant' ? withoutThinkingAtEnd(blocks, reasons) : blocks,
    reasons,
  }
}

/** Without what the API does not know, which another program has added. */
function knownPart(source: SourceBlock, reasons: string[]): SourceBlock | undefined {
  if (isKnownType(source.block)) return withKnownMembers(source, reasons)
  reasons.push(`a block of type ${cutText(source.block.type, 40)}, which the API does not have`)
  return undefined
}

function withKnownMembers(source: SourceBlock, reasons: string[]): SourceBlock {
  const { type, content } = source.block
  const foreign = foreignMembers(source.block)
  if (foreign.length > 0) reasons.push(`${foreign.join(', ')} of a ${type} block`)
  const kept = foreign.length > 0 ? without(source, ...foreign) : source
  if (type !== 'tool_result' || !Array.isArray(content)) return kept
  return withParts(kept, (part) => withKnownMembers(part, reasons))
}

/** A tool result with other parts in its list. Those for which `change` returns undefined are left out. */
function withParts(result: SourceBlock, change: (part: SourceBlock) => SourceBlock | undefined): SourceBlock {
  const parts = blocksOf(JSON.stringify(result.block.content))!
  const kept = parts.flatMap((part) => change(part) ?? [])
  if (kept.length === parts.length && kept.every((part, index) => part === parts[index])) return result
  const content = kept.map(({ block }) => block)
  return content.length === 0 ? without(result, 'content') : withMember(result, 'content', content)
}

/** Whether it is a block with the fields that its type says it has. */
export function canBeShown({ block }: SourceBlock): boolean {
  return block.type !== '' && hasBlockFields(block)
}

/** The API refuses a reply that ends in thinking. */
export function withoutThinkingAtEnd(blocks: SourceBlock[], reasons: string[]): SourceBlock[] {
  const count = withoutLastThinking(blocks.map(({ block }) => block)).length
  if (count < blocks.length) reasons.push('thinking that nothing follows')
  return blocks.slice(0, count)
}

const cleanReplyBlock: Clean = (source, reasons, surroundings) => {
  const fault = faultInReply(source.block, surroundings)
  if (fault === undefined) return cleanAnyBlock(source, reasons)
  reasons.push(fault)
  return undefined
}

/** Why the block cannot be part of a reply. */
function faultInReply(block: AnyBlock, surroundings: Surroundings): string | undefined {
  if (isUserOnly(block)) return `a block of type ${block.type} in a reply`
  if (block.type === 'tool_use') return isToolCall(block) ? undefined : 'an incomplete tool call'
  if (isThinking(block)) return isSigned(block) ? undefined : 'thinking without a signature'
  if (isServerToolUse(block) && !isToolInput(block.input)) return 'an incomplete tool call'
  if (isForeign(block)) return 'a search or another server tool of another API'
  if (isServerToolUse(block) && !isAnswered(block, surroundings)) return 'a server tool call without its result'
  return isServerToolResult(block) && !isCalled(block, surroundings)
    ? 'a server tool result without its call'
    : undefined
}

/** Whether the block is a server tool call, or the result of one, whose id the API did not give. */
function isForeign(block: AnyBlock): boolean {
  const isCall = block.type === 'server_tool_use'
  const isResult = isServerToolResult(block) && block.type !== 'mcp_tool_result'
  return (isCall || isResult) && !/^srvtoolu_\w+$/.test(String(isCall ? block.id : block.tool_use_id))
}

const userTypes: ReadonlySet<string> = new Set([
  '',
  'text',
  'image',
  'document',
  'search_result',
  'container_upload',
  'tool_addition',
  'tool_removal',
])

const cleanUserBlock: Clean = (source, reasons) => {
  const { block } = source
  if (block.type === 'tool_result' && isText(block.tool_use_id)) return cleanResult(source, reasons)
  if (userTypes.has(block.type)) return cleanAnyBlock(source, reasons)
  reasons.push(block.type === 'tool_result' ? 'a tool result without an id' : `a ${block.type} block in a user message`)
  return undefined
}

function cleanAnyBlock(source: SourceBlock, reasons: string[]): SourceBlock | undefined {
  const { block } = source
  if (block.type === 'text' && isText(block.text) && !(hasBlockFields(block) && hasCitationFields(block))) {
    reasons.push('citations that the API refuses')
    return cleanAnyBlock(without(source, 'citations'), reasons)
  }
  const fault = faultIn(block)
  if (fault !== undefined) {
    reasons.push(fault)
    return undefined
  }
  const type = imageType(block)
  if (type === undefined) return source
  reasons.push(`the media type of an image, which is ${type} now`)
  return withMember(source, 'source', { ...(block['source'] as object), media_type: type })
}

/** Why the API refuses the block wherever it stands. */
function faultIn(block: AnyBlock): string | undefined {
  const { type, text } = block
  if (type === '') return 'an entry that is not a content block'
  if (type === 'text' && !isVisible(text)) return 'a text block without a visible character'
  if (!hasBlockFields(block)) return `a ${type} block with a field that the API refuses`
  return type === 'image' || type === 'document' ? faultInMedia(block) : undefined
}

interface MediaSource {
  type: string
  url: string
  data: string
  media_type: string
}

function faultInMedia(block: AnyBlock): string | undefined {
  const { type } = block
  const source = block['source'] as MediaSource
  const { type: kind, url, media_type: named } = source
  if (kind === 'url' && !/^https:\/\//i.test(url)) return `a ${type} block whose URL does not begin with https:`
  if (kind === 'text' && named !== 'text/plain') return 'a document that is neither text nor a PDF'
  return mediaFault({ type, source: { ...source, media_type: imageType(block) ?? named } })
}

/** The media type of an image if it is not the one that its block names. */
function imageType({ type, source }: AnyBlock): string | undefined {
  const { type: kind, data, media_type: named } = (source ?? {}) as MediaSource
  const found = type === 'image' && kind === 'base64' ? mediaType(data) : undefined
  return found === named ? undefined : found
}

/** A tool result with the content that the API takes. One that reports an error needs content. */
function cleanResult(source: SourceBlock, reasons: string[]): SourceBlock {
  const { is_error: isError } = source.block
  const isFlag = isError === undefined || typeof isError === 'boolean'
  if (!isFlag) reasons.push('is_error of a tool result, which is not a boolean')
  const result = withContent(isFlag ? source : without(source, 'is_error'), reasons)
  return isSilentFailure(result.block) ? withMember(result, 'content', silentFailureText) : result
}

function withContent(source: SourceBlock, reasons: string[]): SourceBlock {
  const { content } = source.block
  if (content === undefined || typeof content === 'string') return source
  if (!Array.isArray(content)) {
    reasons.push('the content of a tool result, which is neither text nor a list')
    return content === null ? without(source, 'content') : withMember(source, 'content', JSON.stringify(content))
  }
  const why: string[] = []
  const cleaned = withParts(source, (part) => cleanPart(part, why))
  reasons.push(...why.map((reason) => `${reason} in a tool result`))
  return cleaned
}

function cleanPart(part: SourceBlock, reasons: string[]): SourceBlock | undefined {
  const cleaned = cleanAnyBlock(part, reasons)
  const isTaken = cleaned === undefined || isResultBlock(cleaned.block)
  if (!isTaken) reasons.push(`a ${part.block.type} block`)
  return isTaken ? cleaned : undefined
}

function isToolCall({ id, name, input }: AnyBlock): boolean {
  return isText(id) && isText(name) && isToolInput(input)
}

function isSigned({ type, thinking, signature, data }: AnyBlock): boolean {
  return type === 'thinking' ? typeof thinking === 'string' && isText(signature) : isText(data)
}

function isAnswered({ id }: AnyBlock, { all, paired }: Surroundings): boolean {
  return isText(id) && (paired.has(id) || all.some(({ block }) => block.tool_use_id === id))
}

function isCalled({ tool_use_id: id }: AnyBlock, { all, paired }: Surroundings): boolean {
  if (!isText(id)) return false
  return (
    paired.has(id) || all.some(({ block }) => isServerToolUse(block) && isToolInput(block.input) && block.id === id)
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
