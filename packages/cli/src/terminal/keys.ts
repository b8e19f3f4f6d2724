import { EventEmitter } from 'node:events'
import { emitKeypressEvents, type Key as NodeKey } from 'node:readline'
import { StringDecoder } from 'node:string_decoder'

/** One key, or one paste. */
export interface Key {
  /** `text` for what is to be inserted, `paste`, or a name: `enter`, `left`, `a` with ctrl or alt, … */
  name: string
  text: string
  ctrl: boolean
  alt: boolean
  shift: boolean
}

const escape = '\x1b'
const pasteStart = '\x1b[200~'
const pasteEnd = '\x1b[201~'
/** How long a lone escape character waits for the rest of a sequence before it is the Esc key. Milliseconds. */
const escapeDelayMs = 50
/** A sequence longer than this is none, and is dropped. */
const maxSequence = 64

/** The keys that the Kitty protocol and xterm name by number. */
const namedCodes: Record<number, string> = { 9: 'tab', 13: 'enter', 27: 'escape', 127: 'backspace', 57414: 'enter' }

/**
 * Turns what a terminal sends into keys. Node's own decoder reads the classic ones. What it would let through as text is
 * read here: the Kitty protocol's and xterm's modified keys, answers to queries, and pastes, which are one key each.
 */
export class KeyReader {
  readonly #onKey: (key: Key) => void
  readonly #decoder = new StringDecoder('utf8')
  readonly #classic = new EventEmitter()
  /** An escape sequence that has begun. */
  #sequence = ''
  #timer: NodeJS.Timeout | undefined
  /** A bracketed paste that has begun. */
  #paste: string | undefined

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey
    // The decoder asks no more of a stream than `on('data')`.
    emitKeypressEvents(this.#classic as unknown as NodeJS.ReadableStream)
    this.#classic.on('keypress', (text: string | undefined, key: NodeKey) => {
      const read = classicKey(text, key)
      if (read !== undefined) this.#onKey(read)
    })
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.write(Buffer.from(chunk))
    clearTimeout(this.#timer)
    if (this.#paste === undefined && this.#sequence === '' && isBurst(text)) {
      this.#onKey(keyOf('paste', { text: pastedText(text.replace(/[\r\n]+$/, '')) }))
    } else for (const character of text) this.#character(character)
    if (this.#sequence !== '') this.#timer = setTimeout(() => this.#giveUp(), escapeDelayMs)
  }

  /** Lets go of the timer. */
  close(): void {
    clearTimeout(this.#timer)
  }

  #character(character: string): void {
    if (this.#paste !== undefined) return this.#pasteCharacter(character)
    const sequence = this.#sequence + character
    this.#sequence = ''
    if (character === escape) {
      if (sequence.length === 2) this.#onKey(keyOf('escape'))
      this.#sequence = escape
    } else if (sequence.length === 1 || !/^\x1b(?:[[O]|\[[^@-~]*)$/.test(sequence)) this.#end(sequence)
    else if (sequence.length < maxSequence) this.#sequence = sequence
  }

  #end(sequence: string): void {
    if (sequence === pasteStart) this.#paste = ''
    else if (isClassic(sequence)) this.#classic.emit('data', Buffer.from(sequence))
    else {
      const key = numberedKey(sequence)
      if (key !== undefined) this.#onKey(key)
    }
  }

  #pasteCharacter(character: string): void {
    const paste = this.#paste + character
    if (!paste.endsWith(pasteEnd)) {
      this.#paste = paste
      return
    }
    this.#paste = undefined
    this.#onKey(keyOf('paste', { text: pastedText(paste.slice(0, -pasteEnd.length)) }))
  }

  #giveUp(): void {
    if (this.#sequence === escape) this.#onKey(keyOf('escape'))
    this.#sequence = ''
  }
}

/** Several lines in one read were not typed: without bracketed paste this is how a paste is known. */
function isBurst(text: string): boolean {
  return !text.includes(escape) && /[^\r\n][\r\n]+[^\r\n]/.test(text)
}

/** Whether Node's decoder reads the sequence as one key; of others it lets the end through as text. */
function isClassic(sequence: string): boolean {
  if (!sequence.startsWith('\x1b[')) return true
  return /^\x1b\[(?:\d{0,2}(?:;\d)?[A-HPQRSZ]|\d{1,2}(?:;\d)?~)$/.test(sequence)
}

function classicKey(text: string | undefined, key: NodeKey): Key | undefined {
  const flags = { ctrl: key.ctrl === true, alt: key.meta === true, shift: key.shift === true }
  if (key.sequence === '\x1f') return keyOf('_', { ctrl: true })
  if (key.name === 'return') return keyOf('enter', flags)
  if (key.name === 'enter') return keyOf('j', { ctrl: true })
  if (key.name === 'space') return keyOf(flags.ctrl || flags.alt ? 'space' : 'text', { ...flags, text: ' ' })
  if (!flags.ctrl && !flags.alt && text !== undefined && !/\p{Cc}/u.test(text)) return keyOf('text', { text })
  const isNamed = key.name !== undefined && key.name !== 'undefined'
  if (!isNamed && !/^\x1b\P{Cc}$/u.test(key.sequence ?? '')) return undefined
  return keyOf(isNamed ? (key.name ?? '') : (key.sequence ?? '').slice(1), flags)
}

/** Reads `CSI code ; modifiers u` of the Kitty protocol and `CSI 27 ; modifiers ; code ~` of xterm. */
function numberedKey(sequence: string): Key | undefined {
  // The answer of a terminal that was asked whether it speaks the protocol.
  if (/^\x1b\[\?\d+u$/.test(sequence)) return keyOf('kitty')
  const kitty = /^\x1b\[(\d+)(?::\d*)*(?:;(\d*)(?::(\d+))?)?(?:;[\d:]*)?u$/.exec(sequence)
  const xterm = /^\x1b\[27;(\d+);(\d+)~$/.exec(sequence)
  if (kitty === null && xterm === null) return undefined
  const isRelease = kitty?.[3] === '3'
  if (isRelease) return undefined
  const code = Number(kitty?.[1] ?? xterm?.[2])
  const modifiers = Number(kitty?.[2] ?? xterm?.[1] ?? 1) - 1
  const flags = { shift: (modifiers & 1) > 0, alt: (modifiers & 2) > 0, ctrl: (modifiers & 4) > 0 }
  const name = namedCodes[code]
  if (name !== undefined) return keyOf(name, flags)
  // The private range holds keys without a character, such as Caps Lock; below a space there are none.
  if (code < 0x20 || (code >= 0xe000 && code <= 0xf8ff) || code > 0x10ffff) return undefined
  const character = String.fromCodePoint(code)
  if (flags.ctrl || flags.alt) return keyOf(character === ' ' ? 'space' : character.toLowerCase(), flags)
  return keyOf('text', { text: flags.shift ? character.toUpperCase() : character })
}

function keyOf(name: string, parts: Partial<Key> = {}): Key {
  return { text: '', ctrl: false, alt: false, shift: false, ...parts, name }
}

function pastedText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
}
