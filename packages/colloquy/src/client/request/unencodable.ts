import { AnthropicError } from '../../protocol/types/error.ts'

/** Says why a body could not be encoded. A file of its own, as it is loaded only then. */
export function unencodable(body: unknown, cause: unknown): AnthropicError {
  const found = findUnencodable(body, [], new Set()) ?? String(cause)
  return new AnthropicError(`Cannot encode the request body as JSON: ${found}`, { cause })
}

/** Where in the body the value is that JSON has no words for. */
function findUnencodable(value: unknown, path: (string | number)[], above: Set<object>): string | undefined {
  const place = path.join('.') || 'the body'
  if (typeof value === 'bigint') return `${place} is the bigint ${value}`
  if (typeof value !== 'object' || value === null) return undefined
  if (above.has(value)) return `${place} leads back to an object that holds it`
  above.add(value)
  for (const [key, item] of Object.entries(value)) {
    const found = findUnencodable(item, [...path, key], above)
    if (found) return found
  }
  above.delete(value)
  return undefined
}
