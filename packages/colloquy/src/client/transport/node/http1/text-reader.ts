import type { NodeBuffer } from '../modules.ts'
import { ResponseRefusal } from './refusal.ts'

/** The most bytes of one head, of the trailers, or of the line with a chunk's size. As Node's `maxHeaderSize`. */
const maxTextBytes = 16 * 1024

const tab = 9
const lineFeed = 10
const carriageReturn = 13
const firstPrintable = 32
const deletion = 127

/**
 * Collects the text of a response that comes in any number of pieces: one line, or lines up to a blank one.
 *
 * Every line ends with CR and LF. A lone one of them, and any other control character except a tab, is refused where it
 * stands: some servers and proxies read them as line ends, and could then disagree about where a message ends.
 */
export class TextReader {
  #text = ''
  #lineLength = 0
  #isAfterCr = false

  /** Reads from `at` on. Returns the position after the text, or -1 if its end has not arrived. */
  read(bytes: NodeBuffer, at: number, end: number, until: 'line end' | 'blank line'): number {
    for (let i = at; i < end; i++) {
      const byte = bytes[i]!
      if (this.#isAfterCr) {
        if (byte !== lineFeed) throw new ResponseRefusal('HPE_LF_EXPECTED', 'the response has a CR without LF')
        const isBlank = this.#lineLength === 0
        this.#isAfterCr = false
        this.#lineLength = 0
        if (isBlank || until === 'line end') return this.#add(bytes, at, i + 1)
      } else if (byte === carriageReturn) this.#isAfterCr = true
      else {
        if (byte < firstPrintable ? byte !== tab : byte === deletion) throw refusalOf(byte)
        this.#lineLength++
      }
    }
    this.#add(bytes, at, end)
    return -1
  }

  /** The text so far. */
  get text(): string {
    return this.#text
  }

  /** The text without the line end after it. The next text begins. */
  take(): string {
    const text = this.#text.slice(0, -2)
    this.#text = ''
    return text
  }

  #add(bytes: NodeBuffer, at: number, end: number): number {
    this.#text += bytes.toString('latin1', at, end)
    if (this.#text.length <= maxTextBytes) return end
    throw new ResponseRefusal('HPE_HEADER_OVERFLOW', `the response has a head of more than ${maxTextBytes} bytes`)
  }
}

function refusalOf(byte: number): ResponseRefusal {
  if (byte === lineFeed) return new ResponseRefusal('HPE_CR_EXPECTED', 'the response has a line that ends without CR')
  return new ResponseRefusal('HPE_INVALID_HEADER_TOKEN', `the response has the control character ${byte} in its head`)
}
