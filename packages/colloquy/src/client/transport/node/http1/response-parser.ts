import type { NodeBuffer } from '../modules.ts'
import { ResponseRefusal, shown } from './refusal.ts'
import { mayBeHead, notHttp, parseFields, parseHead, type ResponseHead } from './response-head.ts'
import { TextReader } from './text-reader.ts'

/** Receives the parts of one response. */
export interface ResponseReceiver {
  /** The final head: informational ones are skipped. */
  onHead(head: ResponseHead): void
  /** Bytes of the body, which are valid only until the call returns. */
  onBody(bytes: Uint8Array): void
  /** The response is complete. `hasSurplus` if bytes follow it, which no request asked for. */
  onEnd(hasSurplus: boolean): void
}

/** The most informational responses (status 100 to 199) and empty lines before the final response. */
const maxSkipped = 16

type State = 'head' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'body' | 'over'

/**
 * Parses one HTTP/1.1 response from the reads of a socket, by https://www.rfc-editor.org/rfc/rfc9112. Throws a
 * `ResponseRefusal`, after which nothing more may be pushed.
 */
export class ResponseParser {
  /** Whether any byte of the response has arrived. */
  hasBegun = false
  readonly #method: string
  readonly #receiver: ResponseReceiver
  readonly #reader = new TextReader()
  #state: State = 'head'
  /** The bytes of the body or chunk that have not arrived. */
  #left = 0
  #isAfterCr = false
  #skipped = 0

  constructor(method: string, receiver: ResponseReceiver) {
    this.#method = method
    this.#receiver = receiver
  }

  /**
   * Parses the bytes of one read, up to `end`. The parts of the body in it are moved together and handed on as one: each
   * piece costs its readers more than the copy.
   */
  push(bytes: NodeBuffer, end: number): void {
    this.hasBegun = true
    let at = 0
    let bodyStart = 0
    let bodyEnd = 0
    try {
      while (at < end && this.#state !== 'over') {
        if (this.#state !== 'chunk' && this.#state !== 'body') at = this.#readFrame(bytes, at, end)
        else {
          const next = Math.min(end, at + this.#left)
          if (bodyStart === bodyEnd) bodyStart = bodyEnd = at
          else bytes.copyWithin(bodyEnd, at, next)
          bodyEnd += next - at
          this.#left -= next - at
          at = next
          if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk end' : 'over'
        }
      }
    } finally {
      // Also before a refusal: what arrived before it is valid.
      if (bodyEnd > bodyStart) this.#receiver.onBody(bytes.subarray(bodyStart, bodyEnd))
    }
    if (this.#state === 'over') this.#receiver.onEnd(at < end)
  }

  /** Ends the input. Returns whether the response is complete, as one without a length is. */
  end(): boolean {
    if (this.#state !== 'body' || this.#left !== Infinity) return false
    this.#state = 'over'
    this.#receiver.onEnd(false)
    return true
  }

  /** Reads bytes that are not of the body. Returns the position after them. */
  #readFrame(bytes: NodeBuffer, at: number, end: number): number {
    if (this.#state === 'chunk end') return this.#readChunkEnd(bytes[at]!, at)
    if (this.#state === 'size') {
      const next = this.#readShortSize(bytes, at, end)
      if (next > 0) return next
    }
    const next = this.#reader.read(bytes, at, end, this.#state === 'size' ? 'line end' : 'blank line')
    if (next >= 0) this.#takeText(this.#reader.take())
    else if (this.#state === 'head' && !mayBeHead(this.#reader.text)) throw notHttp(this.#reader.text)
    return next < 0 ? end : next
  }

  #takeText(text: string): void {
    if (this.#state === 'head') this.#takeHead(text)
    else if (this.#state === 'size') this.#beginChunk(parseSize(text))
    else this.#takeTrailers(text)
  }

  #takeHead(text: string): void {
    // Some servers send an empty line after a body.
    if (text === '') return this.#skip()
    const head = parseHead(text, this.#method)
    if (head.status === 101) throw new Error('found status 101, Switching Protocols')
    if (head.status < 200) return this.#skip()
    this.#left = head.length
    this.#state = head.isChunked ? 'size' : head.length > 0 ? 'body' : 'over'
    this.#receiver.onHead(head)
  }

  #skip(): void {
    if (++this.#skipped <= maxSkipped) return
    throw new ResponseRefusal('HPE_INVALID_STATUS', `more than ${maxSkipped} heads of status 1xx precede the response`)
  }

  /** Reads the line with a chunk's size if it is only a few digits, and complete. Returns -1 otherwise. */
  #readShortSize(bytes: NodeBuffer, start: number, end: number): number {
    if (this.#reader.text !== '') return -1
    let size = 0
    let at = start
    for (; at < end && at - start < 8; at++) {
      const digit = hexDigit(bytes[at]!)
      if (digit < 0) break
      size = size * 16 + digit
    }
    if (at === start || at + 1 >= end || bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) return -1
    this.#beginChunk(size)
    return at + 2
  }

  #beginChunk(size: number): void {
    this.#left = size
    this.#state = size === 0 ? 'trailers' : 'chunk'
  }

  #readChunkEnd(byte: number, at: number): number {
    if (byte !== (this.#isAfterCr ? 0x0a : 0x0d)) {
      throw new ResponseRefusal('HPE_STRICT', 'the response has a chunk that is longer than its size')
    }
    if (this.#isAfterCr) this.#state = 'size'
    this.#isAfterCr = !this.#isAfterCr
    return at + 1
  }

  #takeTrailers(text: string): void {
    for (const [index, name] of parseFields(text).entries()) {
      if (index % 2 === 1 || !framingFields.has(name)) continue
      throw new ResponseRefusal('HPE_INVALID_HEADER_TOKEN', `the response has ${name} among its trailers`)
    }
    this.#state = 'over'
  }
}

/** Fields that would change what was read already. */
const framingFields = new Set(['content-length', 'transfer-encoding'])

/** The value of a hexadecimal digit, -1 for any other character. */
function hexDigit(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30
  const lower = character | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

const token = "[\\w!#$%&'*+.^`|~-]+"
const quoted = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"'
// 13 digits are exact as a number.
const sizeLine = new RegExp(`^([\\da-fA-F]{1,13})(?:;${token}(?:=(?:${token}|${quoted}))?)*$`)

/** The size of a chunk. Its extensions mean nothing here. */
function parseSize(line: string): number {
  const [, digits] = sizeLine.exec(line) ?? []
  if (digits !== undefined) return Number.parseInt(digits, 16)
  throw new ResponseRefusal('HPE_INVALID_CHUNK_SIZE', `the response has the chunk size ${shown(line)}`)
}
