import { jsonOf, attachJson } from '../../protocol/codec/attached-json.ts'
import { lastCallIn } from '../../protocol/models/token-counts.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { waitingCalls } from './content.ts'
import { sentJson } from './interruption.ts'
import { lazyMessage } from './exact/lazy-message.ts'
import { MessageBytes } from './exact/message-bytes.ts'
import { copyRecord, encodeMessage, newRecord } from './records.ts'
import { droppedFor, type ReplyRecord, tokensOf } from './reply-record.ts'
import { withoutThinking } from './sendable.ts'
import { ServerCalls } from './server-calls.ts'
import type { MessageRecord } from '../stores/store.ts'

/** How much of a history is sent. */
export interface PromptSlice {
  /** How many of the first records are left out. */
  dropped: number
  /** The message that is sent in their place, as JSON. */
  summary: string | undefined
  /** `bound`: leaves out thinking that was written after another beginning than this one. */
  thinking: 'all' | 'bound'
}

/** A reply and its record, parsed. */
export interface KnownReply {
  record: MessageRecord
  about: ReplyRecord
}

/** The messages of the active path, and what is sent of them. */
export class History {
  readonly #records: MessageRecord[]
  /** The messages that are sent, for the records looked at so far. Those from `#serverCalls.first` on may still change. */
  readonly #sent: MessageParam[] = []
  #seen = 0
  readonly #serverCalls = new ServerCalls()
  readonly #bytes = new MessageBytes()
  #hasOwnBreakpoints = false
  /** How many of the first records were searched for cache breakpoints. */
  #searched = 0
  #compactedAt = 0
  /** How many of the first records were searched for compactions. */
  #searchedForCompactions = 0
  #tail: (PromptSlice & { history: History }) | undefined
  #lastReply: KnownReply | undefined

  /** @param records taken over, not copied. */
  constructor(records: MessageRecord[] = []) {
    this.#records = records
  }

  get records(): readonly MessageRecord[] {
    return this.#records
  }

  /** The last message; undefined at the beginning. */
  get last(): MessageRecord | undefined {
    return this.#records.at(-1)
  }

  /**
   * The messages as they are sent, in a new list. Each is frozen, and is parsed only when its content is read: sending
   * the list parses none of them.
   */
  get sent(): MessageParam[] {
    const messages = this.#extend().slice()
    return this.#attachJson(messages, messages.length)
  }

  /**
   * A copy of `sent` with other messages in some places. Places near the end are cheap: the messages before the first
   * place are sent from the bytes that are already encoded.
   *
   * @param places indexes in `sent`.
   */
  sentWith(places: readonly number[], replace: (message: MessageParam) => MessageParam): MessageParam[] {
    const messages = this.#extend().slice()
    for (const place of places) messages[place] = replace(messages[place]!)
    return this.#attachJson(messages, Math.min(messages.length, ...places))
  }

  /** The messages that are sent, in a list that grows with the history. Throws a `StoreError` if one is damaged. */
  get toSend(): readonly MessageParam[] {
    return this.#extend()
  }

  /** Whether a user message has a cache breakpoint of its own. */
  get hasOwnBreakpoints(): boolean {
    for (; !this.#hasOwnBreakpoints && this.#searched < this.#records.length; this.#searched++) {
      const { role, json } = this.#records[this.#searched]!
      this.#hasOwnBreakpoints = role !== 'assistant' && json.includes('"cache_control":{')
    }
    return this.#hasOwnBreakpoints
  }

