import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { type ScriptEngine, script } from '../../engines/script.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { tool } from '../../tools/index.ts'
import type { Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { ConversationSettings } from '../settings.ts'
import { promptLimit, WindowError } from './window.ts'

const settings: ConversationSettings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const long = 'word '.repeat(100)

async function open(
  window: ConversationSettings['window'],
): Promise<{ conversation: Conversation; engine: ScriptEngine }> {
  const engine = script([], { otherwise: offline() })
  const created = await openConversations({ engine }).create({ ...settings, ...(window && { window }) })
  return { conversation: created, engine }
}

function sentOf({ requests }: ScriptEngine): MessageParam[][] {
  return requests.map(({ params }) => params.messages)
}

test('a prompt that does not fit fails with the numbers, and nothing is written', async () => {
  const { conversation, engine } = await open(undefined)
  const error = await conversation.send('word '.repeat(1_100_000)).then(
    () => assert.fail('sent'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof WindowError)
  assert.equal(error.limit, 1_000_000)
  assert.ok(error.promptTokens > error.limit)
  assert.deepEqual([engine.requests.length, conversation.messages.length], [0, 0])
})

test('context_management of null edits nothing: the window of the model is the limit', () => {
  const given = { ...settings, window: { policy: 'drop' } } as const
  assert.equal(promptLimit({ ...given, context_management: null }), promptLimit(given))
  assert.equal(promptLimit({ ...given, context_management: { edits: [] } }), undefined)
})

test('atTokens limits the counted prompt, not the estimated one', async () => {
  const { conversation, engine } = await open({ policy: 'fail', atTokens: 150 })
  await conversation.send(long)
  assert.equal(engine.requests.length, 1)
  await assert.rejects(conversation.send(long), { name: 'WindowError', limit: 150 })
})

test('drop leaves out complete turns, and keeps its place for several turns', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 2_000 })
  for (let turn = 0; turn < 30; turn++) {
    const { cache } = await conversation.send(`${turn} ${long}`)
    assert.equal(cache!.missed, false)
  }
  assert.equal(conversation.messages.length, 60)
  const firsts = sentOf(engine).map(([first]) => JSON.stringify(first!.content).match(/(\d+) word/)![1])
  assert.ok(sentOf(engine).every(([first]) => first!.role === 'user'))
  const cuts = new Set(firsts).size - 1
  assert.ok(cuts >= 1 && cuts <= 10, `${cuts} cuts`)
  for (const { params } of engine.requests) assert.ok((await offline().countTokens!(params)).input_tokens <= 2_000)
})

test('drop counts the system prompt, which it cannot drop', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 4_000 })
  await conversation.configure({ system: 'word '.repeat(2_200) })
  await conversation.send('word '.repeat(1_500))
  await conversation.send('word '.repeat(1_500))
  assert.deepEqual(
    sentOf(engine).map(({ length }) => length),
    [1, 1],
  )
  await assert.rejects(conversation.send('word '.repeat(1_900)), { name: 'WindowError', limit: 4_000 })
})

test('the work of dropping turns grows with their number, not with its square', async () => {
  const messages = Array.from({ length: 1_000 }, (_, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: `${index} ${long}`,
  }))
  const window = { policy: 'drop', atTokens: 5_000 } as const
  const conversation = await openConversations({ engine: offline() }).create({ ...settings, window, messages })
  const { slice } = Array.prototype
  let copied = 0
  function counted(this: unknown[], start?: number, end?: number): unknown[] {
    const part = slice.call(this, start, end)
    copied += part.length
    return part
  }
  Object.assign(Array.prototype, { slice: counted })
  try {
    assert.ok(conversation.preview('And now?').messages.length < 100)
  } finally {
    Object.assign(Array.prototype, { slice })
  }
  assert.ok(copied < 10 * messages.length, `${copied} copied`)
})

test('a system prompt that is set later counts before a reply has its usage', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 2_000 })
  for (let turn = 0; turn < 6; turn++) await conversation.send(`${turn} ${long}`)
  await conversation.configure({ system: 'word '.repeat(1_200) })
  await conversation.send('Hello')
  assert.ok((await offline().countTokens!(engine.requests.at(-1)!.params)).input_tokens <= 2_000)
})

