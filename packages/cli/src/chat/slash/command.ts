import type { Conversation, ConversationMessage } from 'colloquy/conversation'
import { UsageError } from '../../exit.ts'
import type { ChatContext, ChatState, Effect } from '../chat-state.ts'

/** The arguments of a slash command, and the chat that it works on. */
export interface SlashInput {
  state: ChatState
  context: ChatContext
  /** The words after the command's name. */
  words: readonly string[]
  /** The same as text. */
  rest: string
  /** The width for text. Default 80. */
  columns?: number
}

/** A slash command: its name, its help and its function. */
export interface SlashCommand {
  name: string
  aliases?: readonly string[]
  /** The words after the name, as the help shows them. */
  synopsis?: string
  summary: string
  run(input: SlashInput): readonly Effect[] | Promise<readonly Effect[]>
}

/** The open conversation. Throws a `UsageError` if the chat has no message yet. */
export function openConversation({ state: { conversation } }: SlashInput): Conversation {
  if (conversation === undefined) throw new UsageError('This chat has no messages yet: send one first')
  return conversation
}

/** The last reply. Throws a `UsageError` if there is none. */
export function lastReply(input: SlashInput): ConversationMessage {
  const reply = openConversation(input).messages.findLast(({ role }) => role === 'assistant')
  if (reply === undefined) throw new UsageError('This chat has no reply yet')
  return reply
}
