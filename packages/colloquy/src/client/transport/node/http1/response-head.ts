import { fieldIn, type ReceivedHead } from '../buffered-response.ts'
import { ResponseRefusal, shown } from './refusal.ts'

/** The status line and the header fields of a response, and their meaning for its connection. */
export interface ResponseHead extends ReceivedHead {
  readonly isChunked: boolean
  /** The length of a body that is not chunked. Infinity if the body ends with the connection. */
  readonly length: number
  /** How long the connection may be kept for another request, in milliseconds. 0 if it must not be. */
  readonly keepAliveMs: number
}

/** Parses a head: lines that all end with CRLF, without the blank one. `method` is that of the request. */
export function parseHead(text: string, method: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n')
  const [, minor, code] = statusLine.exec(text.slice(0, lineEnd)) ?? []
  if (code === undefined) throw notHttp(text)
  const status = Number(code)
  const fields = parseFields(text, lineEnd + 2)
  const codings = fieldIn(fields, 'transfer-encoding')
  const lengths = fieldIn(fields, 'content-length')
  const isChunked = codings !== null && isChunkedAlone(codings, lengths)
  const length = lengths === null ? Infinity : parseLength(lengths)
  if (isBodiless(status, method))
    return { status, fields, isChunked: false, length: 0, keepAliveMs: keepAliveMs(minor, fields) }
  const endsByItself = isChunked ? minor === '1' : length !== Infinity
  return { status, fields, isChunked, length, keepAliveMs: endsByItself ? keepAliveMs(minor, fields) : 0 }
}

/** Parses header fields or trailers: names in lower case and values alternately. */
export function parseFields(text: string, from = 0): string[] {
  const fields: string[] = []
  for (let at = from; at < text.length;) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', at)
    const name = text.slice(at, colon)
    // A name with a space would be one that other readers trim, or the second line of a folded value.
    if (colon < 0 || colon > end || !token.test(name)) throw wrongField(text.slice(at, end))
    fields.push(name.toLowerCase(), trimmed(text, colon + 1, end))
    at = end + 2
  }
  return fields
}

/** Whether text that has not ended can become a status line, or an empty line before it. */
export function mayBeHead(text: string): boolean {
  const beginning = text.startsWith('\r') ? '\r' : 'HTTP/1.'
  return text.length < beginning.length ? beginning.startsWith(text) : text.startsWith(beginning)
}

/** The refusal of bytes that do not begin with a status line. */
export function notHttp(text: string): ResponseRefusal {
  const [line = ''] = text.split('\r\n')
  return new ResponseRefusal(
    'HPE_INVALID_CONSTANT',
    `the response begins with ${shown(line)} instead of an HTTP/1.1 status`,
  )
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/
const token = /^[\w!#$%&'*+.^`|~-]+$/

function wrongField(line: string): ResponseRefusal {
  return new ResponseRefusal('HPE_INVALID_HEADER_TOKEN', `the response has a wrong header line: ${shown(line)}`)
}

/** A value without the spaces and tabs around it. */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  const character = text.charCodeAt(at)
  return character === 0x20 || character === 0x09
}

/** Refuses every other coding, and a length beside it: two readers of such a response may see two different bodies. */
function isChunkedAlone(codings: string, lengths: string | null): boolean {
  if (codings.toLowerCase() === 'chunked' && lengths === null) return true
  const found = lengths === null ? shown(codings) : `${shown(codings)} beside a content-length`
  throw new ResponseRefusal('HPE_INVALID_TRANSFER_ENCODING', `the response has the transfer-encoding ${found}`)
}

// 15 digits are exact as a number. Joined lengths, of two fields or of a list, have a comma.
const digits = /^\d{1,15}$/

function parseLength(text: string): number {
  if (digits.test(text)) return Number(text)
  const code = text.includes(',') ? 'HPE_UNEXPECTED_CONTENT_LENGTH' : 'HPE_INVALID_CONTENT_LENGTH'
  throw new ResponseRefusal(code, `the response has the content-length ${shown(text)}`)
}

function isBodiless(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === 'HEAD'
}

// The server closes the connection at the announced time, and a request that is sent just before would be lost.
const earlierMs = 1000

// Probes keep an idle connection alive, but not while the machine sleeps. Afterwards the server or a NAT may know nothing of it,
// and a request would wait for its whole time limit.
const unannouncedMs = 5 * 60_000

function keepAliveMs(minor: string | undefined, fields: readonly string[]): number {
  const options = fieldIn(fields, 'connection') ?? ''
  if (close.test(options) || (minor === '0' && !keepAlive.test(options))) return 0
  const [, seconds] = timeout.exec(fieldIn(fields, 'keep-alive') ?? '') ?? []
  return seconds === undefined ? unannouncedMs : Math.max(Number(seconds) * 1000 - earlierMs, 0)
}

const close = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i
const keepAlive = /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i
const timeout = /\btimeout=(\d{1,9})\b/
