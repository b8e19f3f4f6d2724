import type { Conversation } from 'colloquy/conversation'
import { bandFor, findModel, formatUsd, fromUsd, priceAt, type MessageContentParam } from 'colloquy/protocol'
import type { Connection } from '../engine/connect.ts'
import { countText } from '../format.ts'
import { attach, attachmentLabel, mentionedFiles } from './content/attach.ts'
import {
  change,
  prefill,
  runTurn,
  say,
  showMessages,
  type ChatContext,
  type ChatState,
  type Effect,
} from './chat-state.ts'

/** The effects of sending a message. An expensive message is sent only if the user sends it a second time. */
export async function messageEffects(text: string, state: ChatState, context: ChatContext): Promise<Effect[]> {
  const mentioned = await Promise.all(mentionedFiles(text).map((path) => attach(path)))
  const attachments = [...state.attachments, ...mentioned]
  const labels = say(...attachments.map((attachment) => `  ⎘ ${attachmentLabel(attachment)}`))
  const blocks = attachments.map(({ block }) => block)
  const content: MessageContentParam = blocks.length === 0 ? text : [...blocks, { type: 'text', text }]
  const conversation = await conversationOf(state, context)
  const isConfirmed = state.unconfirmedText === text
  const price = isConfirmed ? undefined : await priceIfExpensive(conversation, content, context.connection)
  if (price !== undefined) {
    return [
      labels,
      change({ conversation, unconfirmedText: text }),
      say(`This message costs about ${price}. Press Enter to send it anyway.`),
      prefill(text),
    ]
  }
  const { editedMessageId: edited } = state
  const options = context.turnOptions()
  return [
    labels,
    change({
      conversation,
      attachments: [],
      editedMessageId: undefined,
      unconfirmedText: undefined,
      unsentText: undefined,
    }),
    runTurn(() =>
      edited === undefined ? conversation.send(content, options) : conversation.edit(edited, content, options),
    ),
  ]
}

/** The open conversation. A new one is created with its first message, so that empty chats do not fill the list. */
async function conversationOf({ conversation, settings }: ChatState, context: ChatContext): Promise<Conversation> {
  const { title } = context
  return conversation ?? context.chats.create({ ...settings, ...(title !== undefined && { title }) })
}

/** The most messages of another program that are shown. */
const maxShown = 4

/** Explains a conflict. `lastId` is the last message on the screen: those after it are shown. */
export function conflictEffects(
  { messages }: Conversation,
  reason: 'moved' | 'busy',
  lastId: string | undefined,
): Effect[] {
  if (reason === 'busy') return [say('Another program is receiving a reply in this chat.')]
  // The last message is not found if the other program switched to another branch.
  const added = messages.slice(messages.findIndex(({ id }) => id === lastId) + 1)
  if (added.length === 0) return [say('Another program changed this chat.')]
  const hidden = added.length - maxShown
  return [
    say('Another program changed this chat. It now ends with:'),
    ...(hidden > 0 ? [say(`… ${countText(hidden, 'earlier message')}`)] : []),
    showMessages(...added.slice(-maxShown)),
    say(''),
  ]
}

/** A message with a more expensive prompt is sent only after a confirmation. US dollars. */
const warnUsd = 0.5

/**
 * The estimated price of the next prompt if it exceeds `warnUsd`; otherwise, or if the price is unknown, undefined. Assumes
 * that tokens cached by the last prompt are read from the cache.
 */
async function priceIfExpensive(
  chat: Conversation,
  content: MessageContentParam,
  { isLocal }: Connection,
): Promise<string | undefined> {
  const entry = findModel(chat.settings.model)
  const price = entry && priceAt(entry, new Date())
  if (isLocal || price === undefined) return undefined
  const { countTokens } = await import('colloquy/engines')
  const usage = chat.messages.findLast(({ role }) => role === 'assistant')?.usage
  const cached = (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0)
  const uncached = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0)
  const added = countTokens(typeof content === 'string' ? content : JSON.stringify(content))
  const band = bandFor(price, cached + uncached + added)
  const picoUsd = BigInt(cached) * band.cacheRead + BigInt(uncached + added) * band.input
  return picoUsd > fromUsd(warnUsd) ? formatUsd(picoUsd) : undefined
}
