import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ListItem, SourceConversation } from '../source.ts'
import { type Fields, fieldsIn, objectsIn, printed } from '../values.ts'
import { addMessage, inputIn, type MessageFields } from './library-message.ts'
import { collectEach } from './message-collector.ts'

const ownRoles: ReadonlySet<unknown> = new Set(['tool', 'function', 'developer'])
const ownParts: ReadonlySet<unknown> = new Set(['image_url', 'input_audio', 'file', 'refusal'])

/** Whether this is a message of the Chat Completions API that the Messages API does not have in this form. */
export function isChatCompletions(value: unknown): boolean {
  if (!isObject(value) || typeof value['role'] !== 'string') return false
  const { role, content, tool_calls: calls, function_call: call } = value
  if (ownRoles.has(role) || Array.isArray(calls) || isObject(call) || 'refusal' in value) return true
  return objectsIn(content).some((part) => ownParts.has(part['type']))
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
export function readChatCompletions(list: readonly ListItem[]): Pausable<SourceConversation> {
  return collectEach(list, (messages, { line, value }, index) => {
    const message = fieldsIn(value)
    const role = printed(message['role'])
    if (!Object.hasOwn(roles, role)) line.skipped(`a message with the role ${role}`)
    else addMessage(messages, { line, role: roles[role]!, fields: fieldsOf(message, index) })
  })
}

function fieldsOf(message: Fields, index: number): MessageFields {
  const { role, content, refusal, audio, tool_calls: calls, tool_call_id: id, function_call: call } = message
  const parts = Array.isArray(content) ? content.map(partOf) : [content ?? fieldsIn(audio)['transcript']]
  return {
    content: role === 'tool' || role === 'function' ? content : [...parts, refusal],
    // Before there were tools, a call had no id: its result is the next message.
    tool_call_id: role === 'function' ? idOf(index - 1) : id,
    tool_calls: [
      ...objectsIn(calls).map((each) => callOf(each['id'], each['function'] ?? each['custom'])),
      ...(isObject(call) ? [callOf(idOf(index), call)] : []),
    ],
  }
}

function idOf(index: number): string {
  return `call_${index}`
}

function callOf(id: unknown, called: unknown): object {
  const { name, arguments: text, input } = fieldsIn(called)
  // A custom tool takes a text.
  if (input !== undefined) return { id, name, args: { input } }
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
    const { function: called, custom } = fieldsIn(tool)
    const given = isObject(called) ? called : custom
    if (!isObject(given)) return tool
    const { name, description, parameters } = given
    return {
      name,
      description,
      input_schema: given === custom ? textInput : { type: 'object', ...fieldsIn(parameters) },
    }
  })
}

/** The input of a custom tool, which is a text there and an object here. */
const textInput = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

/** The choice of tools of a request, in the form of the Messages API. */
export function choiceIn(choice: unknown): unknown {
  if (typeof choice === 'string') return { type: choice === 'required' ? 'any' : choice }
  const { function: called, custom = called } = fieldsIn(choice)
  return isObject(custom) ? { type: 'tool', name: custom['name'] } : choice
}
