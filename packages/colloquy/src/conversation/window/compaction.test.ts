import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { type ScriptEngine, type ScriptedMessage, script } from '../../engines/script.ts'
import { costOf } from '../../protocol/models/cost.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { Usage } from '../../protocol/types/message.ts'
import { fromUsd } from '../../protocol/models/money.ts'
import { tool } from '../../tools/index.ts'
import { BudgetError, type Conversation, type ConversationStore, memoryStore, openConversations } from '../index.ts'
import type { ConversationSettings } from '../settings.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'

const settings: ConversationSettings = { model: 'claude-sonnet-4-6', max_tokens: 100, window: { policy: 'compact' } }
const usage: Usage = {
  input_tokens: 23_000,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1_000,
}
const compactionUsage = { ...usage, input_tokens: 30_000, cache_read_input_tokens: 150_000, output_tokens: 3_500 }

/** The reply to a prompt that the API has compacted. */
function compacted(text: string | null, words: string): MessageStreamEvent[] {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: settings.model, content: [] } as const
  const iterations = [
    { type: 'compaction', ...compactionUsage },
    { type: 'message', ...usage },
  ]
  const used = { ...usage, iterations }
  return [
    {
      type: 'message_start',
      message: { ...message, stop_reason: null, stop_sequence: null, usage: { ...used, output_tokens: 1 } },
    },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'compaction', content: null, encrypted_content: null },
    },
    {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'compaction_delta', content: text, encrypted_content: text && 'b64+/=' },
    },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '', citations: null } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: words } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: used },
    { type: 'message_stop' },
  ] as MessageStreamEvent[]
}

async function open(
  replies: (string | ScriptedMessage | MessageStreamEvent[])[],
  more: Partial<ConversationSettings> = {},
  store: ConversationStore = memoryStore(),
): Promise<{ conversation: Conversation; engine: ScriptEngine }> {
  const engine = script(replies)
  return { engine, conversation: await openConversations({ engine, store }).create({ ...settings, ...more }) }
}

test('the request asks for compaction as the window says', async () => {
  const { conversation, engine } = await open(['Hi', 'Hi', 'Hi', 'Hi', 'Hi'], {
    betas: ['other-beta'],
    max_tokens: 1_000,
  })
  const edits = (): unknown => engine.requests.at(-1)!.params.context_management!.edits
  await conversation.send('Hello')
  assert.deepEqual(edits(), [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 999_000 } }])
  assert.deepEqual(engine.requests[0]!.context.betas, ['other-beta', 'compact-2026-01-12'])
  assert.deepEqual(conversation.preview('And').context_management, engine.requests[0]!.params.context_management)
  await conversation.send('Hello', { window: { policy: 'compact', atTokens: 60_000, instructions: 'Keep the code.' } })
  const trigger = { type: 'input_tokens', value: 60_000 }
  assert.deepEqual(edits(), [{ type: 'compact_20260112', trigger, instructions: 'Keep the code.' }])
  // Below the price band, with instructions that keep the model from calling a tool instead.
  await conversation.send('Hello', {
    model: 'claude-haiku-5-5',
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
  })
  const [{ trigger: below, instructions }] = edits() as [{ trigger: unknown; instructions: string }]
  assert.deepEqual(below, { type: 'input_tokens', value: 90_000 })
  assert.match(instructions, /Call no tool/)
  // With other edits, and with a model that the catalogue does not have.
  const clear = { type: 'clear_tool_uses_20250919' } as const
  await conversation.send('Hello', {
    model: 'own',
    context_management: { edits: [clear] },
    betas: ['compact-2026-01-12'],
  })
  const compact = { type: 'compact_20260112', trigger: { type: 'input_tokens', value: 150_000 } }
  assert.deepEqual([edits(), engine.requests.at(-1)!.context.betas], [[clear, compact], ['compact-2026-01-12']])
  await conversation.send('Hello', { window: { policy: 'fail' } })
  assert.equal(engine.requests.at(-1)!.params.context_management, undefined)
})

test('messages before the newest compaction are kept and not sent', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  after(() => rmSync(folder, { recursive: true }))
  const store = sqliteStore(join(folder, 'colloquy.db'))
  const replies = ['One', compacted('Ada  likes “trains”.', 'Two'), 'Three', compacted('Newer', 'Four'), 'Five']
  const { conversation, engine } = await open(replies, {}, store)
  await conversation.send('first')
  const { window, text } = await conversation.send('second')
  assert.equal(text, 'Two')
  assert.deepEqual([window!.dropped, window!.summaries.length], [0, 1])
  const third = await conversation.send('third')
  assert.deepEqual([third.window!.dropped, third.window!.summaries.length], [3, 0])
  const block = '{"type":"compaction","content":"Ada  likes “trains”.","encrypted_content":"b64+/="}'
  const sent = JSON.stringify(engine.requests.at(-1)!.params.messages)
  assert.ok(sent.startsWith(`[{"role":"assistant","content":[${block},`), sent)
  assert.equal(engine.requests.at(-1)!.params.messages.length, 2)
  await conversation.send('fourth')
  assert.equal(engine.requests.at(-1)!.params.messages.length, 4)
  const again = await openConversations({ engine, store }).open(conversation.id)
  const preview = again.preview('fifth')
  await again.send('fifth')
  assert.deepEqual(preview, engine.requests.at(-1)!.params)
  assert.match(JSON.stringify(preview.messages[0]), /Newer/)
  assert.equal(again.messages.length, 10)
  // A branch that begins before it does not use it.
  await again.switchTo(conversation.messages[1]!.id)
  await again.edit(again.messages[2]!.id, 'otherwise').catch(() => {})
  assert.deepEqual(
    engine.requests.at(-1)!.params.messages.map(({ role }) => role),
    ['user', 'assistant', 'user'],
  )
  await store.close()
})

