import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Container, Message, UsageIteration } from '../../protocol/types/message.ts'
import { tokenCounts } from '../../protocol/models/token-counts.ts'

/** The facts about a reply besides its content: the JSON in `MessageRecord.reply`. */
export interface ReplyRecord {
  /** The API's message without its content; absent if the reply failed before it began. */
  message?: Omit<Message, 'content'>
  /** The list price in picodollars. Null: the model has no known price. */
  cost_pico_usd?: number | null
  /** The reply was interrupted, so its output tokens are an estimate. */
  estimated?: true
  /** The error that ended the reply early. */
  error?: { name: string; message: string; type?: string }
  /** The reply costs this conversation nothing: it was written by hand, copied, or is counted in another record. */
  unpaid?: true
  /** The turn continues after the reply by itself, with tool results: if nothing follows, it was interrupted. */
  continues?: true
  /** How many of the first messages of its path its request left out. Absent: none. */
  dropped?: number
  /** The length of the settings of its request, as JSON. Absent: less than `leastSettingsLength`, or not known. */
  settings?: number
  /** How the reply was requested and arrived, with the option `traces`. */
  trace?: ReplyTrace
  /** Set if the reply is a summary. */
  summary?: Summary
}

/** Settings that are shorter are too few tokens to matter. */
export const leastSettingsLength = 1_000

/** How a reply was requested and how it arrived, kept with the option `traces`. */
export interface ReplyTrace {
  /** The parameters without `messages`. */
  request: Partial<MessageCreateParams>
  /** `system` and `tools` are left out too, as they are long. */
  omits?: true
  /** The events in order. Neighbouring deltas of one kind are one entry. */
  events: TracedEvent[]
  /** Milliseconds from the request to its end. */
  ms: number
}

/**
 * Milliseconds from the request to the event; its type, or that of its delta; how many there were; and the characters of
 * their text.
 */
export type TracedEvent = [ms: number, type: string, count?: number, characters?: number]

/** A summary of the beginning of a path, sent in place of those messages. */
export interface Summary {
  /** The number of the last message that it covers; it covers all before that one too. */
  upTo: number
  text: string
}

/** Parses a reply's record. Undefined if it is not JSON, because the row is damaged. */
export function parseReply(reply: string): ReplyRecord | undefined {
  try {
    return JSON.parse(reply) as ReplyRecord
  } catch {
    return undefined
  }
}

/** The summary in a reply's record; undefined if the reply is not a summary. */
export function summaryIn(reply: string | null): Summary | undefined {
  if (reply === null || !reply.includes('"summary":{')) return undefined
  return parseReply(reply)?.summary
}

/** The container of the last reply that ran code. */
export function containerIn(records: readonly { reply: string | null }[]): Container | undefined {
  const reply = records.findLast((record) => record.reply?.includes('"container":{'))?.reply
  return reply ? ((JSON.parse(reply) as ReplyRecord).message?.container ?? undefined) : undefined
}

/** How many of the first messages of its path a reply's request left out. */
export function droppedFor(reply: string | null): number {
  if (!reply?.includes('"dropped"')) return 0
  return (JSON.parse(reply) as ReplyRecord).dropped ?? 0
}

/** The record of a reply that this conversation does not pay for. */
export function markUnbilled(reply: string | null): string | null {
  if (reply === null) return null
  return JSON.stringify({ ...parseReply(reply), unpaid: true } satisfies ReplyRecord)
}

/** All tokens of a usage, prompt and reply. */
export function tokensOf(usage: Omit<UsageIteration, 'type'>): number {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead, output } = tokenCounts(usage)
  return input + cacheWrite5m + cacheWrite1h + cacheRead + output
}
