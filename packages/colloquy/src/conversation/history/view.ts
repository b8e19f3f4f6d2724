import { describeValue } from '../../protocol/json/option-names.ts'
import { jsonable } from '../../protocol/models/jsonable.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message, StopReason, Usage } from '../../protocol/types/message.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { cutText, oneLine, storableText } from '../../protocol/text.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import { type ConversationMetadata, parseMetadata } from './metadata.ts'
import type { ReplyRecord, ReplyTrace } from './reply-record.ts'
import { StoreError } from '../errors.ts'
import type {
  ConversationSummary,
  ConversationTotals,
  MessageRecord,
  MessageState,
  SearchHit,
  Shelf,
} from '../stores/store.ts'
import { textOf } from './text.ts'
import { idOf, isUnfinished } from './tree.ts'

/** A message of a conversation, as it is shown. */
export interface ConversationMessage {
  id: string
  /** The message that it follows; undefined at the beginning. */
  parentId: string | undefined
  role: 'user' | 'assistant' | (string & {})
  /** The content as it was sent or received; for an interrupted reply, everything that arrived. */
  content: MessageContentParam
  /** `interrupted` if the reply ended early. */
  state: MessageState
  createdAt: Date
  /** The model of a reply. */
  model?: string
  stopReason?: StopReason | null
  usage?: Usage
  /** Absent if the model has no known price. */
  costPicoUsd?: bigint
  /** The reply was interrupted, so its output tokens are an estimate. */
  estimated?: boolean
  /** The error that ended the reply early. */
  error?: { name: string; message: string; type?: string }
  /** How the reply was requested and arrived, with the option `traces` of `openConversations()`. */
  trace?: ReplyTrace
}

/** The message as it is shown, frozen. */
export function showMessage(record: MessageRecord): ConversationMessage {
  return Object.freeze(readMessage(record))
}

/** Whether there is something to show: not for a reply that has not ended, nor if nothing of it arrived. */
export function isShown({ state }: MessageRecord): boolean {
  return !isUnfinished(state) && state !== 'failed'
}

/** The message; if its row is damaged, what is left of it and the error, so that the others can still be shown. */
function readMessage(record: MessageRecord): ConversationMessage {
  try {
    return parseMessage(record)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const { name, message } = error
    return { ...placeOf(record), content: [], error: { name, message } }
  }
}

function placeOf({ number, parent, role, state, createdAt }: MessageRecord): Omit<ConversationMessage, 'content'> {
  return {
    id: String(number),
    parentId: idOf(parent),
    role,
    state,
    createdAt: new Date(createdAt),
  }
}

function parseMessage(record: MessageRecord): ConversationMessage {
  const { json, received, reply } = record
  const source = received ?? json
  const content = source === '' ? [] : (parseJson(source) as { content: MessageContentParam }).content
  const message = { ...placeOf(record), content }
  return reply === null ? message : jsonable({ ...message, ...replyFields(JSON.parse(reply) as ReplyRecord) })
}

function replyFields({
  message,
  cost_pico_usd: cost,
  estimated,
  error,
  trace,
}: ReplyRecord): Partial<ConversationMessage> {
  return {
    ...(message && { model: message.model, stopReason: message.stop_reason, usage: message.usage }),
    ...(cost == null ? {} : { costPicoUsd: BigInt(cost) }),
    ...(estimated && { estimated }),
    ...(error && { error }),
    ...(trace && { trace }),
  }
}

/** A stored reply as the API's message; undefined if nothing arrived. */
export function replyMessage({ json, received, reply }: MessageRecord): Message | undefined {
  const { message } = JSON.parse(reply ?? '{}') as ReplyRecord
  if (message === undefined) return undefined
  const source = received ?? json
  const content = source === '' ? [] : (parseJson(source) as Pick<Message, 'content'>).content
  const { id, type, role, model, ...rest } = message
  return { id, type, role, model, content, ...rest }
}

/** The default title: the first line of the first message. */
export function titleOf(messages: readonly { json: string }[]): string | undefined {
  const text = textOf(messages[0]?.json ?? '').trim()
  const line = text.slice(0, longestLine).split(/[\r\n\0\u2028\u2029]/, 1)[0]!
  return cutText(oneLine(storableText(line)), 60) || undefined
}

/** The characters that are read for a title. A long message then takes no longer than a short one. */
const longestLine = 200

/** A title that a program gives: in one line, and cut to 200 characters. Throws an `AnthropicError` if it is not text. */
export function titleText(title: string): string {
  if (typeof title !== 'string') {
    throw new AnthropicError(`Cannot set the title of a conversation as it must be text: found ${describeValue(title)}`)
  }
  return cutText(oneLine(storableText(title)), 200)
}

const shelves: readonly unknown[] = ['pinned', 'archived'] satisfies Shelf[]

export function isShelf(value: unknown): value is Shelf {
  return shelves.includes(value)
}

/** Throws an `AnthropicError` for a value other than a shelf. @param doing what cannot be done with it. */
export function checkShelf(value: unknown, doing: string): void {
  if (isShelf(value)) return
  throw new AnthropicError(`Cannot ${doing} as shelf must be pinned or archived: found ${describeValue(value)}`)
}

/** A conversation in a list. */
export interface ListedConversation {
  id: string
  owner: string | undefined
  metadata: ConversationMetadata | undefined
  shelf: Shelf | undefined
  title: string | undefined
  createdAt: Date
  updatedAt: Date
  /** How many messages were ever added to it, on all branches. */
  messages: number
  /** The id of the reply that is arriving or whose tools run, in this or another process; undefined if there is none. */
  receiving: string | undefined
  /** The number of replies that were paid for, on all branches and erased ones included. */
  calls: number
  /** The tokens of these replies and their prompts. */
  tokens: number
  /** The cost of these replies. Those without a known price are only counted, as `unpriced`. */
  cost: Omit<ConversationTotals, 'calls' | 'tokens'>
}

export function showListed({ totals, version: _, receiving, ...summary }: ConversationSummary): ListedConversation {
  const { calls, tokens, ...cost } = totals!
  return {
    ...summary,
    owner: summary.owner ?? undefined,
    metadata: parseMetadata(summary.metadata),
    shelf: summary.shelf ?? undefined,
    title: summary.title ?? undefined,
    createdAt: new Date(summary.createdAt),
    updatedAt: new Date(summary.updatedAt),
    receiving: receiving === null ? undefined : String(receiving),
    calls,
    tokens: Number(tokens),
    cost: jsonable(cost),
  }
}

/** A message that a search found. */
export interface FoundMessage {
  conversationId: string
  messageId: string
  /** The conversation's title. */
  title: string | undefined
  role: string
  createdAt: Date
  /** The text around the first word. */
  excerpt: string
}

export function showFound({ conversationId, number, title, role, createdAt, excerpt }: SearchHit): FoundMessage {
  return {
    conversationId,
    messageId: String(number),
    title: title ?? undefined,
    role,
    createdAt: new Date(createdAt),
    excerpt,
  }
}
