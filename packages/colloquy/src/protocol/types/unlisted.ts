/**
 * The `type` of something that the API sends or takes and this version does not list.
 *
 * It ends each union of blocks, deltas, events and tools, so that what the API adds tomorrow passes through untouched.
 * At run time it is the API's own string. It is a literal of its own here because a plain `string` would stop TypeScript
 * from narrowing the union by `type`.
 */
export type UnlistedType = 'a type that this version does not list'

/** A block, delta, event or tool that the API has and this version does not list. */
export interface Unlisted {
  type: UnlistedType
  [field: string]: unknown
}

/** Lets a block, tool or event that this version does not list stand where the listed ones do. Returns it as it is. */
export function unlisted<T extends { type: string }>(value: T): T & Unlisted {
  return value as T & Unlisted
}