test('a compaction that failed replaces nothing', async () => {
  const { conversation, engine } = await open(['One', compacted(null, 'Two'), 'Three'])
  for (const content of ['first', 'second', 'third']) await conversation.send(content)
  assert.equal(engine.requests.at(-1)!.params.messages.length, 5)
})

test('usage of a compaction is in the cost of the reply, the totals and the report, once', async () => {
  const store = memoryStore()
  const engine = script([compacted('Short.', 'Hi')])
  const conversations = openConversations({ engine, store, limits: {} })
  const conversation = await conversations.create(settings)
  const { cost, window } = await conversation.send('Hello')
  const of = (tokens: Usage): bigint => costOf(tokens, settings.model)!.picoUsd
  const [summary] = window!.summaries
  assert.deepEqual([summary!.by, summary!.text], ['api', 'Short.'])
  assert.equal(summary!.cost!.picoUsd, of(compactionUsage))
  assert.equal(cost!.picoUsd, of(usage) + of(compactionUsage))
  assert.equal(cost!.picoUsd, fromUsd((23_000 * 3 + 1_000 * 15 + 30_000 * 3 + 150_000 * 0.3 + 3_500 * 15) / 1e6))
  assert.equal(conversation.cost.picoUsd, cost!.picoUsd)
  const { calls, input_tokens: input, cache_read_input_tokens: read, output_tokens: output } = conversation.usage
  assert.deepEqual([calls, input, read, output], [1, 53_000, 150_000, 4_500])
  const day = new Date().toISOString().slice(0, 10)
  assert.equal((await store.spending({ user: '', day })).tokens, 207_500n)
})

test('a request whose compaction exceeds the budget is refused', async () => {
  const history = compacted('Short.', 'Hi')
  // The next prompt is 24,000 tokens and a few: far from the trigger, so it is read once.
  const near = await open([history, 'Hi'], { budget: { tokensPerCall: 300_000 } })
  await near.conversation.send('Hello')
  await near.conversation.configure({ budget: { tokensPerCall: 25_000 } })
  await near.conversation.send('Hello')
  // Counted beyond the trigger: it may be read twice.
  const window = { policy: 'compact', atTokens: 50_000 } as const
  const long = 'word '.repeat(60_000)
  const engine = script(['Hi'], { otherwise: offline() })
  const conversation = await openConversations({ engine }).create({
    ...settings,
    window,
    budget: { tokensPerCall: 100_000 },
  })
  await assert.rejects(
    conversation.send(long),
    (error: unknown) => error instanceof BudgetError && error.worst > 130_000n,
  )
  await conversation.configure({ budget: { tokensPerCall: 200_000, usdPerCall: 1.5 } })
  await conversation.send(long)
})

test('a compaction reads the prompt cache, and a new prefix begins after it', async () => {
  const engine = script([{ reply: compacted('Short.', 'Hi'), when: ({ messages }) => messages.length === 5 }], {
    otherwise: offline(),
  })
  const conversation = await openConversations({ engine }).create({ ...settings, window: { policy: 'compact' } })
  const long = 'word '.repeat(2_000)
  for (let turn = 0; turn < 3; turn++) {
    const { cache } = await conversation.send(`${turn} ${long}`)
    assert.equal(cache!.missed, false)
  }
  const { cache } = await conversation.send(long)
  assert.deepEqual([cache!.missed, cache!.expectedReadTokens], [false, 0])
  const next = await conversation.send(long)
  assert.ok(next.cache!.readTokens > 0 && !next.cache!.missed)
})

test('a reply that paused for compaction is resumed between tools and by continue()', async () => {
  const paused: ScriptedMessage = { content: [{ type: 'compaction', content: 'Short.' }], stop_reason: 'compaction' }
  const look = tool({
    name: 'look',
    description: 'Looks.',
    inputSchema: { type: 'object', properties: {} },
    run: () => 'seen',
  })
  const context_management = { edits: [{ type: 'compact_20260112' as const, pause_after_compaction: true }] }
  const { conversation, engine } = await open([paused, 'Done.', paused, 'Done too.'], {
    window: { policy: 'fail' },
    context_management,
  })
  assert.equal((await conversation.send('Look', { tools: [look] })).text, 'Done.')
  await conversation.send('Look')
  assert.equal((await conversation.continue()).text, 'Done too.')
  assert.equal(engine.remaining, 0)
})

test('compaction is refused when set twice or for a model without it', async () => {
  const { conversation } = await open(['Hi'])
  await assert.rejects(
    conversation.configure({ model: 'claude-haiku-4-5' }),
    /window\.policy to 'compact' as claude-haiku-4-5 has no compaction: 'summarize' does/,
  )
  await assert.rejects(conversation.send('Hello', { model: 'claude-sonnet-4-5' }), /'summarize'/)
  const context_management = { edits: [{ type: 'compact_20260112' as const }] }
  await assert.rejects(conversation.configure({ context_management }), /together with a compact_20260112 edit/)
  await assert.rejects(conversation.configure({ compaction: { type: 'summarize' } }), /together with compaction/)
  await assert.rejects(
    conversation.configure({ window: { policy: 'compact', atTokens: 10_000 } }),
    /50000 at least: found 10000/,
  )
  assert.equal(conversation.messages.length, 0)
})
