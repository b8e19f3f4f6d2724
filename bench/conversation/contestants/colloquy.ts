import { join } from 'node:path'
import { openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { type Contestant, events, history, question, settings } from '../contestant.ts'

export async function open(folder: string): Promise<Contestant> {
  const conversations = openConversations({ engine, store: sqliteStore(join(folder, 'colloquy.db')) })
  return {
    async start(turns) {
      const conversation = await conversations.create({ ...settings, messages: history(turns) })
      return {
        turn: () => conversation.send(question),
        load: async () => Number((await conversations.open(conversation.id)).head),
      }
    },
    close: () => conversations.close(),
  }
}

async function* engine(): AsyncGenerator<MessageStreamEvent> {
  yield* events
}
