/**
 * Parses the readable part of an incomplete JSON text. See `JsonReader` for the rules.
 *
 * @example
 * ```ts
 * import { partialJson } from 'colloquy/protocol'
 *
 * console.log(partialJson('{"city":"Os')) // { city: 'Os' }
 * ```
 */
export function partialJson(text: string): unknown {
  return new JsonReader().push(text)
}

type Container = { [key: string | number]: unknown }
type State =
  | 'value'
  | 'first item'
  | 'key'
  | 'first key'
  | 'colon'
  | 'next'
  | 'string'
  | 'escape'
  | 'number'
  | 'word'
  | 'end'

const words = { true: true, false: false, null: null }
const escapes: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * Parses a JSON text that arrives in pieces and gives its value so far.
 *
 * - A string has the characters that have arrived.
 * - A key is included once its value is.
 * - A number or word (`true`, `false`, `null`) is included when it is complete, because part of a number is another number.
 *   A number that is the whole text is included as it is.
 *
 * The value is undefined before any of it is readable. Parsing stops at the first invalid character, and the value so far
 * stays. A line break inside a string, invalid in JSON too, is accepted.
 *
 * The value grows in place, so that reading it after each piece costs no more than the piece. Copy it to keep it.
 *
 * @example
 * ```ts
 * import { JsonReader } from 'colloquy/protocol'
 *
 * const reader = new JsonReader()
 * reader.push('{"city":"Os')
 * console.log(reader.value) // { city: 'Os' }
 * reader.push('lo","days":3}')
 * console.log(reader.value) // { city: 'Oslo', days: 3 }
 * ```
 */
export class JsonReader {
  #root: unknown
  /** The arrays and objects that have not ended, outermost first. */
  readonly #stack: Container[] = []
  /** The index or key of the next value in each of them. */
  readonly #slots: (string | number)[] = []
  #state: State | 'broken' = 'value'
  /** The current string, number or word, with its escapes decoded. */
  #token = ''
  /** The first half of a surrogate pair. It is not included before the second half. */
  #half = ''
  /** The current escape, without its backslash. */
  #escape = ''
  #isKey = false
  #isString = false
  /** The length of the earlier pieces. */
  #offset = 0
  #errorAt: number | undefined

  /** The value so far. */
  get value(): unknown {
    return this.#root
  }

  /** Whether the text is one complete value. Always false for a number, to which digits may be added. */
  get isWhole(): boolean {
    return this.#state === 'end'
  }

  /** The position of the first invalid character in the whole text; undefined if there is none so far. */
  get errorAt(): number | undefined {
    return this.#errorAt
  }

