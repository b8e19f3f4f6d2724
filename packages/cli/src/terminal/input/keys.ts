import { EventEmitter } from 'node:events'
import { emitKeypressEvents, type Key as NodeKey } from 'node:readline'
import { StringDecoder } from 'node:string_decoder'
import { continuesPaste, isPaste, Paste, pasteEnd, pasteStart, longRunAt } from './paste.ts'

/** A key or a paste. */
export interface Key {
  /** `text` for text to insert, `paste`, or a name: `enter`, `left`, `a` with ctrl or alt, … */
  name: string
  text: string
  ctrl: boolean
  alt: boolean
  shift: boolean
}

const escape = '\x1b'
/** An escape character without a sequence after this time is the Esc key. Milliseconds. */
const escapeDelayMs = 50
/** Longer sequences are dropped. Characters. */
const maxSequence = 64
/** A bracketed paste that pauses this long has lost its end. Milliseconds. */
const lostEndMs = 1000
/** A paste without brackets ends with a pause of this length. Milliseconds. */
const pasteGapMs = 30
/** Ctrl-C or Ctrl-D alone after a pause of this length is a key and not part of a paste. Milliseconds. */
const keyGapMs = 100

/** The keys that the Kitty protocol and xterm name by number. */
const namedCodes: Record<number, string> = { 9: 'tab', 13: 'enter', 27: 'escape', 127: 'backspace', 57414: 'enter' }

/**
 * Turns the bytes of a terminal into keys. Node's decoder reads the classic keys. This class reads what Node would take for
 * text: modified keys of the Kitty protocol and of xterm, answers to queries, and pastes.
 */
export class KeyReader {
  readonly #onKey: (key: Key) => void
  readonly #decoder = new StringDecoder('utf8')
  readonly #classic = new EventEmitter()
  /** An unfinished escape sequence. */
  #sequence = ''
  /** A paste that has not ended. */
  #paste: Paste | undefined
  /** A bracketed paste lost its end, so that more of it may follow. */
  #isTorn = false
  #timer: NodeJS.Timeout | undefined
  #lastReadAt = 0

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey
    // `emitKeypressEvents` uses only the `data` event of the stream.
    emitKeypressEvents(this.#classic as unknown as NodeJS.ReadableStream)
    this.#classic.on('keypress', (text: string | undefined, key: NodeKey) => {
      const read = classicKey(text, key)
      if (read !== undefined) this.#onKey(read)
    })
  }

  push(chunk: Uint8Array): void {
    clearTimeout(this.#timer)
    this.#read(this.#decoder.write(Buffer.from(chunk)))
    this.#lastReadAt = performance.now()
    this.#setTimer()
  }

  /** Ends a paste, and stops waiting for the rest of a sequence. */
  close(): void {
    clearTimeout(this.#timer)
    this.#endPaste()
  }

  #read(text: string): void {
    for (let rest = text; rest !== '';) rest = this.#readSome(rest)
  }

  /** Reads a part of the text and returns the rest. */
  #readSome(text: string): string {
    if (this.#paste !== undefined) return this.#readPaste(this.#paste, text)
    if (this.#isTorn) return this.#readAfterTornPaste(text)
    if (this.#sequence !== '' || !isPaste(text)) return this.#readKeys(text)
    this.#paste = new Paste(false)
    return text
  }

  #readPaste(paste: Paste, text: string): string {
    const isKey = /^[\x03\x04]$/.test(text) && performance.now() - this.#lastReadAt >= keyGapMs
    if (isKey || !(paste.isBracketed || continuesPaste(text, paste))) {
      this.#endPaste()
      return text
    }
    const rest = paste.add(text)
    if (rest !== undefined) this.#endPaste()
    return rest ?? ''
  }

  /** Reads what may be the rest of a torn paste, which must not send. A single key ends the doubt. */
  #readAfterTornPaste(text: string): string {
    const hasEnd = text.includes(pasteEnd)
    this.#isTorn = !hasEnd && text.length > 1 && !text.includes(escape)
    if (hasEnd) this.#paste = new Paste(true)
    else if (this.#isTorn) {
      this.#paste = new Paste(false)
      this.#paste.add(text)
      return ''
    }
    return text
  }

  /** Reads keys up to a paste. */
  #readKeys(text: string): string {
    for (let at = 0; at < text.length;) {
      const run = this.#sequence === '' ? longRunAt(text, at) : ''
      const character = run || String.fromCodePoint(text.codePointAt(at) ?? 0)
      at += character.length
      if (run !== '') this.#onKey(keyOf('paste', { text: run }))
      else if (this.#character(character) === pasteStart) {
        this.#paste = new Paste(true)
        return text.slice(at)
      }
    }
    return ''
  }

  #endPaste(): void {
    const text = this.#paste?.text() ?? ''
    this.#paste = undefined
    if (text !== '') this.#onKey(keyOf('paste', { text }))
  }

  /** Reads a character and returns the sequence that it ends. */
  #character(character: string): string {
    const sequence = this.#sequence + character
    this.#sequence = ''
    if (character === escape) {
      if (sequence.length === 2) this.#onKey(keyOf('escape'))
      this.#sequence = escape
    } else if (sequence.length === 1 || !/^\x1b(?:[[O]|\[[^@-~]*)$/.test(sequence)) {
      this.#sequenceEnded(sequence)
      return sequence
    } else if (sequence.length < maxSequence) this.#sequence = sequence
    return ''
  }

  #sequenceEnded(sequence: string): void {
    if (isClassic(sequence)) return void this.#classic.emit('data', Buffer.from(sequence))
    const key = numberedKey(sequence)
    if (key !== undefined) this.#onKey(key)
  }

  #setTimer(): void {
    const paste = this.#paste
    if (paste === undefined) {
      if (this.#sequence !== '') this.#timer = setTimeout(() => this.#sequenceTimedOut(), escapeDelayMs)
    } else this.#timer = setTimeout(() => this.#pasteTimedOut(paste), paste.isBracketed ? lostEndMs : pasteGapMs)
  }

  #sequenceTimedOut(): void {
    if (this.#sequence === escape) this.#onKey(keyOf('escape'))
    this.#sequence = ''
  }

  #pasteTimedOut(paste: Paste): void {
    this.#isTorn ||= paste.isBracketed
    this.#endPaste()
  }
}

/** Whether Node's decoder reads the sequence as one key. It takes the end of other sequences for text. */
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
  // The answer of a terminal that supports the protocol.
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
  // Keys without a character, such as Caps Lock, have codes in the private-use range.
  if (code < 0x20 || (code >= 0xe000 && code <= 0xf8ff) || code > 0x10ffff) return undefined
  const character = String.fromCodePoint(code)
  if (flags.ctrl || flags.alt) return keyOf(character === ' ' ? 'space' : character.toLowerCase(), flags)
  return keyOf('text', { text: flags.shift ? character.toUpperCase() : character })
}

function keyOf(name: string, parts: Partial<Key> = {}): Key {
  return { text: '', ctrl: false, alt: false, shift: false, ...parts, name }
}
