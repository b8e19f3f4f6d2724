import type { Conversation } from 'colloquy/conversation'
import type { MessageContentParam } from 'colloquy/protocol'
import { attach, attachmentLabel, mentionedFiles } from './attach.ts'
import { change, prefill, runTurn, say, type ChatContext, type ChatState, type Effect } from './chat-state.ts'
import { priceIfExpensive } from './price-warning.ts'

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
  const options = context.turnOptions
  return [
    labels,
    change({ conversation, attachments: [], editedMessageId: undefined, unconfirmedText: undefined }),
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
