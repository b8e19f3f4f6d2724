import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { script, type ScriptEngine } from '../../engines/script.ts'
import { type Budget, type Conversation, type Conversations, openConversations } from '../index.ts'
import { memoryStore } from '../stores/memory/store.ts'
import { planKeepAlive } from './keep-alive.ts'

const minute = 60_000
const usage = { input_tokens: 10, cache_read_input_tokens: 0, output_tokens: 5 }
const reply = { content: 'Hello.', usage: { ...usage, cache_creation_input_tokens: 9_000 } }
const ping = { content: 'H', usage: { ...usage, cache_creation_input_tokens: 0, cache_read_input_tokens: 9_000 } }

describe('keepAlive', () => {
  let engine: ScriptEngine
  let conversations: Conversations

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.UTC(2026, 10, 20) }))
  afterEach(async () => {
    await conversations.close()
    mock.timers.reset()
  })

  async function talk(model: string, keepAlive: boolean, budget: Budget = {}): Promise<Conversation> {
    engine = script([{ reply }, { reply: ping, times: 50 }])
    conversations = openConversations({ engine, store: memoryStore(), cache: { keepAlive } })
    const conversation = await conversations.create({ model, max_tokens: 100, system: 'Be brief.', budget })
    await conversation.send('word '.repeat(9_000))
    return conversation
  }

  async function pass(minutes: number): Promise<void> {
    for (let passed = 0; passed < minutes; passed++) {
      mock.timers.tick(minute)
      for (let turn = 0; turn < 50; turn++) await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  test('reads the entry again while the user pauses, and counts what it costs', async () => {
    const conversation = await talk(cheap, true)
    assert.equal(engine.requests.length, 1)
    await pass(5)
    assert.equal(engine.requests.length, 2)
    const [asked, pinged] = engine.requests.map(({ params }) => params)
    assert.deepEqual({ ...pinged, max_tokens: asked!.max_tokens }, asked)
    assert.equal(pinged!.max_tokens, 1)
    assert.deepEqual([conversation.usage.calls, conversation.usage.cache_read_input_tokens], [2, 9_000])
    assert.deepEqual([conversation.messages.length, (await conversation.branches()).length], [2, 1])
    const [listed] = await conversations.list()
    assert.equal(listed?.calls, 2)
    // The next turn begins it again, and it ends by itself.
    await conversation.send('still here')
    await pass(5)
    assert.equal(engine.requests.length, 4)
    await pass(120)
    assert.ok((engine.requests.length as number) <= 15)
  })

  test('sends nothing unless asked for, for a model with dearer reads, or after close()', async () => {
    for (const [model, keepAlive] of [
      [cheap, false],
      ['claude-sonnet-4-6', true],
    ] as const) {
      await talk(model, keepAlive)
      await pass(20)
      assert.equal(engine.requests.length, 1)
    }
    await talk(cheap, true)
    await conversations.close()
    await pass(20)
    assert.equal(engine.requests.length, 1)
  })

  test('stops at the budget of the conversation, which counts it', async () => {
    const conversation = await talk(cheap, true, { usd: 0.3 })
    await pass(120)
    const { length } = engine.requests
    assert.ok(length > 1 && length < 8, `${length} requests`)
    assert.equal(conversation.usage.calls, length)
    await assert.rejects(conversation.send('more'), { name: 'BudgetError' })
  })
})

const cheap = 'claude-fable-5-1'
const prior = { short: 93, medium: 5.5, long: 1.5 }

test('planKeepAlive() pings more often the cheaper reads are and the more of the prompt is at stake', () => {
  const pauses = { short: 10, medium: 4, long: 0 }
  const pings = (readFactor: number, tailShare: number): number =>
    planKeepAlive({ pauses, prior, readFactor, tailShare }).pings
  assert.equal(pings(0.1, 1), 0)
  assert.equal(pings(0.05, 1), 0)
  assert.ok(pings(0.025, 1) > 0)
  assert.ok(pings(0.025, 1) <= 12)
  assert.ok(pings(0.001, 1) >= pings(0.025, 1))
  assert.ok(pings(0.025, 0.05) <= pings(0.025, 1))
})
