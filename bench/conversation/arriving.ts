import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConversationStore, memoryStore, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { table } from '../client/table.ts'
import { events, question, settings } from './contestant.ts'

const replies = 200
const measuredMs = 3_000

/** The CPU time of 200 replies that arrive slowly, ten events a second each, and are journalled as they arrive. */
export async function* report(): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
  const rows = [
    await row('memoryStore()', memoryStore()),
    await row('sqliteStore()', sqliteStore(join(folder, 'arriving.db'))),
  ]
  rmSync(folder, { recursive: true })
  yield table('200 replies that arrive at ten events a second (CPU for each second)', rows)
}

async function row(name: string, store: ConversationStore): Promise<{ name: string; figures: string[] }> {
  let isOver = false
  const [start, block, , ...end] = events
  async function* engine(): AsyncGenerator<MessageStreamEvent> {
    yield start!
    yield block!
    while (!isOver) {
      await sleep(100)
      yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a few words ' } }
    }
    yield* end
  }
  const conversations = openConversations({ engine, store })
  const turns = []
  for (let number = 0; number < replies; number++) {
    turns.push((await conversations.create(settings)).send(question))
    // They begin at different moments.
    await sleep(5)
  }
  const before = process.cpuUsage()
  await sleep(measuredMs)
  const { user, system } = process.cpuUsage(before)
  isOver = true
  await Promise.all(turns)
  await conversations.close()
  return { name, figures: [`${((user + system) / measuredMs).toFixed(0)} ms`] }
}
