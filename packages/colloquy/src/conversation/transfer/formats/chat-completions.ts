import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ImportNotes } from '../report.ts'
import { objectsIn, type SourceConversation } from '../source.ts'
import { printed } from '../unknown-file.ts'
import { type Fields, inputIn, MessageCollector } from './langchain.ts'

const ownRoles: ReadonlySet<unknown> = new Set(['tool', 'function', 'developer'])
const ownParts: ReadonlySet<unknown> = new Set(['image_url', 'input_audio', 'file', 'refusal'])

/** Whether this is a message of the Chat Completions API that the Messages API does not have in this form. */
export function isChatCompletions(value: unknown): boolean {
  if (!isObject(value) || typeof value['role'] !== 'string') return false
  const { role, content, tool_calls: calls, function_call: call } = value
  if (ownRoles.has(role) || Array.isArray(calls) || isObject(call) || 'refusal' in value) return true
  return Array.isArray(content) && content.some((part: unknown) => isObject(part) && ownParts.has(part['type']))
}

const roles: Readonly<Record<string, string>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
  tool: 'tool',
  function: 'tool',
}

/** Reads messages of the Chat Completions API. */
export function* readChatCompletions(
  list: readonly { line: number; value: unknown }[],
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const collector = new MessageCollector()
  for (const [index, { line, value }] of list.entries()) {
    const message = isObject(value) ? value : {}
    const given = printed(message['role'])
    const role = Object.hasOwn(roles, given) ? roles[given]! : undefined
    if (role === undefined) notes.skipped(line, `a message with the role ${given}`)
    else collector.add({ line, role, fields: fieldsOf(message, index) }, notes)
    yield
  }
  return collector.conversation
}

function fieldsOf(message: Record<string, unknown>, index: number): Fields {
  const { content, refusal, audio, tool_calls: calls, tool_call_id: id, function_call: call } = message
  const spoken = isObject(audio) ? audio['transcript'] : undefined
  const parts = Array.isArray(content) ? content.map(partOf) : [content ?? spoken]
  return {
    content: message['role'] === 'tool' || message['role'] === 'function' ? content : [...parts, refusal],
    // Before there were tools, a call had no id: its result is the next message.
    tool_call_id: message['role'] === 'function' ? idOf(index - 1) : id,
    tool_calls: [
      ...objectsIn<Record<string, unknown>>(calls).map((each) => callOf(each['id'], each['function'])),
      ...(isObject(call) ? [callOf(idOf(index), call)] : []),
    ],
  }
}

function idOf(index: number): string {
  return `call_${index}`
}

function callOf(id: unknown, called: unknown): object {
  const { name, arguments: text } = isObject(called) ? called : {}
  return { id, name, args: typeof text === 'string' ? inputIn(text) : text }
}

function partOf(part: unknown): unknown {
  if (!isObject(part)) return part
  if (part['type'] === 'refusal') return part['refusal']
  if (part['type'] !== 'file' || !isObject(part['file'])) return part
  const { file_data: data, filename } = part['file']
  return { type: 'file', data, filename }
}

/** The tools of a request, with those of the Chat Completions API in the form of the Messages API. */
export function toolsIn(tools: unknown): unknown {
  if (!Array.isArray(tools)) return tools
  return tools.map((tool: unknown) => {
    if (!isObject(tool) || !isObject(tool['function'])) return tool
    const { name, description, parameters } = tool['function']
    return { name, description, input_schema: { type: 'object', ...(isObject(parameters) ? parameters : {}) } }
  })
}

/** The choice of tools of a request, in the form of the Messages API. */
export function choiceIn(choice: unknown): unknown {
  if (typeof choice === 'string') return { type: choice === 'required' ? 'any' : choice }
  return isObject(choice) && isObject(choice['function']) ? { type: 'tool', name: choice['function']['name'] } : choice
}
