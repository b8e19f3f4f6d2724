import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ImportNotes } from '../report.ts'
import type { SourceConversation } from '../source.ts'
import { printed } from '../unknown-file.ts'
import { MessageCollector } from './langchain.ts'

type Part = Record<string, unknown>

const roles: ReadonlySet<string> = new Set(['user', 'assistant', 'system'])
const ownParts: ReadonlySet<unknown> = new Set(['tool-call', 'tool-result', 'reasoning', 'redacted-reasoning'])

/** Whether this is a model message of the AI SDK that the Messages API does not have in this form. */
export function isModelMessage(value: unknown): boolean {
  if (!isObject(value) || typeof value['role'] !== 'string') return false
  return partsOf(value).some((part) => {
    if (!isObject(part)) return false
    return (
      ownParts.has(part['type']) || 'image' in part || (part['type'] === 'file' && typeof part['data'] === 'string')
    )
  })
}

/** Reads model messages of the AI SDK: what `streamText()` takes and returns, called core messages before version 5. */
export function* readModelMessages(
  list: readonly { line: number; value: unknown }[],
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const collector = new MessageCollector()
  for (const { line, value } of list) {
    const message = isObject(value) ? value : {}
    const role = printed(message['role'])
    if (role === 'tool') {
      for (const part of partsOf(message))
        if (isResult(part)) collector.add({ line, role, fields: resultOf(part) }, notes)
    } else if (roles.has(role)) collector.add({ line, role, fields: { content: partsOf(message).map(partOf) } }, notes)
    else notes.skipped(line, `a message with the role ${role}`)
    yield
  }
  return collector.conversation
}

function partsOf({ content }: Part): unknown[] {
  return Array.isArray(content) ? content : [content]
}

function isResult(part: unknown): part is Part {
  return isObject(part) && part['type'] === 'tool-result'
}

/** The part in the form of the API or of LangChain. */
function partOf(part: unknown): unknown {
  if (!isObject(part)) return part
  const { providerOptions, providerMetadata = providerOptions, signature } = part
  const { anthropic } = isObject(providerMetadata) ? providerMetadata : {}
  const known = isObject(anthropic) ? anthropic : {}
  switch (part['type']) {
    case 'reasoning':
      if (known['redactedData'] !== undefined) return { type: 'redacted_thinking', data: known['redactedData'] }
      return { type: 'thinking', thinking: part['text'], signature: known['signature'] ?? signature }
    case 'redacted-reasoning':
      return { type: 'redacted_thinking', data: part['data'] }
    case 'tool-call': {
      const { input = part['args'] ?? {} } = part
      return { type: 'tool_use', id: part['toolCallId'], name: part['toolName'], input }
    }
    case 'image':
      return mediaOf(part, part['image'])
    case 'file':
      return mediaOf(part, part['data'])
    case 'text':
      return { type: 'text', text: part['text'] }
    default:
      return part
  }
}

/** A picture or a file in the form of LangChain. Pictures may have no media type. */
function mediaOf(part: Part, data: unknown): object {
  const type =
    part['mediaType'] ?? part['mimeType'] ?? (printed(part['type']).startsWith('image') ? 'image/*' : undefined)
  return { type: 'file', mime_type: type, data, filename: part['filename'] }
}

function resultOf(part: Part): { tool_call_id: unknown; content: unknown; status?: string } {
  const { output, result, isError } = part
  const id = part['toolCallId']
  // Before version 5 the result stood beside its call.
  if (!isObject(output)) return { tool_call_id: id, content: result ?? output ?? '', ...(isError === true && failed) }
  const { type, value, reason } = output
  if (type === 'execution-denied') return { tool_call_id: id, content: printed(reason ?? 'denied'), ...failed }
  const isList = type === 'content' && Array.isArray(value)
  return {
    tool_call_id: id,
    content: isList ? value.map(contentOf) : typeof value === 'string' ? value : JSON.stringify(value ?? null),
    ...(printed(type).startsWith('error') && failed),
  }
}

const failed = { status: 'error' }

/** A part of a result with several: a text, or a picture or a file under one of several names. */
function contentOf(part: unknown): unknown {
  if (!isObject(part) || part['type'] === 'text') return part
  const data = part['data'] ?? part['url']
  return typeof data === 'string' ? mediaOf(part, data) : { type: 'text', text: JSON.stringify(part) }
}
