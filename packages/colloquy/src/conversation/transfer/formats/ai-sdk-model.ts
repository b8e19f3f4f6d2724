import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ListItem, SourceConversation } from '../source.ts'
import { type Fields, fieldsIn, objectsIn, printed } from '../values.ts'
import { addMessage, type MessageFields } from './library-message.ts'
import { collectEach } from './message-collector.ts'

const roles: ReadonlySet<string> = new Set(['user', 'assistant', 'system'])
const ownParts: ReadonlySet<unknown> = new Set(['tool-call', 'tool-result', 'reasoning', 'redacted-reasoning'])

/** Whether this is a model message of the AI SDK that the Messages API does not have in this form. */
export function isModelMessage(value: unknown): boolean {
  if (!isObject(value) || typeof value['role'] !== 'string') return false
  return objectsIn(value['content']).some((part) => {
    const { type, data } = part
    return ownParts.has(type) || 'image' in part || (type === 'file' && typeof data === 'string')
  })
}

/** Reads model messages of the AI SDK: what `streamText()` takes and returns, called core messages before version 5. */
export function readModelMessages(list: readonly ListItem[]): Pausable<SourceConversation> {
  return collectEach(list, (messages, { line, value }) => {
    const { role: named, content } = fieldsIn(value)
    const role = printed(named)
    const parts: unknown[] = Array.isArray(content) ? content : [content]
    if (role === 'tool') {
      const results = objectsIn(parts).filter((part) => part['type'] === 'tool-result')
      for (const part of results) addMessage(messages, { line, role, fields: resultOf(part) })
    } else if (roles.has(role)) addMessage(messages, { line, role, fields: { content: parts.map(partOf) } })
    else line.skipped(`a message with the role ${role}`)
  })
}

/** The part of a model message or a UI message in the form of the API or of LangChain. */
export function partOf(part: unknown): unknown {
  if (!isObject(part)) return part
  switch (part['type']) {
    case 'reasoning':
    case 'redacted-reasoning':
      return thinkingOf(part)
    case 'tool-call': {
      const { input = part['args'] ?? {} } = part
      return { type: 'tool_use', id: part['toolCallId'], name: part['toolName'], input }
    }
    case 'image':
      return mediaOf(part, part['image'])
    case 'file':
      return mediaOf(part, part['url'] ?? part['data'])
    case 'text':
      return { type: 'text', text: part['text'] }
    default:
      return part
  }
}

function thinkingOf(part: Fields): object {
  const { anthropic } = fieldsIn(part['providerMetadata'] ?? part['providerOptions'])
  const { redactedData: data = part['data'], signature = part['signature'] } = fieldsIn(anthropic)
  if (data !== undefined) return { type: 'redacted_thinking', data }
  return { type: 'thinking', thinking: part['text'] ?? part['reasoning'], signature }
}

/** A picture or a file in the form of LangChain. Pictures may have no media type. */
function mediaOf(part: Fields, data: unknown): object {
  const type =
    part['mediaType'] ?? part['mimeType'] ?? (printed(part['type']).startsWith('image') ? 'image/*' : undefined)
  return { type: 'file', mime_type: type, data, filename: part['filename'] }
}

function resultOf(part: Fields): MessageFields {
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
