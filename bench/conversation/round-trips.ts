import { PGlite } from '@electric-sql/pglite'
import { openConversations } from 'colloquy/conversation'
import { postgresStore } from 'colloquy/conversation/postgres'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { table, verdict } from '../client/table.ts'
import { events, question, settings } from './contestant.ts'

/** The number of round trips to PostgreSQL in a turn, counted at `query()`. */
export async function* report(): AsyncGenerator<string> {
  const db = new PGlite()
  let trips = 0
  let asked = 0
  const counting = {
    query: (sql: string, values?: unknown[]) => {
      trips++
      return db.query(sql, values)
    },
  }
  async function* engine(): AsyncGenerator<MessageStreamEvent> {
    asked = trips
    yield* events
  }
  const conversations = openConversations({ engine, store: postgresStore(counting) })
  const conversation = await conversations.create(settings)
  await conversation.send(question)
  trips = 0
  await conversation.send(question)
  const kept = trips - asked
  yield table('round trips of a turn to PostgreSQL', [
    { name: 'to keep the question', figures: [String(asked)] },
    { name: 'to commit the reply', figures: [String(kept)], verdict: verdict('1', kept === 1) },
  ])
  await conversations.close()
  await db.close()
}
