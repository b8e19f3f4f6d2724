import type { ReadStream, WriteStream } from 'node:tty'
import { KeyReader, type Key } from './keys.ts'

const pasteOn = '\x1b[?2004h'
const pasteOff = '\x1b[?2004l'
/** Asks whether the terminal speaks the Kitty keyboard protocol; one that does not is silent. */
const askKitty = '\x1b[?u'
const kittyOn = '\x1b[>1u'
const kittyOff = '\x1b[<u'

/** The user's terminal: keys come in one by one while it is open, and it is as it was when it is closed. */
export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #reader: KeyReader
  #isOpen = false
  #hasKitty = false

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
    this.#input.on('data', this.#onData)
    this.#input.resume()
    this.#output.write(pasteOn + askKitty)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#reader.close()
    this.#output.write((this.#hasKitty ? kittyOff : '') + pasteOff)
    this.#hasKitty = false
    this.#input.off('data', this.#onData)
    this.#input.pause()
    // A terminal that is gone has no mode to set.
    if (!this.#input.destroyed) this.#input.setRawMode(false)
  }

  readonly #onData = (chunk: Buffer): void => this.#reader.push(chunk)

  #enableKitty(): void {
    if (this.#hasKitty || !this.#isOpen) return
    this.#hasKitty = true
    this.#output.write(kittyOn)
  }
}
