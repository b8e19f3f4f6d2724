import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import type { ListItem, SourceConversation } from '../source.ts'
import { keysOf, printed } from '../values.ts'
import { addMessage, type MessageFields } from './library-message.ts'
import { collectEach } from './message-collector.ts'

const roles: Readonly<Record<string, string>> = {
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
export function readLangChain(list: readonly ListItem[]): Pausable<SourceConversation> {
  return collectEach(list, (messages, { line, value }) => {
    const role = roleOf(value)
    if (role === undefined) line.skipped(`${keysOf(value)}, which is not a message the API has a role for`)
    else addMessage(messages, { line, role, fields: fieldsOf(value as object) })
  })
}

/** `HumanMessage` → `user`, `ai` → `assistant`; undefined if it is not a message. */
function roleOf(message: unknown): string | undefined {
  if (!isObject(message)) return undefined
  const { id, kwargs, type } = message
  const isSerialized = typeof kwargs === 'object' && Array.isArray(id)
  const name = isSerialized ? printed(id.at(-1)) : printed(type)
  const known = name.replace(/Message(?:Chunk)?$/, '').toLowerCase()
  return Object.hasOwn(roles, known) ? roles[known] : undefined
}

function fieldsOf(message: object): MessageFields {
  const { kwargs, data } = message as { kwargs?: MessageFields; data?: MessageFields }
  return kwargs ?? data ?? message
}
