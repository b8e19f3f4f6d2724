import { attachJson } from '../../../protocol/codec/attached-json.ts'
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import type { MessageParam } from '../../../protocol/types/params.ts'

/** A message from its JSON: frozen, and parsed only when its content is first read. */
export function lazyMessage(role: string, json: string): MessageParam {
  let content: unknown
  const message = {
    role,
    get content() {
      content ??= deepFreeze((parseJson(json) as { content: unknown }).content)
      return content
    },
  }
  return Object.freeze(attachJson(message as MessageParam, json))
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
