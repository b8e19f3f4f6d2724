import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { script, type ScriptEngine, type ScriptedReply, type Step } from '../../engines/script.ts'
import type { StopReason, Usage } from '../../protocol/types/message.ts'
import { openConversations } from '../collection/conversations.ts'
import type { Conversation } from '../conversation.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { ConversationStore } from '../stores/store.ts'

const usage = { input_tokens: 100, output_tokens: 100 } as Usage
const search = { type: 'web_search_20250305', name: 'web_search' } as const
const paused = { content: 'Searching.', stop_reason: 'pause_turn', usage } as const

function open(engine: ScriptEngine, store: ConversationStore = memoryStore()): Promise<Conversation> {
  return openConversations({ engine, store }).create({ model: 'claude-sonnet-4-6', max_tokens: 100, tools: [search] })
}

function started(...replies: (ScriptedReply | Step)[]): { engine: ScriptEngine; conversation: Promise<Conversation> } {
  const engine = script(replies)
  return { engine, conversation: open(engine) }
}

/** The roles and texts of each request. */
function sent({ requests }: ScriptEngine): string[][] {
  return requests.map(({ params }) => params.messages.map(({ role, content }) => `${role} ${textOf(content)}`))
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return (content as { text: string }[]).map(({ text }) => text).join()
}

function roles({ messages }: Conversation): string {
  return messages.map(({ role }) => role[0]).join('')
}

describe('a turn whose reply pauses', () => {
  test('continues by itself, also without tools that run here', async () => {
    const { engine, conversation } = started(paused, paused, { content: 'Found.', usage })
    const chat = await conversation
    const reply = await chat.send('Search.')
    assert.equal(reply.text, 'Found.')
    assert.deepEqual(
      reply.steps.map(({ stopReason }) => stopReason),
      ['pause_turn', 'pause_turn', 'end_turn'],
    )
    assert.equal(reply.usage.input_tokens, 300)
    assert.deepEqual(sent(engine), [
      ['user Search.'],
      ['user Search.', 'assistant Searching.'],
      ['user Search.', 'assistant Searching.', 'assistant Searching.'],
    ])
    assert.equal(roles(chat), 'uaaa')
    assert.equal((await chat.undo()).length, 4)
  })

  test('continues after retry(), edit() and continue()', async () => {
    const { conversation } = started(
      'Hello.',
      paused,
      'One.',
      paused,
      'Two.',
      paused,
      { error: { type: 'api_error' } },
      paused,
      'Three.',
    )
    const chat = await conversation
    const { messageId, parentId } = await chat.send('Search.')
    assert.equal((await chat.retry(messageId)).text, 'One.')
    assert.equal((await chat.edit(parentId!, 'Look.')).text, 'Two.')
    await assert.rejects(chat.send('Again.'), { type: 'api_error' })
    assert.equal((await chat.continue()).text, 'Three.')
  })

  test('ends with an error after maxRounds replies, and can be continued', async () => {
    const { engine, conversation } = started({ reply: paused, times: 3 }, 'Found.')
    const chat = await conversation
    const turn = chat.send('Search.', { toolOptions: { maxRounds: 3 } })
    await assert.rejects(turn, { message: 'Cannot continue the turn: the model has not ended it after 3 replies' })
    assert.equal(engine.requests.length, 3)
    assert.equal((await chat.continue()).text, 'Found.')
  })

  test('checks the budget before each request', async () => {
    const { engine, conversation } = started(paused, paused, 'Found.')
    const chat = await conversation
    await chat.configure({ budget: { tokens: 450 } })
    await assert.rejects(chat.send('Search.'), { name: 'BudgetError' })
    assert.equal(engine.requests.length, 1)
    await chat.configure({ budget: undefined })
    assert.equal((await chat.continue()).text, 'Found.')
  })

  test('stops for an abort, and keeps what arrived', async () => {
    const { engine, conversation } = started({ reply: paused, times: 5 })
    const chat = await conversation
    const turn = chat.send('Search.')
    for await (const { type } of turn.stream) if (type === 'step_end') turn.abort()
    await assert.rejects(turn, { name: 'APIUserAbortError' })
    assert.ok(engine.requests.length <= 2)
    assert.match(roles(chat), /^ua/)
  })

  test('is completed by another process that sends its message with the same key', async () => {
    const store = memoryStore()
    const chat = await open(script([paused, { error: { type: 'api_error' } }]), store)
    await assert.rejects(chat.send('Search.', { key: 'k' }), { type: 'api_error' })
    const engine = script([paused, 'Found.'])
    const again = await openConversations({ engine, store }).open(chat.id)
    const reply = await again.send('Search.', { key: 'k' })
    assert.deepEqual([reply.text, reply.steps.length, engine.requests.length], ['Found.', 3, 2])
    assert.equal(roles(again), 'uaaa')
    assert.equal((await again.send('Search.', { key: 'k' })).messageId, reply.messageId)
    assert.equal(engine.requests.length, 2)
  })

  test('stops after a compaction that the caller wants to see', async () => {
    const stop_reason: StopReason = 'compaction'
    const { engine, conversation } = started({ content: 'Short.', stop_reason }, 'Found.')
    const chat = await conversation
    assert.equal((await chat.send('Search.')).stopReason, 'compaction')
    assert.equal(engine.requests.length, 1)
    assert.equal((await chat.continue()).text, 'Found.')
  })
})
