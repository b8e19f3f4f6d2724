import { isObject } from '../../../protocol/json/json-object.ts'
import { isBlank, isServerToolBlock } from '../../../protocol/sendable.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import { type AnyBlock, type SourceBlock, textBlock, toBlock } from '../blocks.ts'
import type { SourceLine } from '../report.ts'
import { aboutReply } from '../source.ts'
import { type Fields, fieldsIn, objectsIn, printed } from '../values.ts'
import { mediaBlock } from './media-block.ts'
import type { MessageCollector } from './message-collector.ts'

/** A message of a library, with the fields that LangChain gives it. */
export interface LibraryMessage {
  line: SourceLine
  /** `user`, `assistant`, `system` or `tool`. */
  role: string
  fields: MessageFields
}

export interface MessageFields {
  content?: unknown
  tool_calls?: unknown
  tool_call_id?: unknown
  status?: unknown
  response_metadata?: unknown
}

export function addMessage(messages: MessageCollector, { line, role, fields }: LibraryMessage): void {
  if (role === 'tool') return messages.addResult(line, resultOf(fields, line))
  const metadata = fieldsIn(fields.response_metadata)
  const about =
    role === 'assistant' &&
    aboutReply((name) => metadata[name] ?? (name === 'model' ? metadata['model_name'] : undefined))
  messages.add({ line, role, blocks: blocksIn(fields, line), ...(about && { about }) })
}

function blocksIn({ content, tool_calls: calls }: MessageFields, line: SourceLine): SourceBlock[] {
  const parts = Array.isArray(content) ? (content as unknown[]) : [content]
  const blocks = parts.flatMap((part) => blocksOfPart(part, line))
  const known = new Set(blocks.map(({ block }) => block.id))
  const missing = objectsIn(calls).filter(({ id }) => !known.has(id))
  return [...blocks, ...missing.map(callBlock)]
}

/** The block for a part of a message's content, which is in the API's form or in one of the libraries. */
export function blocksOfPart(part: unknown, line: SourceLine): SourceBlock[] {
  if (typeof part === 'string') return isBlank(part) ? [] : [textBlock(part)]
  if (!isObject(part)) return []
  const block = part as AnyBlock
  if (block.type === 'image_url') return [imageOf(block['image_url'])]
  if (block.type === 'tool_call') return [callBlock(block)]
  if (block.type === 'tool_use' || block.type === 'server_tool_use') return [toBlock(toolUse(block))]
  if (mediaTypes.has(block.type) && block['source'] === undefined) return [mediaOf(block)]
  if (apiTypes.has(block.type) || isServerToolBlock(block)) return [toBlock(withoutIndex(block))]
  if (block.type === 'reasoning') line.repaired('left out: reasoning without a signature')
  else if (block.type !== 'input_json_delta') {
    line.repaired(`left out: a ${printed(block.type)} part, which the API does not take`)
  }
  return []
}

const mediaTypes: ReadonlySet<unknown> = new Set(['image', 'file', 'media', 'text-plain'])
const apiTypes: ReadonlySet<unknown> = new Set([
  'text',
  'image',
  'document',
  'search_result',
  'container_upload',
  'thinking',
  'redacted_thinking',
  'tool_result',
  'compaction',
])

function callBlock({ id, name, args }: Fields): SourceBlock {
  return toBlock({ type: 'tool_use', id, name, input: args ?? {} })
}

/** The block for a picture or a file in LangChain's own form, which has had several names for its members. */
function mediaOf(block: AnyBlock): SourceBlock {
  const { title = block['filename'], text } = block
  if (typeof text === 'string')
    return toBlock({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, title })
  const type = block['mime_type'] ?? block['mimeType'] ?? (block.type === 'image' ? 'image/*' : undefined)
  return mediaBlock({ data: block.data ?? block['base64'] ?? block['url'], type, title })
}

/** Streamed messages carry the input of a call as text. */
function toolUse({ input, partial_json: part, index: _, ...block }: AnyBlock): AnyBlock {
  const text = typeof part === 'string' && part !== '' ? part : input
  return { ...block, input: typeof text === 'string' ? inputIn(text) : text }
}

/** A text that is not JSON stays a text, which is then left out as an incomplete call. */
export function inputIn(text: string): unknown {
  try {
    return parseJson(text === '' ? '{}' : text)
  } catch {
    return text
  }
}

function withoutIndex({ index: _, ...block }: AnyBlock): AnyBlock {
  return block
}

function imageOf(given: unknown): SourceBlock {
  return mediaBlock({ data: isObject(given) ? given['url'] : given, type: 'image/*' })
}

function resultOf({ tool_call_id: id, content, status }: MessageFields, line: SourceLine): SourceBlock {
  return toBlock({
    type: 'tool_result',
    tool_use_id: id,
    content: typeof content === 'string' ? content : resultContent(content, line),
    ...(status === 'error' && { is_error: true }),
  })
}

/** Parts as blocks; a value that is not a list of parts as JSON. */
function resultContent(content: unknown, line: SourceLine): unknown {
  const isPart = (part: unknown): boolean =>
    typeof part === 'string' || (isObject(part) && typeof part['type'] === 'string')
  if (!Array.isArray(content) || !content.every(isPart)) return JSON.stringify(content)
  return content.flatMap((part) => blocksOfPart(part, line)).map(({ block }) => block)
}
