import { isObject } from '../../protocol/json/json-object.ts'
import { isBlank } from '../../protocol/sendable.ts'
import { cutText } from '../../protocol/text.ts'

// Reads values that may be of any type.

/** A JSON object of another program. */
export type Fields = Record<string, unknown>

/** Whether the value is a text with a visible character. */
export function isVisible(value: unknown): value is string {
  return typeof value === 'string' && !isBlank(value)
}

/** A title or a model. Undefined if it is empty or no text. */
export function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The setting for a system prompt that a file has; none if it is blank or no text. */
export function systemIn(value: unknown): { system?: string } {
  return isVisible(value) ? { system: value } : {}
}

/** The object; an empty one for any other value. */
export function fieldsIn(value: unknown): Fields {
  return isObject(value) ? value : {}
}

/** The objects of a list; none if the value is not a list. */
export function objectsIn<Item extends object = Fields>(value: unknown): Item[] {
  return Array.isArray(value) ? value.filter(isObject as (each: unknown) => each is Item) : []
}

/** A time in a file, in whole milliseconds: an ISO text, or seconds or milliseconds since 1970. 0 if it is none of these. */
export function timeIn(value: unknown): number {
  if (typeof value === 'string' && !/^\d+(?:\.\d+)?$/.test(value)) return Math.max(0, Date.parse(value) || 0)
  const time = typeof value === 'string' ? Number(value) : value
  if (typeof time !== 'number' || time <= 0) return 0
  // Milliseconds passed this number in 1973, seconds will in 5138.
  return new Date(time < 1e11 ? time * 1000 : time).getTime() || 0
}

/** A value as text: a string as it is, anything else as JSON. */
export function printed(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

/** Says what a JSON value is. */
export function keysOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return cutText(JSON.stringify(value), 40)
  return Array.isArray(value) ? 'a list' : `an object with ${listed(Object.keys(value))}`
}

/** Names members of an object. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => JSON.stringify(cutText(name, 40)))
  return shown.length === 0 ? 'no members' : `the members ${shown.join(', ')}${names.length > 8 ? ', …' : ''}`
}
