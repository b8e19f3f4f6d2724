import { parseJson } from '../../protocol/codec/parse-json.ts'
import type { Reply } from '../transport/transport.ts'

/** The value of a reply that may carry a tool's input. One that is no JSON is a `SyntaxError` which says what was found. */
export function parseReply(text: string, reply: Reply): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    const kind = reply.header('content-type') ?? 'no content-type'
    const found = text.length > 80 ? `${text.slice(0, 40)}…${text.slice(-40)}` : text
    const message = `Cannot read the reply as JSON: found ${text.length} characters of ${kind}: ${found}`
    throw new SyntaxError(message, { cause })
  }
}