  /** Parses the next piece and returns the value so far. */
  push(piece: string): unknown {
    let at = 0
    let last = 0
    while (at < piece.length && this.#state !== 'broken') {
      last = at
      at = this.#read(piece, at)
    }
    if (this.#state === 'broken') this.#errorAt ??= this.#offset + last
    this.#offset += piece.length
    if (this.#isString && !this.#isKey) this.#place(this.#token)
    if (this.#state === 'number' && this.#stack.length === 0)
      this.#root = isNumber(this.#token) ? Number(this.#token) : undefined
    return this.#root
  }

  /** Parses at least one character, or ends a number before it, and returns the next position. */
  #read(piece: string, at: number): number {
    if (this.#state === 'string') return this.#readString(piece, at)
    const character = piece[at]!
    if (this.#state === 'escape') return this.#readEscape(character, at)
    if (this.#state === 'number') return this.#readNumber(character, at)
    if (this.#state === 'word') return this.#readWord(character, at)
    if (!isSpace(character)) this.#readMark(character)
    return at + 1
  }

  #readString(piece: string, start: number): number {
    let end = start
    for (; end < piece.length; end++) {
      const code = piece.charCodeAt(end)
      if (code === 0x22 || code === 0x5c) break
    }
    if (end > start) this.#append(piece.slice(start, end))
    if (end < piece.length) {
      if (piece[end] === '"') this.#endString()
      else this.#state = 'escape'
    }
    return end + 1
  }

  #append(text: string): void {
    const whole = this.#half + text
    // Look at the new text only: reading the end of `#token` would copy all of it.
    const last = whole.charCodeAt(whole.length - 1)
    const isHalf = last >= 0xd800 && last < 0xdc00
    this.#half = isHalf ? whole.slice(-1) : ''
    this.#token += isHalf ? whole.slice(0, -1) : whole
  }

  #endString(): void {
    const text = this.#token + this.#half
    this.#half = ''
    this.#isString = false
    if (!this.#isKey) return this.#put(text)
    this.#slots[this.#slots.length - 1] = text
    this.#state = 'colon'
  }

  #readEscape(character: string, at: number): number {
    this.#escape += character
    const isUnicode = this.#escape.startsWith('u')
    const text = isUnicode ? unicode(this.#escape) : escapes[this.#escape]
    if (text === undefined) {
      if (!isUnicode || !/^u[\da-f]{0,3}$/i.test(this.#escape)) this.#state = 'broken'
      return at + 1
    }
    this.#append(text)
    this.#escape = ''
    this.#state = 'string'
    return at + 1
  }

  #readNumber(character: string, at: number): number {
    if (/[-+.\deE]/.test(character)) {
      this.#token += character
      return at + 1
    }
    if (isNumber(this.#token)) this.#put(Number(this.#token))
    else this.#state = 'broken'
    return at
  }

  #readWord(character: string, at: number): number {
    this.#token += character
    if (isWord(this.#token)) this.#put(words[this.#token])
    else if (!Object.keys(words).some((word) => word.startsWith(this.#token))) this.#state = 'broken'
    return at + 1
  }

  /** Parses the characters between values, and the first of each value. */
  #readMark(character: string): void {
    const state = this.#state
    if (state === 'value' || state === 'first item') {
      if (character === ']' && state === 'first item') this.#close()
      else this.#begin(character)
    } else if (state === 'key' || state === 'first key') {
      if (character === '}' && state === 'first key') this.#close()
      else if (character === '"') this.#beginToken('string', '', true)
      else this.#state = 'broken'
    } else if (state === 'colon' && character === ':') this.#state = 'value'
    else if (state === 'next') this.#readNext(character)
    else this.#state = 'broken'
  }

  #readNext(character: string): void {
    const slot = this.#slots.at(-1)
    const isArray = typeof slot === 'number'
    if (character === ',' && isArray) this.#slots[this.#slots.length - 1] = slot + 1
    if (character === ',') this.#state = isArray ? 'value' : 'key'
    else if (character === (isArray ? ']' : '}')) this.#close()
    else this.#state = 'broken'
  }

  #begin(character: string): void {
    if (character === '"') this.#beginToken('string', '')
    else if (character === '{') this.#open({}, '', 'first key')
    else if (character === '[') this.#open([] as unknown as Container, 0, 'first item')
    else if (/[-\d]/.test(character)) this.#beginToken('number', character)
    else if (/[tfn]/.test(character)) this.#beginToken('word', character)
    else this.#state = 'broken'
  }

  #beginToken(state: 'string' | 'number' | 'word', token: string, isKey = false): void {
    this.#state = state
    this.#token = token
    this.#isKey = isKey
    this.#isString = state === 'string'
  }

  #open(container: Container, slot: string | number, state: State): void {
    this.#place(container)
    this.#stack.push(container)
    this.#slots.push(slot)
    this.#state = state
  }

  #close(): void {
    this.#stack.pop()
    this.#slots.pop()
    this.#state = this.#stack.length > 0 ? 'next' : 'end'
  }

  /** Adds a complete value. */
  #put(value: unknown): void {
    this.#place(value)
    this.#state = this.#stack.length > 0 ? 'next' : 'end'
  }

  #place(value: unknown): void {
    const container = this.#stack.at(-1)
    const slot = this.#slots.at(-1)
    if (!container || slot === undefined) this.#root = value
    else if (slot !== '__proto__') container[slot] = value
    // Assigning this key would set the prototype.
    else Object.defineProperty(container, slot, { value, enumerable: true, configurable: true, writable: true })
  }
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t'
}

function isNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)
}

function isWord(text: string): text is keyof typeof words {
  return Object.hasOwn(words, text)
}

function unicode(escape: string): string | undefined {
  return /^u[\da-f]{4}$/i.test(escape) ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : undefined
}
