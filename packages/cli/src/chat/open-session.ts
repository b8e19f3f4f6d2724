import type { Conversation } from 'colloquy/conversation'
import type { Flags } from '../command.ts'
import { connect, engineKind } from '../connect.ts'
import { chatFrom, openChats, settingsFrom } from './session.ts'
import { attach } from './attach.ts'
import { Chat } from './chat.ts'
import type { Surface } from './surface.ts'

/** Everything behind the prompt: who answers, where chats are kept, and the chat that goes on, if one does. */
export async function openChat(
  surface: Surface,
  flags: Flags,
  { wordsPerSecond }: { wordsPerSecond: number },
): Promise<{ chat: Chat; conversation: Conversation | undefined }> {
  const connection = await connect(engineKind(flags), flags, { wordsPerSecond })
  const isKept = !flags.has('no-save')
  const chats = await openChats(connection.engine, { save: isKept })
  const picks = flags.has('resume') && flags.text('resume') === undefined
  const conversation = picks ? undefined : await chatFrom(chats, flags)
  // A chat never ends because its window is full.
  const settings = conversation?.settings ?? { ...settingsFrom(flags), window: { policy: 'summarize' } }
  const chat = new Chat({ surface, connection, chats, settings, conversation, flags, isKept })
  chat.attachments = await Promise.all(flags.texts('file').map((source) => attach(source)))
  return { chat, conversation }
}