  /** The index of the newest message in which the API compacted everything before it; 0 if there is none. */
  get compactedAt(): number {
    for (; this.#searchedForCompactions < this.#records.length; this.#searchedForCompactions++) {
      if (isCompacted(this.#records[this.#searchedForCompactions]!)) this.#compactedAt = this.#searchedForCompactions
    }
    return this.#compactedAt
  }

  /** How many records there are up to and including the message; 0 if it is not on this path. */
  countTo(number: number): number {
    return indexOfNumber(this.#records, number) + 1
  }

  /** The last message that is sent. */
  get lastSent(): MessageParam | undefined {
    const record = this.#lastSentRecord
    return record && lazyMessage(record.role, record.json)
  }

  /** The ids of the tool calls at the end that wait for results. */
  get waitingCalls(): string[] {
    // Most replies call no tool, and are not parsed to find that out.
    return this.#lastSentRecord?.json.includes('"tool_use"') ? waitingCalls(this.lastSent) : []
  }

  get #lastSentRecord(): MessageRecord | undefined {
    return this.#records.findLast(({ json }) => json !== '')
  }

  /** The last message with a reply record, and that record. */
  get lastReply(): KnownReply | undefined {
    const record = this.#records.findLast(({ reply }) => reply !== null)
    if (record === undefined) return undefined
    if (this.#lastReply?.record !== record) {
      this.#lastReply = { record, about: JSON.parse(record.reply!) as ReplyRecord }
    }
    return this.#lastReply
  }

  /**
   * The number of tokens of the prompt and the reply up to the last message, by the usage of that reply. Undefined if the
   * last message is not a complete reply with a usage of its own.
   */
  get usedTokens(): number | undefined {
    const { last, lastReply } = this
    if (last?.state !== 'committed' || last !== lastReply?.record) return undefined
    const { message, unpaid } = lastReply.about
    return message === undefined || unpaid ? undefined : tokensOf(lastCallIn(message.usage))
  }

  /** The history up to and including the message; undefined if the message is not on this path. */
  upTo(number: number): History | undefined {
    if (number === (this.last?.number ?? 0)) return this
    if (number === 0) return new History()
    const index = indexOfNumber(this.#records, number)
    return index < 0 ? undefined : new History(this.#records.slice(0, index + 1))
  }

  /** The history before the message. */
  upToBefore(number: number): History {
    return new History(this.#records.slice(0, indexOfNumber(this.#records, number)))
  }

  /** This history with one more message, which is not stored. */
  appending(message: MessageParam): History {
    return this.appendingJson(message.role, encodeMessage(message.role, message.content))
  }

  /** This history with one more message, as JSON, which is not stored. */
  appendingJson(role: string, json: string): History {
    const number = (this.last?.number ?? 0) + 1
    return new History([...this.#records, newRecord({ number, parent: number - 1, role, createdAt: Date.now(), json })])
  }

  /** The part that is sent. Returns the same history for the same slice, and it grows with this one. */
  visibleThrough(slice: PromptSlice): History {
    const { dropped, summary, thinking } = slice
    if (dropped === 0) return this
    const tail = this.#tail
    if (tail?.dropped !== dropped || tail.summary !== summary || tail.thinking !== thinking) {
      const kept = this.#records.slice(dropped)
      const first = summary === undefined ? [] : [summaryRecord(this.#records[dropped - 1]!, summary)]
      const rest = thinking === 'all' ? kept : kept.map((record) => withBoundThinking(record, dropped))
      this.#tail = { ...slice, history: new History([...first, ...rest]) }
    }
    return this.#tail!.history
  }

  /** Adds a message. @param about the parsed record of a reply, if it is at hand. */
  push(record: MessageRecord, about?: ReplyRecord): void {
    this.#records.push(record)
    if (about !== undefined) this.#lastReply = { record, about }
    this.#tail?.history.push(record, about)
  }

  /** Adds the messages of the records since the last call. */
  #extend(): readonly MessageParam[] {
    for (; this.#seen < this.#records.length; this.#seen++) {
      const record = this.#records[this.#seen]!
      const json = sentJson(record, this.#records[this.#seen - 1])
      if (json !== '') this.#serverCalls.addTo(this.#sent, lazyMessage(record.role, json))
    }
    return this.#sent
  }

  /**
   * Attaches JSON to the list, up to the first `same` messages as the bytes that are already encoded. It is void once the
   * list changes.
   */
  #attachJson(messages: MessageParam[], same: number): MessageParam[] {
    const open = this.#serverCalls.first
    const first = open === undefined ? same : Math.min(same, this.#sent.lastIndexOf(open))
    const rest = messages.slice(first)
    return attachJson(messages, () => {
      if (messages.length !== first + rest.length) return undefined
      for (let index = 0; index < messages.length; index++) {
        if (messages[index] !== (index < first ? this.#sent[index] : rest[index - first])) return undefined
      }
      return this.#pieces(first, rest.map(jsonOf))
    })
  }

  /** The JSON of the first `count` messages and of some others. Messages that were sent before are not encoded again. */
  #pieces(count: number, others: readonly string[] = []): Uint8Array[] {
    while (this.#bytes.count < count) this.#bytes.add(jsonOf(this.#sent[this.#bytes.count]!))
    return this.#bytes.pieces(count, others)
  }
}

function isCompacted({ role, json }: MessageRecord): boolean {
  if (role !== 'assistant' || !json.includes('"type":"compaction"')) return false
  const { content } = JSON.parse(json) as { content: ContentBlock[] }
  // A compaction that failed has no content and replaces nothing.
  return content.some((block) => block.type === 'compaction' && (block.content ?? block.encrypted_content) != null)
}

/** The record, without its thinking if other messages came before it when it was received. */
function withBoundThinking(record: MessageRecord, dropped: number): MessageRecord {
  const { role, json, reply } = record
  if (role !== 'assistant' || !json.includes('thinking"') || droppedFor(reply) === dropped) return record
  return copyRecord(record, { json: withoutThinking(json) })
}

/** The record of the message that is sent in place of all messages up to this one. */
function summaryRecord({ number, parent, createdAt }: MessageRecord, json: string): MessageRecord {
  return newRecord({ number, parent, role: 'user', createdAt, json })
}

/** The index of a message in a path; -1 if it is not there. */
function indexOfNumber(records: readonly MessageRecord[], number: number): number {
  // A message comes after its parent, so the numbers of a path rise.
  let [from, to] = [0, records.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (records[middle]!.number < number) from = middle + 1
    else to = middle
  }
  return records[from]?.number === number ? from : -1
}
