import { encodeBodiesWith } from './body-json.ts'
import { wellFormedJson } from './well-formed-json.ts'

// A property rather than a WeakMap: with a key for every old message, garbage collection took longer than the turn itself.
const attached = Symbol('the JSON of this value')

/** The JSON text of a value, with room for what is parsed from it: one property for both takes half the time of two. */
export interface AttachedText {
  text: string
  parsed: unknown
}

type AttachedPieces = () => readonly Uint8Array[] | undefined

/**
 * Attaches to a value the JSON text that it was parsed from, so that a request sends exactly that text. Parsing and encoding
 * again would turn `1.0` into `1`, round large numbers and reorder some keys, and would cost time for every old message.
 *
 * Copies of the value do not carry the text: a program that changes what it sends makes a new object. A value with a text
 * must be frozen, with all its parts. For a value that may change, pass a function: it is called when the value is sent and
 * returns the pieces of the JSON in order, or undefined if the value has changed since.
 */
export function attachJson<Value extends object>(value: Value, json: string | AttachedPieces): Value {
  return attach(value, typeof json === 'string' ? { text: json, parsed: undefined } : json)
}

/** Attaches a text that `attachedTo()` returns. */
export function attach<Value extends object>(value: Value, json: AttachedText | AttachedPieces): Value {
  encodeBodiesWith(encodeJson)
  return Object.defineProperty(value, attached, { value: json, configurable: true })
}

/** Whether `attachJson()` was called for the value. */
export function hasAttachedJson(value: object): boolean {
  return attachedTo(value) !== undefined
}

/** The JSON of a value: the attached text, if there is one. */
export function jsonOf(value: object): string {
  const json = attachedTo(value)
  return typeof json === 'object' ? json.text : JSON.stringify(value)
}

/** The JSON of a request body. Fields and messages with attached JSON are sent as that. */
export function encodeJson(body: object): string | readonly Uint8Array[] {
  if (!hasAttachedParts(body)) return JSON.stringify(body)
  // Entries, because assigning to the key `__proto__` of an object would lose it.
  const rest: [string, unknown][] = []
  const attachedFields: (readonly Uint8Array[])[] = []
  for (const [key, value] of Object.entries(body)) {
    const pieces = piecesOf(value) ?? (key === 'messages' ? elements(value) : undefined)
    if (pieces === undefined) rest.push([key, value])
    else attachedFields.push([encode(`${JSON.stringify(key)}:`), ...pieces])
  }
  if (attachedFields.length === 0) return JSON.stringify(body)
  const head = wellFormedJson(JSON.stringify(Object.fromEntries(rest)))
  const fields = attachedFields.flatMap((field, index) => [
    ...(index === 0 && head === '{}' ? [] : [comma()]),
    ...field,
  ])
  return [encode(head.slice(0, -1)), ...fields, encode('}')]
}

function hasAttachedParts(body: object): boolean {
  for (const key of Object.keys(body)) {
    const value = (body as Record<string, unknown>)[key]
    if (attachedTo(value) !== undefined || (key === 'messages' && Array.isArray(value) && value.some(attachedTo)))
      return true
  }
  return false
}

/** Undefined if no message has attached JSON. */
function elements(messages: unknown): readonly Uint8Array[] | undefined {
  if (!Array.isArray(messages)) return undefined
  const all = messages.map(piecesOf)
  if (all.every((pieces) => pieces === undefined)) return undefined
  const list = all.flatMap((pieces, index) => [
    comma(),
    ...(pieces ?? [encode(wellFormedJson(JSON.stringify(messages[index]) ?? 'null'))]),
  ])
  return [encode('['), ...list.slice(1), encode(']')]
}

function piecesOf(value: unknown): readonly Uint8Array[] | undefined {
  const json = attachedTo(value)
  return typeof json === 'object' ? [encode(json.text)] : json?.()
}

/** The JSON that was attached to a value; undefined if there is none. */
export function attachedTo(value: unknown): AttachedText | AttachedPieces | undefined {
  return (value as { [attached]?: AttachedText | AttachedPieces } | null | undefined)?.[attached]
}

// Made with the first body, so that a page without attached JSON does not load this code. One comma for all bodies, because a
// transport recognizes pieces that it has sent before.
let encoder: InstanceType<typeof TextEncoder> | undefined
let theComma: Uint8Array | undefined

function comma(): Uint8Array {
  return (theComma ??= encode(','))
}

function encode(text: string): Uint8Array {
  encoder ??= new TextEncoder()
  return encoder.encode(text)
}