test('preview() shows the request that is sent', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 1_000 })
  for (let turn = 0; turn < 12; turn++) {
    const preview = conversation.preview(`${turn} ${long}`)
    await conversation.send(`${turn} ${long}`)
    assert.deepEqual(preview.messages, sentOf(engine).at(-1))
  }
  assert.ok(sentOf(engine).at(-1)!.length < conversation.messages.length)
})

test('keepTurns is the number of turns that are sent', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 1_000, keepTurns: 2 })
  for (let turn = 0; turn < 15; turn++) await conversation.send(`${turn} ${long}`)
  const counts = sentOf(engine).map(({ length }) => length)
  const cut = counts.findIndex((count, index) => index > 0 && count < counts[index - 1]!)
  assert.equal(counts[cut], 3)
})

test('a tool result is never sent without its call', async () => {
  const { conversation, engine } = await open({ policy: 'drop', atTokens: 1_000 })
  const weather = tool({
    name: 'get_weather',
    description: 'The weather in a city.',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    run: () => long,
  })
  for (let turn = 0; turn < 6; turn++) await conversation.send('What is the weather in Lisbon?', { tools: [weather] })
  const sent = sentOf(engine)
  assert.ok(sent.some(({ length }) => length === 3) && sent.at(-1)!.length < conversation.messages.length)
  for (const messages of sent) {
    const kinds = JSON.stringify(messages)
    assert.equal(kinds.split('"tool_use"').length, kinds.split('"tool_result"').length)
    assert.match(JSON.stringify(messages[0]!.content), /What is the weather in Lisbon/)
  }
})

test('kept turns lose thinking that was signed together with dropped turns', async () => {
  const think = { type: 'thinking' as const, thinking: 'Hm.', signature: 'c2ln' }
  const replies = Array.from({ length: 12 }, () => ({
    content: [think, { type: 'text' as const, text: long, citations: null }],
  }))
  for (const [model, binds] of [
    ['claude-opus-5-5', true],
    ['claude-opus-4-6', false],
  ] as const) {
    const engine = script(replies)
    const window = { policy: 'drop', atTokens: 1_500, keepTurns: 3 } as const
    const conversation = await openConversations({ engine }).create({ ...settings, model, window })
    for (let turn = 0; !isCut(engine); turn++) await conversation.send(`${turn} ${long}`)
    await conversation.send('And now?')
    const sent = sentOf(engine)
      .at(-1)!
      .filter(({ role }) => role === 'assistant')
    const thoughts = sent.map(({ content }) => typeof content !== 'string' && content[0]!.type === 'thinking')
    assert.deepEqual(thoughts, binds ? [false, false, true] : [true, true, true])
    // The store has them.
    assert.ok(
      conversation.messages.every(({ role, content }) => role === 'user' || JSON.stringify(content).includes('c2ln')),
    )
  }
})

test('the store remembers where the prompt begins', async () => {
  const store = memoryStore()
  const engine = script([], { otherwise: offline() })
  const first = await openConversations({ engine, store }).create({
    ...settings,
    window: { policy: 'drop', atTokens: 1_000 },
  })
  for (let turn = 0; !isCut(engine) && turn < 20; turn++) await first.send(long)
  assert.ok(isCut(engine))
  const again = await openConversations({ engine, store }).open(first.id)
  assert.deepEqual(again.preview('Hello').messages.slice(0, -1).length, sentOf(engine).at(-1)!.length + 1)
})

function isCut(engine: ScriptEngine): boolean {
  const [before, last] = sentOf(engine).slice(-2)
  return last !== undefined && last.length < before!.length
}

test('the default limit leaves room for the reply and stays in the lowest price band', () => {
  const limit = (model: string): number | undefined =>
    promptLimit({ model, max_tokens: 1_000, window: { policy: 'drop' } })
  assert.equal(limit('claude-sonnet-5'), 999_000)
  assert.equal(limit('claude-haiku-5-5'), 100_000)
  assert.equal(limit('llama-3'), undefined)
})

test('an invalid window is refused when it is set', async () => {
  const { conversation } = await open(undefined)
  const wrong = { policy: 'forget' } as unknown as NonNullable<ConversationSettings['window']>
  await assert.rejects(conversation.configure({ window: wrong }), /window\.policy .* found "forget"/)
  await assert.rejects(conversation.configure({ window: { policy: 'drop', keepTurns: 0 } }), /window\.keepTurns .* 0/)
})
