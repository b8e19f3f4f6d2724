import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ListItem, SourceConversation } from '../source.ts'
import { type Fields, fieldsIn, objectsIn, printed } from '../values.ts'
import { addMessage, type MessageFields } from './library-message.ts'
import { collectEach } from './message-collector.ts'
import { callText, fenced } from './texts.ts'

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
    } else if (roles.has(role)) addMessage(messages, { line, role, fields: { content: partsOf(parts) } })
    else line.skipped(`a message with the role ${role}`)
  })
}

/** The parts of a model message or a UI message in the form of the API or of LangChain. */
export function partsOf(given: readonly unknown[]): unknown[] {
  const outputs = providerOutputs(objectsIn(given))
  return given.flatMap((part) => {
    if (!isObject(part)) return [part]
    const { type, toolCallId: id } = part
    if (type === 'tool-call' && outputs.has(id)) return providerParts(callOf(part), outputs.get(id))
    if (type === 'tool-result' && outputs.has(id)) return []
    if (type !== 'reasoning') return [partOf(part)]
    // Version 4 has the parts of thinking in a list.
    const details = objectsIn(part['details'])
    return details.length > 0 ? details.map(thinkingOf) : [thinkingOf(part)]
  })
}

/** By the id of each call that the provider ran, its output. */
function providerOutputs(parts: readonly Fields[]): Map<unknown, unknown> {
  const outputs = new Map<unknown, unknown>()
  for (const part of parts) {
    const { type, toolCallId: id, providerExecuted: isByProvider } = part
    if (type === 'tool-call' && isByProvider === true) outputs.set(id, undefined)
    else if (type === 'tool-result' && outputs.has(id)) outputs.set(id, outputOf(part))
  }
  return outputs
}

/** A call of a tool. */
export interface GivenCall {
  id: unknown
  name: unknown
  input: unknown
}

/**
 * A call that the provider ran, and its result: as blocks of the API, if it was a search of the API's own, and otherwise as
 * texts, since no tool of the API stands behind it.
 */
export function providerParts({ id, name, input }: GivenCall, output: unknown): object[] {
  const results = objectsIn(output).filter((result) => typeof result['encryptedContent'] === 'string')
  if (results.length === 0) {
    const texts = [callText(name, input), ...(output === undefined ? [] : [fenced(printed(output))])]
    return texts.map((text) => ({ type: 'text', text }))
  }
  const content = results.map(({ url, title, encryptedContent: encrypted_content, pageAge: page_age = null }) => {
    return { type: 'web_search_result', url, title, encrypted_content, page_age }
  })
  return [
    { type: 'server_tool_use', id, name: 'web_search', input },
    { type: 'web_search_tool_result', tool_use_id: id, content },
  ]
}

function callOf({ toolCallId: id, toolName: name, args = {}, input = args }: Fields): GivenCall {
  return { id, name, input }
}

/** The output of a tool, which has had a wrapper since version 5. */
function outputOf({ output, result }: Fields): unknown {
  return isObject(output) && 'value' in output ? output['value'] : (output ?? result)
}

function partOf(part: Fields): unknown {
  switch (part['type']) {
    case 'redacted-reasoning':
      return thinkingOf(part)
    case 'tool-call':
      return { type: 'tool_use', ...callOf(part) }
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
