import { encodeJson, hasAttachedJson, attachJson } from '../../protocol/codec/attached-json.ts'

/** Bodies with fewer characters cost less than looking whether anything changed. */
const minKeptLength = 100_000

/** By the first message of a list: it is the same object from turn to turn, and nothing is kept longer than it lives. */
const lists = new WeakMap<object, KeptMessages>()

/**
 * The JSON of a body. Where its list of messages begins as one did before, the bytes of that beginning are sent again. From
 * the second long body on, so that one that is sent once costs no memory.
 */
export function encodeKept(body: object): string | readonly Uint8Array[] {
  const { messages } = body as { messages?: unknown }
  const first: unknown = Array.isArray(messages) && isPlain(body) ? messages[0] : undefined
  if (typeof first !== 'object' || first === null) return encodeJson(body)
  const list = lists.get(first)
  const pieces = list?.encode(messages as unknown[])
  if (pieces) return encodeJson({ ...body, messages: attachJson([], () => pieces) })
  const json = encodeJson(body)
  if (!list && typeof json === 'string' && json.length >= minKeptLength) lists.set(first, new KeptMessages())
  return json
}

/**
 * The messages of one conversation, as they were sent last, and their bytes. Each message is compared with what it was, down
 * to the last field, before its bytes are used: to check a list takes a twentieth of the time that writing it does, since
 * strings that did not change are the same objects.
 */
export class KeptMessages {
  #copies: Plain[] = []
  /** Where each message ends in the JSON of the list. */
  #ends: number[] = []
  /** The JSON of the list but its last bracket. Bytes never change: requests that are under way hold them too. */
  #pieces: Uint8Array[] = []

  /** The JSON of the list; undefined where a message is no plain data, whose JSON may be anything. */
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

  /** How many of the first messages are as they were. */
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
      const bytes = encoder.encode(`${index === 0 && end === 0 ? '[' : ','}${JSON.stringify(copy) ?? 'null'}`)
      this.#copies.push(copy)
      this.#ends.push((end += bytes.length))
      return bytes
    })
    this.#pieces.push(joined(added))
    // Each piece stays twice as long as all behind it: few writes for a long list, and a byte is copied a few times only.
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

/** JSON data in objects and lists as literals make them. */
type Plain = string | number | boolean | null | undefined | Plain[] | { [name: string]: Plain }

const notPlain = Symbol('no plain data')

/** The value as it is now. Every field is read once, so that even one that never says the same twice agrees with its bytes. */
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

/** Whether the value's JSON is that of its own fields: a class, a `toJSON` or the text that it was read from may say otherwise. */
function isPlain(value: object): boolean {
  const prototype: unknown = Array.isArray(value) ? Array.prototype : Object.prototype
  return Object.getPrototypeOf(value) === prototype && !('toJSON' in value) && !hasAttachedJson(value)
}

/** Whether the value still is what was copied: the same fields in the same order. */
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
  // Inherited names would count too, and the value for changed: a list of its own names for every message costs more.
  for (const name in value) {
    if (name !== names[count] || !isSame(copy[name], (value as Record<string, unknown>)[name])) return false
    count++
  }
  return count === names.length
}
