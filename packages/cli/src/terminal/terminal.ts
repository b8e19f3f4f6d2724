import type { ReadStream, WriteStream } from 'node:tty'
import { KeyReader, type Key } from './input/keys.ts'

const pasteOn = '\x1b[?2004h'
const pasteOff = '\x1b[?2004l'
/** Asks whether the terminal supports the Kitty keyboard protocol. One that does not gives no answer. */
const askKitty = '\x1b[?u'
const kittyOn = '\x1b[>1u'
const kittyOff = '\x1b[<u'

/**
 * The first bytes after the terminal is opened may have been typed before it, when it still turned Enter into a line feed.
 * Milliseconds.
 */
const typedAheadMs = 500

/** Reads keys from the user's terminal while it is open. Closing restores the terminal's modes. */
export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #reader: KeyReader
  #isOpen = false
  #hasKitty = false
  #openedAt = -Infinity

  constructor(input: ReadStream, output: WriteStream, onKey: (key: Key) => void) {
    this.#input = input
    this.#output = output
    this.#reader = new KeyReader((key) => {
      if (key.name === 'kitty') this.#enableKitty()
      else onKey(key)
    })
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#input.setRawMode(true)
    this.#openedAt = performance.now()
    this.#input.on('data', this.#onData)
    this.#input.resume()
    this.#output.write(pasteOn + askKitty)
    process.on('exit', this.#restore)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#reader.close()
    process.off('exit', this.#restore)
    this.#restore()
    this.#input.off('data', this.#onData)
    this.#input.pause()
    // Setting the mode of a closed stream throws.
    if (!this.#input.destroyed) this.#input.setRawMode(false)
  }

  readonly #onData = (chunk: Buffer): void => {
    const isTypedAhead = performance.now() - this.#openedAt < typedAheadMs && !chunk.includes('\r')
    this.#openedAt = -Infinity
    this.#reader.push(isTypedAhead ? Buffer.from(chunk.map((byte) => (byte === 0x0a ? 0x0d : byte))) : chunk)
  }

  /** Switches the modes off, also if the program ends while the terminal is open. */
  readonly #restore = (): void => {
    this.#output.write((this.#hasKitty ? kittyOff : '') + pasteOff)
    this.#hasKitty = false
  }

  #enableKitty(): void {
    if (this.#hasKitty || !this.#isOpen) return
    this.#hasKitty = true
    this.#output.write(kittyOn)
  }
}
