import { join } from 'node:path'
import { type Conversation, type ConversationSettings, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { type Contestant, events, history, question, settings } from '../contestant.ts'

export function open(folder: string): Promise<Contestant> {
  return openWith(folder, settings)
}

/** @param given the settings of the conversations. */
export async function openWith(folder: string, given: ConversationSettings): Promise<Contestant> {
  const conversations = openConversations({ engine, store: sqliteStore(join(folder, 'colloquy.db')) })
  return {
    async start(turns) {
      const { id } = await conversations.create({ ...given, messages: history(turns) })
      // The first turn opens it, because a program that loads a conversation does not have it in memory.
      let conversation: Conversation | undefined
      return {
        turn: async () => (conversation ??= await conversations.open(id)).send(question),
        load: async () => Number((await conversations.open(id)).head),
        show: async () => (await conversations.open(id)).messages.length,
      }
    },
    close: () => conversations.close(),
  }
}

async function* engine(): AsyncGenerator<MessageStreamEvent> {
  for (const event of events) yield event
}
