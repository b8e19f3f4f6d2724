import { attachJson, jsonOf } from '../../../protocol/codec/attached-json.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import type { MessageParam } from '../../../protocol/types/params.ts'

/** Its subclasses add their private fields to the object that they are given. */
const Given = function (given: object): object {
  return given
} as unknown as new (given: object) => object

/** Adds a private field to a message: its content, once it was read. A property would have to be defined, which takes longer. */
class Parsed extends Given {
  #content: unknown

  static contentOf(message: Parsed): unknown {
    message.#content ??= deepFreeze((parseJson(jsonOf(message)) as { content: unknown }).content)
    return message.#content
  }
}

/** One getter for all messages, so that they have one hidden class. */
const content: PropertyDescriptor = {
  get(this: Parsed) {
    return Parsed.contentOf(this)
  },
  enumerable: true,
}

/** A message from its JSON: frozen, and parsed only when its content is first read. */
export function lazyMessage(role: string, json: string): MessageParam {
  const message = new Parsed({ role }) as object as MessageParam
  return Object.freeze(attachJson(Object.defineProperty(message, 'content', content), json))
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
