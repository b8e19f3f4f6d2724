import { attachJson, jsonOf } from '../../../protocol/codec/attached-json.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import type { MessageParam } from '../../../protocol/types/params.ts'

/** The content of a message, once it was read. A property, as a private field could not be read through a `Proxy`. */
const parsed = Symbol('the content of this message')

interface LazyMessage {
  [parsed]: { content: unknown }
}

/** One getter for all messages, so that they have one hidden class. */
const content: PropertyDescriptor = {
  get(this: LazyMessage) {
    const read = this[parsed]
    read.content ??= deepFreeze((parseJson(jsonOf(this)) as { content: unknown }).content)
    return read.content
  },
  enumerable: true,
}

/** A message from its JSON: frozen, and parsed only when its content is first read. */
export function lazyMessage(role: string, json: string): MessageParam {
  const message = Object.defineProperty({ role }, 'content', content) as MessageParam
  Object.defineProperty(message, parsed, { value: { content: undefined } })
  return Object.freeze(attachJson(message, json))
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
