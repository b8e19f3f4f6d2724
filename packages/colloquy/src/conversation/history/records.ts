import { jsonText } from '../../protocol/json/json-fault.ts'
import { ContentError } from '../errors.ts'
import { wellFormedJson } from '../../protocol/codec/well-formed-json.ts'
import type { ConversationMetadata } from './metadata.ts'
import { markUnbilled, type ReplyRecord, type Summary } from './reply-record.ts'
import type { ConversationSettings } from '../settings.ts'
import { mapped, type Pausable } from '../in-slices.ts'
import type { MessageRecord, Shelf } from '../stores/store.ts'

/** A conversation that is imported, forked or created with messages. */
export interface Archive {
  /** Default: a new id. */
  id?: string | undefined
  owner?: string | undefined
  metadata?: ConversationMetadata | undefined
  shelf?: Shelf | undefined
  title?: string | undefined
  settings: Partial<ConversationSettings>
  messages: MessageRecord[]
  head: number
  /** Milliseconds since 1970. Default: now. */
  createdAt?: number | undefined
  /** When it was last used, in milliseconds since 1970. Default: now. */
  usedAt?: number | undefined
}

/** A record of a message that is sent as it is. */
export function newRecord({
  number,
  parent,
  role,
  createdAt,
  json,
}: Pick<MessageRecord, 'number' | 'parent' | 'role' | 'createdAt' | 'json'>): MessageRecord {
  return { number, parent, role, state: 'committed', createdAt, json, received: null, reply: null }
}

/** A copy with other values. Spread syntax would not copy a record that a store returns as an instance of a class. */
export function copyRecord(record: MessageRecord, changes: Partial<MessageRecord>): MessageRecord {
  const { number, parent, role, state, createdAt, json, received, reply } = record
  return { number, parent, role, state, createdAt, json, received, reply, ...changes }
}

/** Copies messages as a path of their own, together with the summaries of that path. The copies cost nothing. */
export function* copyPath(records: readonly MessageRecord[], summaries: readonly Summary[]): Pausable<MessageRecord[]> {
  const copies = yield* mapped(records, (record, index) => {
    return copyRecord(record, { number: index + 1, parent: index, reply: markUnbilled(record.reply) })
  })
  for (const { upTo, text } of summaries) {
    const place = records.findIndex(({ number }) => number === upTo) + 1
    if (place === 0) continue
    const reply = JSON.stringify({ unpaid: true, summary: { upTo: place, text } } satisfies ReplyRecord)
    const { createdAt } = records[place - 1]!
    const beside = { number: copies.length + 1, parent: place, role: 'summary', createdAt, json: '' }
    copies.push({ ...newRecord(beside), reply })
  }
  return copies
}

/** The JSON of a message from a program. Halves of surrogate pairs, which the API refuses, become U+FFFD. */
export function encodeMessage(role: string, content: unknown): string {
  return wellFormedJson(jsonText({ role, content }, 'send content', ContentError)!)
}

export function messageJson(role: string, content: string): string {
  return `{"role":${JSON.stringify(role)},"content":${content}}`
}
