import { attach, attachedTo, type AttachedText } from '../../../protocol/codec/attached-json.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import type { MessageParam } from '../../../protocol/types/params.ts'

/** One getter for all messages, so that they have one hidden class. It reads a property, which a `Proxy` of the message has too. */
const content: PropertyDescriptor = {
  get(this: object) {
    const json = attachedTo(this) as AttachedText
    json.parsed ??= deepFreeze((parseJson(json.text) as { content: unknown }).content)
    return json.parsed
  },
  enumerable: true,
}

/** A message from its JSON: frozen, and parsed only when its content is first read. */
export function lazyMessage(role: string, json: string): MessageParam {
  const message = Object.defineProperty({ role }, 'content', content) as MessageParam
  return Object.freeze(attach(message, { text: json, parsed: undefined }))
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
