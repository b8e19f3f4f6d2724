import { AnthropicError } from '../types/error.ts'
import type { ServerEvent } from '../types/event.ts'
import { keepCompiled } from './keep-compiled.ts'

/** One event as it travels: its name, where it has one, and its data. */
export interface ServerSentEvent {
  event: string | undefined
  data: string
}

export interface SseOptions {
  /** The most bytes that one event may take, its field names and comments included. Default 16 MiB. */
  maxEventBytes?: number
}

const defaultMaxEventBytes = 16 * 1024 * 1024

/** The inverse of `decodeSse`: one event on the wire. JSON has no raw line end, so its data is always one line. */
export function encodeSse(event: ServerEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Reads server-sent events off a body, however it is cut into chunks. */
export async function* decodeSse(
  body: AsyncIterable<Uint8Array>,
  options?: SseOptions,
): AsyncGenerator<ServerSentEvent> {
  const parser = new SseParser(options)
  // `yield*` would take a sync iterator for an async one and wait for each of its results.
  for await (const chunk of body) for (const event of parser.push(chunk)) yield event
  for (const event of parser.end()) yield event
}

/**
 * Reads server-sent events chunk by chunk, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it: any of
 * the three line ends, a BOM in front, comments, data of several lines. The fields `id` and `retry` serve connections that
 * are resumed, which these cannot be, and are passed over.
 *
 * Each generator is to be read to its end before the next chunk is pushed. An event of more than `maxEventBytes` is an
 * `AnthropicError`.
 */
export class SseParser {
  readonly #maxEventBytes: number
  readonly #decoder = new TextDecoder()
  /** A line whose end has not come. `+=` copies nothing until the line is read, so one that comes in many chunks costs O(n). */
  #line = ''
  #event: string | undefined
  #data: string | undefined
  /** What earlier chunks hold of the event under way. */
  #heldBytes = 0
  /** The last character was `\r`, so a `\n` that comes next ends nothing. */
  #afterCr = false

  constructor({ maxEventBytes = defaultMaxEventBytes }: SseOptions = {}) {
    this.#maxEventBytes = maxEventBytes
  }

  /** The events that this chunk completes. */
  *push(chunk: Uint8Array): Generator<ServerSentEvent> {
    const text = this.#decoder.decode(chunk, { stream: true })
    if (text === '') return this.#hold(chunk.length)
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0
    let eventStart = start
    let lf = find(text, '\n', start)
    let cr = find(text, '\r', start)
    this.#afterCr = text.endsWith('\r')
    // Each turn reads one line, or one event that is written in the usual form.
    while (lf !== cr) {
      const dataEnd = start === eventStart && this.#heldBytes === 0 ? plainDataEnd(text, start, lf, cr) : -1
      if (dataEnd > 0) {
        this.#measure(text, start, dataEnd + 2)
        yield { event: text.slice(start + 7, lf), data: text.slice(lf + 7, dataEnd) }
        start = eventStart = dataEnd + 2
        lf = find(text, '\n', start)
        continue
      }
      const end = Math.min(lf, cr)
      const isBlank = end === start && this.#line === ''
      if (!isBlank) this.#readLine(text, start, end)
      start = cr + 1 === lf ? lf + 1 : end + 1
      if (lf < start) lf = find(text, '\n', start)
      if (cr < start) cr = find(text, '\r', start)
      if (!isBlank) continue
      const event = this.#take(text, eventStart, start)
      if (event) yield event
      eventStart = start
    }
    this.#line += text.slice(start)
    this.#hold(eventStart === 0 ? chunk.length : byteLength(text.slice(eventStart)))
  }

  /** The last event, where only its blank line is missing. An event that was cut off is dropped. */
  *end(): Generator<ServerSentEvent> {
    const isCut = this.#line !== '' || this.#decoder.decode() !== ''
    const event = this.#take('', 0, 0)
    if (event && !isCut) yield event
  }

  #readLine(text: string, start: number, end: number): void {
    if (this.#line !== '') {
      const line = this.#line + text.slice(start, end)
      this.#line = ''
      return this.#readLine(line, 0, line.length)
    }
    if (text.startsWith('data:', start)) this.#addData(valueOf(text, start + 5, end))
    else if (text.startsWith('event:', start)) this.#event = valueOf(text, start + 6, end)
    else if (end - start === 4 && text.startsWith('data', start)) this.#addData('')
    else if (end - start === 5 && text.startsWith('event', start)) this.#event = undefined
  }

  #addData(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
  }

  /** Ends the event under way, the last part of which is given. One without data is none. */
  #take(text: string, start: number, end: number): ServerSentEvent | undefined {
    this.#measure(text, start, end)
    const event = this.#data === undefined ? undefined : { event: this.#event || undefined, data: this.#data }
    this.#event = undefined
    this.#data = undefined
    this.#heldBytes = 0
    return event
  }

  /** A UTF-16 unit is at most three bytes, so only what may be too long needs to be counted. */
  #measure(text: string, start: number, end: number): void {
    if (this.#heldBytes + 3 * (end - start) > this.#maxEventBytes) this.#hold(byteLength(text.slice(start, end)))
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#heldBytes <= this.#maxEventBytes) return
    throw new AnthropicError(`Cannot read an event of more than ${this.#maxEventBytes} bytes, which is maxEventBytes`)
  }
}

keepCompiled(new SseParser())

/** Where `text` has `character`; beyond every place where it has none left. */
function find(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from)
  return index < 0 ? Infinity : index
}

/**
 * Where the data ends of an event that is written as `encodeSse` does and lies whole between `start` and `limit`; -1 for any
 * other. Nearly every event is, and reading it at once costs half of reading its lines.
 */
function plainDataEnd(text: string, start: number, nameEnd: number, limit: number): number {
  const end = text.indexOf('\n', nameEnd + 1)
  const isPlain =
    end > 0 &&
    end + 1 < limit &&
    nameEnd > start + 7 &&
    text.charCodeAt(end + 1) === 0x0a &&
    text.startsWith('event: ', start) &&
    text.startsWith('data: ', nameEnd + 1)
  return isPlain ? end : -1
}

/** A field's value, without the one space that may precede it. */
function valueOf(text: string, start: number, end: number): string {
  return text.slice(start < end && text.charCodeAt(start) === 0x20 ? start + 1 : start, end)
}

function byteLength(text: string): number {
  return text === '' ? 0 : new TextEncoder().encode(text).length
}
