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

/** Gives a block, tool or event that this version does not list a type that the unions accept. Returns it unchanged. */
export function unlisted<T extends { type: string }>(value: T): T & Unlisted {
  return value as T & Unlisted
}
