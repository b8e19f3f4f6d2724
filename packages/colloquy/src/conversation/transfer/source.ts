import { isObject } from '../../protocol/json/json-object.ts'
import { hasCounts, isCount } from '../../protocol/models/token-counts.ts'
import type { Message } from '../../protocol/types/message.ts'
import { noUsage } from '../money/ledger.ts'
import type { ConversationSettings } from '../settings.ts'
import type { Shelf } from '../stores/store.ts'

/** A conversation as a file has it, before it is checked. */
export interface SourceConversation {
  title?: string | undefined
  settings: Partial<ConversationSettings>
  /** A parent stands before its children. */
  messages: SourceMessage[]
  /** The number of the active message: its place in `messages`, from 1; 0 if there is none. */
  head: number
  /** Keep tool calls at the end of a path, whose results can still be sent. Default false. */
  keepsOpenCalls?: boolean
  /** The blocks are just as the API takes or returns them: members that this version does not know stay. Default false. */
  isOfApi?: boolean
}

export interface SourceMessage {
  /** The line of the file where the message begins, from 1. */
  line: number
  role: string
  /** The number of the message that it follows; 0 at the beginning. */
  parent: number
  /** Milliseconds since 1970; 0 if unknown. */
  createdAt: number
  /** The exact JSON of the content: a string or a list of blocks. Null: not imported, for a reason that was noted. */
  content: string | null
  /** The rest of a reply as the API returned it: its model, stop reason and usage. */
  about?: Partial<Omit<Message, 'content'>>
}

/** The title of a conversation. Undefined for one that is empty or no text. */
export function titleIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The flags of web chats: ChatGPT's, Claude.ai's, LibreChat's and Open WebUI's. */
const archivedFlags = ['is_archived', 'isArchived', 'archived']
const pinnedFlags = ['pinned_time', 'is_starred', 'pinned']

/** The shelf of a conversation that a web chat has exported. An archived one may be pinned as well, and is archived. */
export function shelfIn(conversation: object): Shelf | undefined {
  const has = (flag: string): boolean => Boolean((conversation as Record<string, unknown>)[flag])
  return archivedFlags.some(has) ? 'archived' : pinnedFlags.some(has) ? 'pinned' : undefined
}

/** The setting for a system prompt that a file has; none if it is empty or no text. */
export function systemIn(value: unknown): { system?: string } {
  return typeof value === 'string' && value.trim() !== '' ? { system: value } : {}
}

/** The objects of a list; none if the value is not a list. */
export function objectsIn<Item extends object>(value: unknown): Item[] {
  return Array.isArray(value) ? value.filter(isObject as (each: unknown) => each is Item) : []
}

/** A time in a file, in whole milliseconds: an ISO text, or seconds or milliseconds since 1970. 0 if it is none of these. */
export function timeIn(value: unknown): number {
  if (typeof value === 'string' && !/^\d+(?:\.\d+)?$/.test(value)) return Math.max(0, Date.parse(value) || 0)
  const time = typeof value === 'string' ? Number(value) : value
  if (typeof time !== 'number' || time <= 0) return 0
  // Milliseconds passed this number in 1973, seconds will in 5138.
  return new Date(time < 1e11 ? time * 1000 : time).getTime() || 0
}

/** The metadata of a reply, from the values that a file has for it. Counts that are missing are 0. */
export function aboutReply(value: (name: string) => unknown): Partial<Omit<Message, 'content'>> {
  const usage = value('usage')
  return {
    ...stringIn('id', value),
    type: 'message',
    role: 'assistant',
    model: stringIn('model', value).model ?? 'unknown',
    stop_reason: (stringIn('stop_reason', value).stop_reason as Message['stop_reason']) ?? null,
    stop_sequence: stringIn('stop_sequence', value).stop_sequence ?? null,
    usage: isUsage(usage) ? usage : noUsage,
  }
}

/** Whether the value counts tokens as the API does. Anything else would spoil every sum. */
export function isUsage(value: unknown): value is Message['usage'] {
  if (!isObject(value)) return false
  const usage = value as unknown as Message['usage']
  return isCount(usage.input_tokens) && isCount(usage.output_tokens) && hasCounts(usage)
}

function stringIn(name: string, value: (name: string) => unknown): Record<string, string> {
  const found = value(name)
  return typeof found === 'string' && found !== '' ? { [name]: found } : {}
}
