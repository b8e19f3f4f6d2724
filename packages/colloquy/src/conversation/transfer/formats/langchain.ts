import { isObject } from '../../../protocol/json/json-object.ts'
import { isBlank, isServerToolBlock } from '../../../protocol/sendable.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import type { Pausable } from '../../in-slices.ts'
import { type AnyBlock, contentOf, type SourceBlock, textBlock, toBlock } from '../blocks.ts'
import type { ImportNotes } from '../report.ts'
import { keysOf, printed } from '../unknown-file.ts'
import { aboutReply, objectsIn, type SourceConversation, type SourceMessage } from '../source.ts'
import { mediaBlock } from './media-block.ts'

/** The fields of a LangChain message, from whichever of its three JSON forms. */
export interface Fields {
  content?: unknown
  tool_calls?: unknown
  tool_call_id?: unknown
  status?: unknown
  additional_kwargs?: unknown
  response_metadata?: unknown
  usage_metadata?: unknown
  role?: unknown
}

const roles: Record<string, string> = {
  human: 'user',
  ai: 'assistant',
  system: 'system',
  tool: 'tool',
  developer: 'system',
}

/** Whether this is a LangChain message: `{ lc, id, kwargs }`, `{ type, data }`, or its fields with a `type`. */
export function isLangChain(value: unknown): boolean {
  return roleOf(value) !== undefined
}

/** Reads LangChain messages. */
export function* readLangChain(
  list: readonly { line: number; value: unknown }[],
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const collector = new MessageCollector()
  for (const { line, value } of list) {
    const role = roleOf(value)
    if (role === undefined) notes.skipped(line, `${keysOf(value)}, which is not a message the API has a role for`)
    else collector.add({ line, role, fields: fieldsOf(value as object) }, notes)
    yield
  }
  return collector.conversation
}

/** A message of LangChain, or another one that has its fields. */
interface GivenMessage {
  line: number
  role: string
  fields: Fields
}

/** Collects messages. Results of tools that follow each other become one user message. */
export class MessageCollector {
  readonly #messages: SourceMessage[] = []
  /** The blocks of the last message, if it has results of tools. */
  #results: SourceBlock[] | undefined

  add({ line, role, fields }: GivenMessage, notes: ImportNotes): void {
    if (role === 'tool') return this.#addResult(line, resultOf(fields, line, notes))
    const about = role === 'assistant' ? aboutReply((name) => metadataOf(fields)[name]) : undefined
    this.#endResults()
    this.#push(line, role, { content: contentOf(blocksIn(fields, line, notes)), ...(about && { about }) })
  }

  /** The conversation of all messages, in their order. */
  get conversation(): SourceConversation {
    this.#endResults()
    return { settings: {}, messages: this.#messages, head: this.#messages.length }
  }

  #addResult(line: number, result: SourceBlock): void {
    if (this.#results === undefined) this.#push(line, 'user', { content: null })
    this.#results ??= []
    this.#results.push(result)
  }

  #endResults(): void {
    if (this.#results) this.#messages.at(-1)!.content = contentOf(this.#results)
    this.#results = undefined
  }

  #push(line: number, role: string, more: Pick<SourceMessage, 'content' | 'about'>): void {
    this.#messages.push({ line, role, parent: this.#messages.length, createdAt: 0, ...more })
  }
}

/** `HumanMessage` → `user`, `ai` → `assistant`; undefined if it is not a message. */
function roleOf(message: unknown): string | undefined {
  if (!isObject(message)) return undefined
  const type = typeOf(message)
  return Object.hasOwn(roles, type) ? roles[type] : undefined
}

function typeOf(message: object): string {
  const { id, kwargs, type } = message as { id?: unknown; kwargs?: unknown; type?: unknown }
  const isSerialized = typeof kwargs === 'object' && Array.isArray(id)
  const name = isSerialized ? printed(id.at(-1)) : printed(type)
  return name.replace(/Message(?:Chunk)?$/, '').toLowerCase()
}

function fieldsOf(message: object): Fields {
  const { kwargs, data } = message as { kwargs?: Fields; data?: Fields }
  return kwargs ?? data ?? message
}

function blocksIn({ content, tool_calls: calls }: Fields, line: number, notes: ImportNotes): SourceBlock[] {
  const parts = Array.isArray(content) ? (content as unknown[]) : [content]
  const blocks = parts.flatMap((part) => blockOf(part, line, notes))
  const known = new Set(blocks.map(({ block }) => block.id))
  const others = objectsIn<{ id?: unknown; name?: unknown; args?: unknown }>(calls)
  const missing = others.filter(({ id }) => !known.has(id))
  return [...blocks, ...missing.map(({ id, name, args }) => toBlock({ type: 'tool_use', id, name, input: args ?? {} }))]
}

/** The block for a part of a message's content, which is in the API's form or in LangChain's own. */
function blockOf(part: unknown, line: number, notes: ImportNotes): SourceBlock[] {
  if (typeof part === 'string') return isBlank(part) ? [] : [textBlock(part)]
  if (!isObject(part)) return []
  const block = part as AnyBlock
  if (block.type === 'image_url') return [imageOf(block['image_url'])]
  if (block.type === 'tool_call')
    return [toBlock({ type: 'tool_use', id: block.id, name: block.name, input: block['args'] ?? {} })]
  if (block.type === 'tool_use' || block.type === 'server_tool_use') return [toBlock(toolUse(block))]
  if (mediaTypes.has(block.type) && block['source'] === undefined) return [mediaOf(block)]
  if (isOfApi(block)) return [toBlock(withoutIndex(block))]
  if (block.type === 'reasoning') notes.repaired(line, 'left out: reasoning without a signature')
  else if (block.type !== 'input_json_delta') {
    notes.repaired(line, `left out: a ${printed(block.type)} part, which the API does not take`)
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

function isOfApi({ type }: { type: unknown }): boolean {
  return apiTypes.has(type) || isServerToolBlock({ type })
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

function resultOf({ tool_call_id: id, content, status }: Fields, line: number, notes: ImportNotes): SourceBlock {
  return toBlock({
    type: 'tool_result',
    tool_use_id: id,
    content: typeof content === 'string' ? content : resultContent(content, line, notes),
    ...(status === 'error' && { is_error: true }),
  })
}

/** Parts as blocks; a value that is not a list of parts as JSON. */
function resultContent(content: unknown, line: number, notes: ImportNotes): unknown {
  const isPart = (part: unknown): boolean =>
    typeof part === 'string' || (isObject(part) && typeof part['type'] === 'string')
  if (!Array.isArray(content) || !content.every(isPart)) return JSON.stringify(content)
  return content.flatMap((part) => blockOf(part, line, notes)).map(({ block }) => block)
}

function metadataOf({ response_metadata: metadata }: Fields): Record<string, unknown> {
  const found = isObject(metadata) ? metadata : {}
  return { ...found, model: found['model'] ?? found['model_name'] }
}
