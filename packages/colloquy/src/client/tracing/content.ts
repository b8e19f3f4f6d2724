import { fieldAt } from './attributes.ts'
import type { Attribute } from './open-telemetry.ts'

/** A part of a message, as the conventions of OpenTelemetry name it. */
type Part = Record<string, unknown>

interface MessageParts {
  role: unknown
  parts: Part[]
}

/**
 * The text of a request, and of a reply, as attributes of at most `limit` UTF-8 bytes. The first parts are left out of a
 * longer text. Images, documents and encrypted fields are never included.
 */
export function contentAttributes(request: unknown, reply: unknown, limit: number): Record<string, Attribute> {
  const system = fieldAt(request, ['system'])
  const messages = fieldAt(request, ['messages'])
  const stops = fieldAt(request, ['stop_sequences'])
  const instructions = system === undefined ? undefined : partsOf(system)
  const input = (Array.isArray(messages) ? messages : []).map((message): MessageParts => ({
    role: fieldAt(message, ['role']),
    parts: partsOf(fieldAt(message, ['content'])),
  }))
  const output = reply === undefined ? undefined : [{ role: 'assistant', parts: partsOf(reply) }]
  const lists = [instructions ?? [], ...[...input, ...(output ?? [])].map(({ parts }) => parts)]
  const values = (): Record<string, Attribute> => ({
    ...(instructions && { 'gen_ai.system_instructions': JSON.stringify(instructions) }),
    'gen_ai.input.messages': JSON.stringify(input),
    ...(output && { 'gen_ai.output.messages': JSON.stringify(output) }),
  })
  const stopSequences = Array.isArray(stops) && stops.length > 0 ? stops.map(String) : undefined
  const stopBytes = bytesOf((stopSequences ?? []).join(''))
  const keepsStops = stopSequences !== undefined && stopBytes <= limit
  const room = keepsStops ? limit - stopBytes : limit
  const excess = bytesOf(Object.values(values()).join('')) - room
  const isCut = cutFirst(lists, excess) || (stopSequences !== undefined && !keepsStops)
  return {
    ...values(),
    ...(keepsStops && { 'gen_ai.request.stop_sequences': stopSequences }),
    ...(isCut && { 'anthropic.content.truncated': true }),
  }
}

/**
 * The input of a tool call and its result as attributes of at most `limit` UTF-8 bytes. A longer input is left out, and so are
 * the last blocks of a longer result.
 */
export function toolContentAttributes(
  input: unknown,
  result: { content?: unknown } | undefined,
  limit: number,
): Record<string, Attribute> {
  const given = JSON.stringify(input) ?? ''
  const keepsInput = given !== '' && bytesOf(given) <= limit
  // The brackets of the list, then each block with a comma before it.
  let size = (keepsInput ? bytesOf(given) : 0) + 2
  const blocks = result && resultOf(result.content).map((block) => JSON.stringify(block))
  const tooMany = blocks?.findIndex((block, index) => (size += bytesOf(block) + Math.min(index, 1)) > limit) ?? -1
  const kept = tooMany < 0 ? blocks : blocks?.slice(0, tooMany)
  return {
    ...((tooMany >= 0 || (given !== '' && !keepsInput)) && { 'anthropic.content.truncated': true }),
    ...(keepsInput && { 'gen_ai.tool.call.arguments': given }),
    ...(kept && { 'anthropic.tool_result.content': `[${kept.join(',')}]` }),
  }
}

function partsOf(content: unknown): Part[] {
  if (typeof content === 'string') return [{ type: 'text', content }]
  return Array.isArray(content) ? content.map(partOf) : []
}

function partOf(block: Part): Part {
  const { type, id, name, input } = block
  switch (type) {
    case 'text':
      return { type, content: block['text'] }
    case 'thinking':
      return { type: 'reasoning', content: block['thinking'] }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      const toolset = type === 'tool_use' && typeof block['toolset_name'] === 'string'
      return {
        type: 'tool_call',
        id,
        name,
        arguments: input,
        ...(toolset && { anthropic_toolset_name: block['toolset_name'] }),
        ...(type === 'mcp_tool_use' && { anthropic_mcp_server_name: block['server_name'] }),
      }
    }
    default:
      if (typeof type !== 'string') return { type: 'anthropic_unknown' }
      if (!type.endsWith('tool_result') || !('tool_use_id' in block)) return { type: `anthropic_${type}` }
      return { type: 'tool_call_response', id: block['tool_use_id'], response: resultOf(block['content']) }
  }
}

/** The blocks of a tool's result. */
function resultOf(content: unknown): unknown[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return [readable(content)]
  return content.map((block: Part) => {
    const { type } = block
    if (type === 'text' || type === 'search_result' || type === 'web_search_result') return readable(block)
    return { type: typeof type === 'string' ? type : 'unknown' }
  })
}

/** A value without encrypted fields, images and documents. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  const { type, file_type: file } = value as Part
  if (type === 'image' || type === 'document') return { type }
  const isBinary = type === 'text_editor_code_execution_view_result' && (file === 'image' || file === 'pdf')
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.startsWith('encrypted_') && !(name === 'content' && isBinary))
      .map(([name, field]) => [name, readable(field)]),
  )
}

/** Removes the first parts until `excess` bytes are gone; of the last part, if it is text, only its end. Returns whether it did. */
function cutFirst(lists: Part[][], excess: number): boolean {
  let left = excess
  let count = lists.reduce((sum, parts) => sum + parts.length, 0)
  for (const parts of lists) {
    while (left > 0 && parts.length > 0) {
      const part = parts[0]!
      const bytes = bytesOf(JSON.stringify(part))
      if (count === 1 && part['type'] === 'text' && typeof part['content'] === 'string') {
        parts[0] = { ...part, content: startOf(part, part['content'], bytes - left) }
        return true
      }
      parts.shift()
      count--
      // The comma between two parts goes with the first.
      left -= bytes + (parts.length > 0 ? 1 : 0)
    }
  }
  return excess > 0
}

/** The longest start of a text with which its part has at most `limit` bytes. */
function startOf(part: Part, text: string, limit: number): string {
  const fits = (length: number): boolean =>
    bytesOf(JSON.stringify({ ...part, content: text.slice(0, length) })) <= limit
  let fitting = 0
  let tooLong = text.length
  while (tooLong - fitting > 1) {
    const middle = (fitting + tooLong) >> 1
    if (fits(middle)) fitting = middle
    else tooLong = middle
  }
  // Not between the halves of a surrogate pair.
  return /[\uD800-\uDBFF]/.test(text[fitting - 1] ?? '') ? text.slice(0, fitting - 1) : text.slice(0, fitting)
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}
