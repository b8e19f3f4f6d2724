import type { Conversation } from 'colloquy/conversation'
import { countText } from '../format.ts'
import { attach, attachmentLabel, checkReadable, contentOf, mentionedFiles } from './content/attach.ts'
import { change, runTurn, say, showMessages, type ChatContext, type ChatState, type Effect } from './chat-state.ts'
import { mentionedResources } from './content/resources.ts'
import { costWarning } from './cost-warning.ts'

/** The effects of sending a message. An expensive message is sent only if the user sends it a second time. */
export async function messageEffects(text: string, state: ChatState, context: ChatContext): Promise<Effect[]> {
  const mentioned = await Promise.all(mentionedFiles(text).map((path) => attach(path)))
  const resources = context.tools === undefined ? [] : await mentionedResources(text, context.tools)
  const attachments = [...state.attachments, ...mentioned, ...resources]
  checkReadable(attachments, context.connection.kind)
  const labels = say(...attachments.map((attachment) => `  ⎘ ${attachmentLabel(attachment)}`))
  const content = contentOf(text, attachments)
  const conversation = await conversationOf(state, context)
  const warning = await costWarning({ line: text, conversation, content }, state, context)
  if (warning.length > 0) return [labels, ...warning]
  const { editedMessageId: edited } = state
  const options = context.turnOptions()
  return [
    labels,
    change({
      conversation,
      attachments: [],
      editedMessageId: undefined,
      unconfirmedLine: undefined,
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
