// Loaded when a response may hold the input of a tool, or a body is not JSON.
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { AnthropicError } from '../../protocol/types/error.ts'

/** The value of a response body, whatever its keys. A body that is not JSON is a `SyntaxError` that says what was found. */
export function parseExactly(text: string, contentType: string | null): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    const found = text.length > 80 ? `${text.slice(0, 40)}…${text.slice(-40)}` : text
    const message = `Cannot read the response as JSON: found ${text.length} characters of ${contentType ?? 'no content-type'}: ${found}`
    throw new SyntaxError(message, { cause })
  }
}

/** The error for a request body that JSON cannot hold. */
export function encodingError(body: unknown, cause: unknown): AnthropicError {
  const found = findUnencodable(body, [], new Set()) ?? String(cause)
  return new AnthropicError(`Cannot encode the request body as JSON: ${found}`, { cause })
}

/** Names the first value in the body that JSON cannot hold. */
function findUnencodable(value: unknown, path: (string | number)[], above: Set<object>): string | undefined {
  const place = path.join('.') || 'the body'
  if (typeof value === 'bigint') return `${place} is the bigint ${value}`
  if (typeof value !== 'object' || value === null) return undefined
  if (above.has(value)) return `${place} refers back to an object that contains it`
  above.add(value)
  for (const [key, item] of Object.entries(value)) {
    const found = findUnencodable(item, [...path, key], above)
    if (found) return found
  }
  above.delete(value)
  return undefined
}
