import { isObject } from '../../protocol/json/json-object.ts'
import { hasCounts, isCount } from '../../protocol/models/token-counts.ts'
import type { Message } from '../../protocol/types/message.ts'
import { noUsage } from '../money/ledger.ts'
import type { ConversationSettings } from '../settings.ts'
import type { Shelf } from '../stores/store.ts'
import type { SourceLine } from './report.ts'
import { nameIn } from './values.ts'

/** A conversation as a file has it, before it is checked. */
export interface SourceConversation {
  title?: string | undefined
  shelf?: Shelf | undefined
  settings: Partial<ConversationSettings>
  /** A parent stands before its children. */
  messages: SourceMessage[]
  /** The number of the active message: its place in `messages`, from 1; 0 if there is none. */
  head: number
  /** Keep tool calls at the end of a path, whose results can still be sent. Default false. */
  keepsOpenCalls?: boolean
  /** The blocks are just as the API takes or returns them: what this version does not know stays. Default false. */
  isOfApi?: boolean
}

export interface SourceMessage {
  /** The line where the message begins. */
  line: SourceLine
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

/** An element of a list of messages. */
export interface ListItem {
  line: SourceLine
  /** Its exact text. */
  json: string
  value: unknown
}

/** The metadata of a reply, from the values that a file has for it. Counts that are missing are 0. */
export function aboutReply(value: (name: string) => unknown): Partial<Omit<Message, 'content'>> {
  const usage = value('usage')
  const id = nameIn(value('id'))
  return {
    ...(id !== undefined && { id }),
    type: 'message',
    role: 'assistant',
    model: nameIn(value('model')) ?? 'unknown',
    stop_reason: (nameIn(value('stop_reason')) as Message['stop_reason'] | undefined) ?? null,
    stop_sequence: nameIn(value('stop_sequence')) ?? null,
    usage: isUsage(usage) ? usage : noUsage,
  }
}

/** Whether the value counts tokens as the API does. Anything else would spoil every sum. */
export function isUsage(value: unknown): value is Message['usage'] {
  if (!isObject(value)) return false
  const usage = value as unknown as Message['usage']
  return isCount(usage.input_tokens) && isCount(usage.output_tokens) && hasCounts(usage)
}
