import { AnthropicError } from '../types/error.ts'
import type { ServerEvent } from '../types/event.ts'
import { pinCompiledCode } from './pin-compiled-code.ts'

/** A server-sent event as it travels: its name, if it has one, and its data. */
export interface ServerSentEvent {
  event: string | undefined
  data: string
}

/** Limits of the parser of server-sent events. */
export interface SseOptions {
  /** The most bytes of one event, field names and comments included. Default 16 MiB. */
  maxEventBytes?: number
}

const defaultMaxEventBytes = 16 * 1024 * 1024

/**
 * Encodes one event for the wire. JSON has no raw line ends, so the data is always one line. The inverse of `decodeSse`.
 *
 * @example
 * ```ts
 * import { encodeSse } from 'colloquy/protocol'
 *
 * console.log(JSON.stringify(encodeSse({ type: 'ping' }))) // "event: ping\ndata: {\"type\":\"ping\"}\n\n"
 * ```
 */
export function encodeSse(event: ServerEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/**
 * Decodes the server-sent events of a response body, wherever it is cut into chunks.
 *
 * @example
 * ```ts
 * import { decodeSse } from 'colloquy/protocol'
 *
 * const body = new Blob(['event: ping\ndata: {"type":"ping"}\n\n']).stream()
 * for await (const { event, data } of decodeSse(body)) console.log(event, data) // ping {"type":"ping"}
 * ```
 */
export async function* decodeSse(
  body: AsyncIterable<Uint8Array>,
  options?: SseOptions,
): AsyncGenerator<ServerSentEvent> {
  pinCompiledCode(SseParser)
  const parser = new SseParser(options)
  // Not `yield*`: it would treat the sync iterator as an async one and await each of its results.
  for await (const chunk of body) for (const event of parser.push(chunk)) yield event
  for (const event of parser.end()) yield event
}

// Two decoders, because one that keeps a cut character costs four times as much as one that does not.
const wholeDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

// How `encodeSse` and the API write an event: two fields, each with one space after the colon, then a blank line.
const eventField = 'event: '
const dataField = 'data: '
const blankLine = '\n\n'

/**
 * Parses server-sent events chunk by chunk, as https://html.spec.whatwg.org/multipage/server-sent-events.html specifies: any
 * of the three line ends, a leading BOM, comments, data of several lines. The fields `id` and `retry` are ignored: they are
 * for connections that a client resumes, which these streams do not support.
 *
 * An event of more than `maxEventBytes` is an `AnthropicError`.
 *
 * There are two paths through a chunk. An event that lies in it whole and is written the usual way, as nearly all are, is
 * cut out at once (`endOfSimpleEvent`), which costs half of reading its lines. All others are read line by line
 * (`#readLine`).
 *
 * @example
 * ```ts
 * import { SseParser } from 'colloquy/protocol'
 *
 * const parser = new SseParser()
 * const encoder = new TextEncoder()
 * console.log([...parser.push(encoder.encode('data: {"type":'))].length) // 0
 * console.log([...parser.push(encoder.encode('"ping"}\n\n'))].map(({ data }) => data)) // [ '{"type":"ping"}' ]
 * ```
 */
export class SseParser {
  readonly #maxEventBytes: number
  /** Decodes chunks that begin or end within a character. Created for the first of them. */
  #decoder: InstanceType<typeof TextDecoder> | undefined
  /** Whether the last chunk may have ended within a character. */
  #isCut = false
  #isAtStart = true
  /**
   * The beginning of a line whose end has not arrived. `+=` copies nothing until the string is read, so a line that arrives
   * in many chunks costs O(n).
   */
  #line = ''
  #event: string | undefined
  /** The lines of data. As one string that grows, an endless event of short lines would take twice the memory. */
  #data: string[] = []
  /** The size of the current event in earlier chunks. */
  #pendingBytes = 0
  /** Whether the last chunk ended in `\r`: a `\n` that follows belongs to the same line end. */
  #afterCr = false

  constructor({ maxEventBytes = defaultMaxEventBytes }: SseOptions = {}) {
    this.#maxEventBytes = maxEventBytes
  }

  /** The events that this chunk completes. */
  *push(chunk: Uint8Array): Generator<ServerSentEvent> {
    const events: ServerSentEvent[] = []
    try {
      this.read(chunk, (event) => events.push(event))
    } catch (error) {
      yield* events
      throw error
    }
    yield* events
  }

  /** Calls `take` for each event that this chunk completes. The same as `push()`, at less cost. */
  read(chunk: Uint8Array, take: (event: ServerSentEvent) => void): void {
    const text = this.#decode(chunk)
    if (text === '') return this.#addPending(chunk.length)
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0
    let eventStart = start
    let lf = indexOrInfinity(text, '\n', start)
    let cr = indexOrInfinity(text, '\r', start)
    this.#afterCr = text.endsWith('\r')
    // Both are Infinity, and only then equal, when the text has no line end left.
    while (lf !== cr) {
      const isEventStart = start === eventStart && this.#pendingBytes === 0
      const dataEnd = isEventStart ? endOfSimpleEvent(text, start, lf, cr) : -1
      if (dataEnd > 0) {
        const next = dataEnd + blankLine.length
        this.#checkSize(text, start, next)
        take({ event: text.slice(start + eventField.length, lf), data: text.slice(lf + 1 + dataField.length, dataEnd) })
        start = eventStart = next
        lf = indexOrInfinity(text, '\n', start)
        continue
      }
      const end = Math.min(lf, cr)
      const isBlank = end === start && this.#line === ''
      if (!isBlank) this.#readLine(text, start, end)
      start = cr + 1 === lf ? lf + 1 : end + 1
      if (lf < start) lf = indexOrInfinity(text, '\n', start)
      if (cr < start) cr = indexOrInfinity(text, '\r', start)
      if (!isBlank) continue
      const event = this.#dispatch(text, eventStart, start)
      if (event) take(event)
      eventStart = start
    }
    this.#line += text.slice(start)
    this.#addPending(eventStart === 0 ? chunk.length : byteLength(text.slice(eventStart)))
  }

  /** Ends the input. Yields the last event if only its blank line is missing, and drops one that was cut off. */
  *end(): Generator<ServerSentEvent> {
    const isCut = this.#line !== '' || (this.#isCut && this.#decoder!.decode() !== '')
    const event = this.#dispatch('', 0, 0)
    if (event && !isCut) yield event
  }

  /** Decodes UTF-8. A leading BOM is removed. */
  #decode(chunk: Uint8Array): string {
    const wasCut = this.#isCut
    // No character that ends in an ASCII byte is cut.
    this.#isCut = chunk.length > 0 ? chunk[chunk.length - 1]! >= 0x80 : wasCut
    const text =
      wasCut || this.#isCut
        ? (this.#decoder ??= new TextDecoder('utf-8', { ignoreBOM: true })).decode(chunk, { stream: true })
        : wholeDecoder.decode(chunk)
    if (!this.#isAtStart || text === '') return text
    this.#isAtStart = false
    return text.startsWith('\ufeff') ? text.slice(1) : text
  }

  #readLine(text: string, start: number, end: number): void {
    if (this.#line !== '') {
      const line = this.#line + text.slice(start, end)
      this.#line = ''
      return this.#readLine(line, 0, line.length)
    }
    if (text.startsWith('data:', start)) this.#addData(valueOf(text, start + 'data:'.length, end))
    else if (text.startsWith('event:', start)) this.#event = valueOf(text, start + 'event:'.length, end)
    else if (isLine(text, start, end, 'data')) this.#addData('')
    else if (isLine(text, start, end, 'event')) this.#event = undefined
  }

  #addData(value: string): void {
    this.#data.push(value)
  }

  /** Ends the current event, whose last part is `text` from `start` to `end`. Undefined if the event has no data. */
  #dispatch(text: string, start: number, end: number): ServerSentEvent | undefined {
    this.#checkSize(text, start, end)
    const event = this.#data.length === 0 ? undefined : { event: this.#event || undefined, data: this.#data.join('\n') }
    this.#event = undefined
    if (event) this.#data = []
    this.#pendingBytes = 0
    return event
  }

  /** Counts the bytes only if the event may be too long: a UTF-16 unit is at most three bytes of UTF-8. */
  #checkSize(text: string, start: number, end: number): void {
    if (this.#pendingBytes + 3 * (end - start) > this.#maxEventBytes)
      this.#addPending(byteLength(text.slice(start, end)))
  }

  #addPending(bytes: number): void {
    this.#pendingBytes += bytes
    if (this.#pendingBytes <= this.#maxEventBytes) return
    throw new AnthropicError(`Cannot read an event of more than ${this.#maxEventBytes} bytes, which is maxEventBytes`)
  }
}

function indexOrInfinity(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from)
  return index < 0 ? Infinity : index
}

/**
 * The end of the data of an event written as `encodeSse` writes it, complete between `start` and `limit`; -1 for any other.
 * `nameEnd` is the end of its first line.
 */
function endOfSimpleEvent(text: string, start: number, nameEnd: number, limit: number): number {
  const end = text.indexOf('\n', nameEnd + 1)
  const isSimple =
    end > 0 &&
    end + 1 < limit &&
    nameEnd > start + eventField.length &&
    text.charCodeAt(end + 1) === 0x0a &&
    text.startsWith(eventField, start) &&
    text.startsWith(dataField, nameEnd + 1)
  return isSimple ? end : -1
}

function isLine(text: string, start: number, end: number, line: string): boolean {
  return end - start === line.length && text.startsWith(line, start)
}

/** A field's value, without the one space that may precede it. */
function valueOf(text: string, start: number, end: number): string {
  return text.slice(start < end && text.charCodeAt(start) === 0x20 ? start + 1 : start, end)
}

function byteLength(text: string): number {
  return text === '' ? 0 : new TextEncoder().encode(text).length
}
