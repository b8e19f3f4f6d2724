import { encodeJson, hasAttachedJson, attachJson } from '../../../protocol/codec/attached-json.ts'
import { wellFormedJson } from '../../../protocol/codec/well-formed-json.ts'

/** Shorter bodies cost less to encode than to compare. In characters. */
const minLength = 100_000

/** Keyed by the first message of a list, which is the same object from turn to turn. An entry lives as long as the message. */
const lists = new WeakMap<object, EncodedMessages>()

/**
 * The JSON of a body. If its list of messages begins as an earlier one did, reuses the bytes of that beginning. The bytes are
 * cached from the second long body on, so that a body that is sent once costs no memory.
 */
export function encodeMessages(body: object): string | readonly Uint8Array[] {
  const { messages } = body as { messages?: unknown }
  const first: unknown = Array.isArray(messages) && isPlain(body) ? messages[0] : undefined
  if (typeof first !== 'object' || first === null) return encodeJson(body)
  const list = lists.get(first)
  const pieces = list?.encode(messages as unknown[])
  if (pieces) return encodeJson({ ...body, messages: attachJson([], () => pieces) })
  const json = encodeJson(body)
  if (!list && typeof json === 'string' && json.length >= minLength) lists.set(first, new EncodedMessages())
  return json
}

/**
 * The messages of one conversation as they were last sent, and their bytes. Each message is compared with its copy, down to
 * the last field, before its bytes are reused. To compare a list takes a twentieth of the time to encode it, because strings
 * that did not change are the same objects.
 */
export class EncodedMessages {
  #copies: Plain[] = []
  /** The offset in the JSON of the list at which each message ends. */
  #ends: number[] = []
  /** The JSON of the list without its last bracket. The bytes never change, because requests in flight hold them too. */
  #pieces: Uint8Array[] = []

  /** The JSON of the list; undefined if a message is not plain data, as its JSON may then be anything. */
  encode(messages: readonly unknown[]): readonly Uint8Array[] | undefined {
    if (!isPlain(messages)) return undefined
    const same = this.#countSame(messages)
    const copies: Plain[] = []
    for (let index = same; index < messages.length; index++) {
      const copy = copyOf(messages[index], [])
      if (copy === notPlain) return undefined
      copies.push(copy)
    }
    this.#cut(same)
    this.#add(copies)
    return this.#pieces.length === 0 ? [encoder.encode('[]')] : [...this.#pieces, closingBracket]
  }

  /** The number of messages, from the first on, that are unchanged. */
  #countSame(messages: readonly unknown[]): number {
    const most = Math.min(messages.length, this.#copies.length)
    for (let index = 0; index < most; index++) if (!isSame(this.#copies[index], messages[index])) return index
    return most
  }

  #cut(count: number): void {
    this.#copies.length = this.#ends.length = count
    let left = this.#ends.at(-1) ?? 0
    const kept: Uint8Array[] = []
    for (const piece of this.#pieces) {
      if (left > 0) kept.push(left < piece.length ? piece.subarray(0, left) : piece)
      left -= piece.length
    }
    this.#pieces = kept
  }

  #add(copies: readonly Plain[]): void {
    if (copies.length === 0) return
    let end = this.#ends.at(-1) ?? 0
    const added = copies.map((copy, index) => {
      const bytes = encoder.encode(
        `${index === 0 && end === 0 ? '[' : ','}${wellFormedJson(JSON.stringify(copy) ?? 'null')}`,
      )
      this.#copies.push(copy)
      this.#ends.push((end += bytes.length))
      return bytes
    })
    this.#pieces.push(joined(added))
    // Each piece stays twice as long as the one after it: a long list is few pieces, and a byte is copied only a few times.
    while (this.#pieces.length > 1 && this.#pieces.at(-2)!.length < 2 * this.#pieces.at(-1)!.length) {
      this.#pieces.push(joined(this.#pieces.splice(-2)))
    }
  }
}

const encoder = new TextEncoder()
const closingBracket = encoder.encode(']')

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** JSON data in plain objects and lists. */
type Plain = string | number | boolean | null | undefined | Plain[] | { [name: string]: Plain }

const notPlain = Symbol('not plain data')

/** Copies a value. Reads every field once, so that even a getter whose value changes agrees with its bytes. */
function copyOf(value: unknown, above: readonly object[]): Plain | typeof notPlain {
  if (value === null || primitives.has(typeof value)) return value as Plain
  if (typeof value !== 'object' || !isPlain(value) || above.includes(value)) return notPlain
  const path = [...above, value]
  if (Array.isArray(value)) {
    const list = Array.from(value, (item) => copyOf(item, path))
    return list.includes(notPlain) ? notPlain : (list as Plain[])
  }
  const copy: { [name: string]: Plain } = {}
  for (const name of Object.keys(value)) {
    const item = copyOf((value as Record<string, unknown>)[name], path)
    if (item === notPlain) return notPlain
    if (name !== '__proto__') copy[name] = item
    // An assignment would set the prototype.
    else Object.defineProperty(copy, name, { value: item, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

const primitives = new Set(['string', 'number', 'boolean', 'undefined'])

/** Whether the value's JSON is that of its own fields: that of a class, of a `toJSON` or of attached JSON may differ. */
function isPlain(value: object): boolean {
  const prototype: unknown = Array.isArray(value) ? Array.prototype : Object.prototype
  return Object.getPrototypeOf(value) === prototype && !('toJSON' in value) && !hasAttachedJson(value)
}

/** Whether the value still equals its copy: the same fields in the same order. */
function isSame(copy: Plain, value: unknown): boolean {
  if (copy === value) return true
  if (typeof copy !== 'object' || copy === null || typeof value !== 'object' || value === null) return false
  if (!isPlain(value)) return false
  if (Array.isArray(copy)) {
    return (
      Array.isArray(value) && copy.length === value.length && copy.every((item, index) => isSame(item, value[index]))
    )
  }
  if (Array.isArray(value)) return false
  const names = Object.keys(copy)
  let count = 0
  // `for in` also visits inherited names, and would then report a change; to list the own names of every message costs more.
  for (const name in value) {
    if (name !== names[count] || !isSame(copy[name], (value as Record<string, unknown>)[name])) return false
    count++
  }
  return count === names.length
}
