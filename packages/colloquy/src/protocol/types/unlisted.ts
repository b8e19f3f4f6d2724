/**
 * The `type` of a block, delta, event or tool that this version does not list.
 *
 * Each union of blocks, deltas, events and tools ends with it, so that later additions of the API pass through unchanged. At
 * run time the value is the API's string. Here it is a literal of its own, because with a plain `string` TypeScript could not
 * narrow the union by `type`.
 */
export type UnlistedType = 'a type that this version does not list'

/** A block, delta, event or tool that the API has and this version does not list. */
export interface Unlisted {
  type: UnlistedType
  [field: string]: unknown
}

/**
 * Gives a block, tool or event that this version does not list a type that the unions accept. Returns it unchanged.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { unlisted } from 'colloquy/protocol'
 *
 * const tool = unlisted({ type: 'search_20990101', name: 'search' }) // newer than this version
 * const request: Anthropic.MessageCreateParams = {
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 100,
 *   tools: [tool],
 *   messages: [{ role: 'user', content: 'Hi' }],
 * }
 * console.log(request.tools?.length) // 1
 * ```
 */
export function unlisted<T extends { type: string }>(value: T): T & Unlisted {
  return value as T & Unlisted
}
