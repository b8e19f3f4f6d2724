import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageCountTokensParams, MessageCreateParams } from '../../protocol/types/params.ts'
import type { RecordedEvent } from './recorded-events.ts'

/** A place for a cassette: a file, or a test's memory. */
export interface CassettePort {
  /** The name in errors. */
  readonly name: string
  /** Undefined if there is none yet. */
  read(): Promise<string | undefined>
  /** Replaces the text as a whole, or leaves it unchanged. */
  write(text: string): Promise<void>
}

/** A recorded request and its reply. */
export type Exchange = RecordedReply | RecordedCount

export interface RecordedReply {
  kind: 'message'
  request: MessageCreateParams
  events: readonly RecordedEvent[]
  /** The API's error, before the first event or after those that were recorded. */
  error?: RecordedError
}

export interface RecordedCount {
  kind: 'count_tokens'
  request: MessageCountTokensParams
  result: { input_tokens: number }
}

export interface RecordedError {
  /** Absent for an error inside the stream. */
  status?: number
  /** The headers that tell whether and when to retry. */
  headers?: Record<string, string>
  body: unknown
}

const version = 1

/** The text of a cassette: JSON that is read and compared line by line. An event is one line. */
export function encodeCassette(exchanges: readonly Exchange[]): string {
  const parts = exchanges.map((exchange) => indented(exchangeText(exchange), 4))
  const list = parts.length === 0 ? '[]' : `[\n    ${parts.join(',\n    ')}\n  ]`
  return `{\n  "cassette": ${version},\n  "exchanges": ${list}\n}\n`
}

function exchangeText(exchange: Exchange): string {
  if (exchange.kind === 'count_tokens') return JSON.stringify(exchange, null, 2)
  const { kind, request, events, error } = exchange
  const lines = events.map((event) => `    ${JSON.stringify(event)}`)
  return [
    '{',
    `  "kind": ${JSON.stringify(kind)},`,
    `  "request": ${indented(JSON.stringify(request, null, 2), 2)},`,
    `  "events": ${lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`}${error ? ',' : ''}`,
    ...(error ? [`  "error": ${indented(JSON.stringify(error, null, 2), 2)}`] : []),
    '}',
  ].join('\n')
}

function indented(text: string, spaces: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(spaces)}`)
}

/** Reads the text of a cassette. Throws an `AnthropicError` that says what is wrong with it. */
export function decodeCassette(text: string, name: string): Exchange[] {
  const { cassette, exchanges } = parsed(text, name)
  if (cassette !== version)
    throw unreadable(name, `its version must be ${version}: found ${JSON.stringify(cassette) ?? 'none'}`)
  if (!Array.isArray(exchanges)) throw unreadable(name, 'it has no list of exchanges')
  for (const [index, exchange] of exchanges.entries())
    if (!isExchange(exchange)) throw unreadable(name, `exchange ${index + 1} has no request and reply`)
  return exchanges as Exchange[]
}

function parsed(text: string, name: string): { cassette?: unknown; exchanges?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch (error) {
    throw unreadable(name, `it is not JSON: ${(error as Error).message}`)
  }
}

function isExchange(value: unknown): value is Exchange {
  const { kind, request, events, result } = (value ?? {}) as Record<string, unknown>
  if (typeof request !== 'object' || request === null) return false
  return kind === 'count_tokens' ? typeof result === 'object' : Array.isArray(events)
}

function unreadable(name: string, reason: string): AnthropicError {
  return new AnthropicError(`Cannot read the cassette ${name}: ${reason}`)
}
