import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { Interruption } from '../../../../test/interrupted.ts'
import { Deletions } from './deletions.ts'

test('a deletion is taken back or happens, at each of its steps', async () => {
  for (let at = 1; at <= 2; at++) {
    const meanwhile = new Interruption()
    const conversations = openConversations({ engine: offline(), store: meanwhile.inCallsOf(memoryStore()) })
    const chat = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 9 })
    const deletions = new Deletions(conversations, 60_000)
    deletions.begin(chat.id, { owner: undefined, updatedAt: chat.updatedAt })
    let isTakenBack: boolean | undefined
    meanwhile.arm(at, async () => (isTakenBack = deletions.takeBack(chat.id, undefined)))
    await deletions.close()
    assert.equal(isTakenBack, at === 1)
    assert.equal((await conversations.list()).length, isTakenBack ? 1 : 0)
  }
})

test('a deletion erases nothing that another process adds between its two steps', async () => {
  const meanwhile = new Interruption()
  const store = memoryStore()
  const there = openConversations({ engine: offline(), store })
  const conversations = openConversations({ engine: offline(), store: meanwhile.inCallsOf(store) })
  const chat = await there.create({ model: 'claude-sonnet-4-6', max_tokens: 9 })
  const deletions = new Deletions(conversations, 60_000)
  deletions.begin(chat.id, { owner: undefined, updatedAt: chat.updatedAt })
  await setTimeout(2) // Times are in milliseconds.
  meanwhile.arm(2, () => chat.send('Hello'))
  await deletions.close()
  assert.equal((await there.list())[0]?.title, 'Hello')
})
