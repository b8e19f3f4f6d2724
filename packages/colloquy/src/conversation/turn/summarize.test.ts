import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { storePlaces } from '../../../../../test/stores.ts'
import { offline } from '../../engines/offline/offline.ts'
import { type ScriptEngine, type Step, script } from '../../engines/script.ts'
import { APIUserAbortError, AnthropicError } from '../../protocol/types/error.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { tool } from '../../tools/index.ts'
import { BudgetError, ConversationConflictError, SummaryError } from '../errors.ts'
import {
  type Conversation,
  type Conversations,
  type Reply,
  type Window,
  memoryStore,
  openConversations,
} from '../index.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationStore } from '../stores/store.ts'

const settings: ConversationSettings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const long = 'word '.repeat(100)
const facts = 'Ada likes trains.'
const policy: Window = { policy: 'summarize', atTokens: 1_000 }

interface Talk {
  engine: ScriptEngine
  conversations: Conversations
  conversation: Conversation
}

/** Writes fixed facts as summaries; the offline engine answers everything else. */
async function open(window: Window = policy, store: ConversationStore = memoryStore(), more = {}): Promise<Talk> {
  const engine = summarizer({ reply: facts, times: 99 })
  const conversations = openConversations({ engine, store })
  return { engine, conversations, conversation: await conversations.create({ ...settings, window, ...more }) }
}

function summarizer(...steps: Step[]): ScriptEngine {
  return script(
    steps.map((step) => ({ ...step, when: isSummary })),
    { otherwise: offline() },
  )
}

function isSummary({ messages }: MessageCreateParams): boolean {
  return textOf(messages.at(-1)!).startsWith('Write a summary of this conversation')
}

function textOf({ content }: MessageParam): string {
  return typeof content === 'string' ? content : content.map((block) => ('text' in block ? block.text : '')).join('')
}

/** The requests for replies, and those for summaries. */
function asked({ requests }: ScriptEngine): { replies: MessageParam[][]; summaries: MessageParam[][] } {
  const all = requests.map(({ params }) => params)
  return {
    replies: all.filter((params) => !isSummary(params)).map(({ messages }) => messages),
    summaries: all.filter(isSummary).map(({ messages }) => messages),
  }
}

/** Sends messages until a summary was written; returns the reply that followed it. */
async function talkOn({ conversation, engine }: Talk, first = 0): Promise<Reply> {
  const before = asked(engine).summaries.length
  for (let turn = first; turn < first + 40; turn++) {
    const reply = await conversation.send(`${turn} ${long}`)
    if (asked(engine).summaries.length > before) return reply
  }
  assert.fail('no summary was written')
}

test('messages that do not fit are summarized, and the summary is sent instead', async () => {
  const talk = await open({ ...policy, atTokens: 1_300 })
  const { conversation, engine } = talk
  const { window } = await talkOn(talk)
  const { replies, summaries } = asked(engine)
  // Complete turns from the beginning, followed by the instructions.
  const sentBefore = replies.at(-2)!
  assert.deepEqual(summaries[0]!.slice(0, -1), sentBefore.slice(0, summaries[0]!.length - 1))
  const [first, second] = replies.at(-1)!
  assert.equal(first!.role, 'user')
  assert.match(textOf(first!), /summary of our conversation so far.*\n\nAda likes trains\.$/s)
  assert.match(textOf(second!), /^\d+ word/)
  assert.equal(window!.dropped, summaries[0]!.length - 1)
  assert.deepEqual(
    window!.summaries.map(({ by, text }) => ({ by, text })),
    [{ by: 'turn', text: facts }],
  )
  // The store has the original messages, and nothing else.
  assert.equal(conversation.messages.length, 2 * replies.length)
  assert.equal((await conversation.branches()).length, 1)
  // The next turns begin at the summary too, and the prompt cache is read.
  const next = await conversation.send('And now?')
  assert.equal(next.window!.summaries.length, 0)
  assert.deepEqual(asked(engine).replies.at(-1)!.slice(0, 2), replies.at(-1)!.slice(0, 2))
})

test('later summaries include the earlier ones', async () => {
  const talk = await open()
  await talkOn(talk)
  await talkOn(talk, 40)
  const { summaries, replies } = asked(talk.engine)
  assert.match(textOf(summaries[1]![0]!), /Ada likes trains/)
  assert.equal(replies.at(-1)!.filter((message) => textOf(message).includes(facts)).length, 1)
  for (const { params } of talk.engine.requests)
    assert.ok((await offline().countTokens!(params)).input_tokens <= 1_100, 'a prompt is too long')
})

test('usage and cost of a summary are in the totals, once', async () => {
  const talk = await open()
  const reply = await talkOn(talk)
  const { conversation, conversations, engine } = talk
  const [summary] = reply.window!.summaries
  assert.ok(summary!.cost!.picoUsd > 0n && summary!.usage.output_tokens > 0)
  const shown = conversation.messages.reduce((sum, { costPicoUsd = 0n }) => sum + costPicoUsd, 0n)
  assert.equal(conversation.cost.picoUsd, shown + summary!.cost!.picoUsd)
  assert.equal(conversation.usage.calls, engine.requests.length)
  const again = await conversations.open(conversation.id)
  assert.deepEqual(again.usage, conversation.usage)
})

test('preview() shows the request for the summary, then the one that uses it', async () => {
  const talk = await open()
  const { conversation, engine } = talk
  for (let turn = 0; turn < 12; turn++) {
    const before = engine.requests.length
    const preview = conversation.preview(`${turn} ${long}`)
    await conversation.send(`${turn} ${long}`)
    assert.deepEqual(preview, engine.requests[before]!.params)
  }
  assert.ok(asked(engine).summaries.length > 0)
})

test('window.model writes the summary, without cache breakpoints and other settings', async () => {
  const { conversation, engine, ...rest } = await open(
    { ...policy, model: 'claude-haiku-4-5', instructions: 'Write a summary of this conversation, in one line.' },
    memoryStore(),
    { system: 'Be brief.', thinking: { type: 'adaptive' }, stop_sequences: ['\n'] },
  )
  await talkOn({ conversation, engine, ...rest })
  const { messages, ...said } = engine.requests.find(({ params }) => isSummary(params))!.params
  assert.deepEqual(said, { model: 'claude-haiku-4-5', max_tokens: 250, system: 'Be brief.' })
  assert.equal(textOf(messages.at(-1)!), 'Write a summary of this conversation, in one line.')
})

test('the same model gets the same cached prefix', async () => {
  const talk = await open(policy, memoryStore(), {
    system: 'Be brief.',
    stop_sequences: ['\n'],
    thinking: { type: 'disabled' },
  })
  await talkOn(talk)
  const { messages: _, ...said } = talk.engine.requests.find(({ params }) => isSummary(params))!.params
  assert.deepEqual(said, {
    model: settings.model,
    max_tokens: 250,
    system: 'Be brief.',
    thinking: { type: 'disabled' },
  })
})

test('a branch uses the summary only if it has the summarized messages', async () => {
  const talk = await open()
  const { conversation, engine, conversations } = talk
  await talkOn(talk)
  const { dropped } = (await conversation.send('Still there?')).window!
  const [second, last] = [conversation.messages[2]!, conversation.messages.at(-2)!]
  await conversation.edit(last.id, 'Something else')
  assert.match(textOf(asked(engine).replies.at(-1)![0]!), /Ada likes trains/)
  // Before the end of the summarized messages.
  assert.ok(dropped > 3)
  await conversation.edit(second.id, 'From the beginning')
  assert.match(textOf(asked(engine).replies.at(-1)![0]!), /^0 word/)
  const again = await conversations.open(conversation.id)
  await again.switchTo(last.id)
  assert.match(textOf(again.preview('Hello').messages[0]!), /Ada likes trains/)
  assert.equal((await again.branches()).length, 3)
  assert.equal((await again.versions(last.id)).length, 2)
  assert.equal(asked(engine).summaries.length, 1)
})

for (const [name, make] of Object.entries(storePlaces())) {
  test(`reopened, imported and forked conversations have the summary (${name})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    after(() => rmSync(folder, { recursive: true }))
    const store = make(folder, { leaseMs: 30_000, now: Date.now })()
    const talk = await open(policy, store)
    const { conversation, conversations, engine } = talk
    await talkOn(talk)
    const preview = conversation.preview('Hello')
    assert.deepEqual((await conversations.open(conversation.id)).preview('Hello'), preview)
    const lines = await Array.fromAsync(conversations.export(conversation.id))
    const imported = await conversations.import(lines.join('\n'))
    assert.deepEqual(imported.preview('Hello'), preview)
    assert.deepEqual([imported.cost.picoUsd, (await imported.branches()).length], [0n, 1])
    const fork = await conversation.fork()
    assert.deepEqual(fork.preview('Hello'), preview)
    assert.deepEqual(
      [fork.cost.picoUsd, (await fork.branches()).length, fork.messages.length],
      [0n, 1, conversation.messages.length],
    )
    await fork.send('Hello')
    assert.equal(asked(engine).summaries.length, 1)
    // A fork that ends before the summary's last message does not have it.
    const early = await conversation.fork(conversation.messages[1]!.id)
    assert.doesNotMatch(JSON.stringify(early.preview('Hello')), /Ada/)
    assert.deepEqual(await conversations.search('trains'), [])
    await store.close()
  })
}

test('erasing a message erases the summary that covers it', async () => {
  const talk = await open()
  const { conversation, conversations } = talk
  await talkOn(talk)
  await conversation.erase(conversation.messages[2]!.id)
  const lines = await Array.fromAsync(conversations.export(conversation.id))
  assert.doesNotMatch(lines.join('\n'), /trains/)
  assert.doesNotMatch(JSON.stringify(conversation.preview('Hello')), /trains/)
})

test('a turn fails before it begins if its summary fails; the next one retries', async () => {
  const engine = summarizer({ error: { type: 'overloaded_error' } }, { reply: facts })
  const conversation = await openConversations({ engine }).create({ ...settings, window: policy })
  const error: unknown = await talkOn({ conversation, engine } as Talk).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof SummaryError)
  assert.match(error.message, /^Cannot summarize the earlier turns, .*Overloaded/)
  assert.ok(error.cause instanceof AnthropicError)
  const count = conversation.messages.length
  assert.equal(conversation.messages.at(-1)!.role, 'assistant')
  assert.match(textOf(conversation.preview('Hello').messages[0]!), /^0 word/)
  await conversation.send(long)
  assert.equal(conversation.messages.length, count + 2)
  assert.match(textOf(asked(engine).replies.at(-1)![0]!), /Ada likes trains/)
  assert.equal((await conversation.branches()).length, 1)
})

test('a reply that is not a summary is not used as one, and is paid for', async () => {
  const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'look', input: {} }
  const engine = summarizer(
    { reply: { content: [call] } },
    { reply: { content: 'No.', stop_reason: 'refusal' } },
    { reply: ' ' },
  )
  const conversation = await openConversations({ engine }).create({ ...settings, window: policy })
  await assert.rejects(
    talkOn({ conversation, engine } as Talk),
    /^SummaryError: .* the model returned no summary \(stop_reason: tool_use\)/,
  )
  const paid = conversation.cost.picoUsd
  await assert.rejects(conversation.send(long), /the model returned no summary \(stop_reason: refusal\)/)
  await assert.rejects(conversation.send(long), /the model returned no summary \(stop_reason: end_turn\)/)
  assert.ok(conversation.cost.picoUsd > paid)
  assert.equal(conversation.usage.calls, engine.requests.length)
})

test('an abort stops the summary too, and nothing of the turn is written', async () => {
  const engine = summarizer({ reply: facts, stall: true, after: 3 })
  const conversation = await openConversations({ engine }).create({ ...settings, window: policy })
  for (let turn = 0; ; turn++) {
    const { length } = conversation.messages
    const sending = conversation.send(`${turn} ${long}`)
    while (!sending.isSummarizing && conversation.messages.length === length) await new Promise(setImmediate)
    if (!sending.isSummarizing) {
      // Its question is stored, and its reply may still arrive.
      await sending
      continue
    }
    while (engine.remaining > 0) await new Promise(setImmediate)
    sending.abort()
    await assert.rejects(sending, APIUserAbortError)
    assert.equal(sending.isSummarizing, false)
    assert.equal(conversation.messages.length, length)
    assert.equal(conversation.usage.cost.estimated, true)
    return
  }
})

test('a summary that exceeds the budget is not requested', async () => {
  const talk = await open({ ...policy, atTokens: 2_000 }, memoryStore(), { budget: { tokensPerCall: 1_900 } })
  const error: unknown = await talkOn(talk).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof BudgetError)
  assert.equal(asked(talk.engine).summaries.length, 0)
})

test('budget.fit never lowers max_tokens of a summary', async () => {
  const store = memoryStore()
  const { conversation, engine } = await open(policy, store)
  while (!isSummary(conversation.preview(long))) await conversation.send(long)
  const { input_tokens: prompt } = await offline().countTokens!(conversation.preview(long))
  const tokensPerDay = prompt + 100
  const limited = await openConversations({ engine, store, limits: { tokensPerDay, fit: true } }).open(conversation.id)
  await assert.rejects(limited.send(long), BudgetError)
  await conversation.configure({ budget: { tokensPerCall: prompt + 100, fit: true } })
  await assert.rejects(conversation.send(long), BudgetError)
  assert.equal(asked(engine).summaries.length, 0)
})

test('max_tokens of a summary leaves room for thinking', async () => {
  const roomFor = async (more: Partial<ConversationSettings>): Promise<number> => {
    const talk = await open(policy, memoryStore(), more)
    await talkOn(talk)
    return talk.engine.requests.find(({ params }) => isSummary(params))!.params.max_tokens
  }
  assert.equal(await roomFor({ thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 3_000 }), 2_250)
  assert.equal(await roomFor({ model: 'claude-sonnet-5-5' }), 250 + 8_192)
  assert.equal(await roomFor({ window: { ...policy, model: 'claude-opus-5-5' } }), 250 + 8_192)
  assert.equal(await roomFor({}), 250)
})

test('the most that a summary can cost is reserved while it is written', async () => {
  const store = memoryStore()
  const engine = summarizer({ reply: facts, eventDelayMs: 20 })
  const conversations = openConversations({ engine, store, limits: {} })
  const conversation = await conversations.create({ ...settings, window: policy })
  let held = 0n
  for (let turn = 0; engine.remaining > 0; turn++) {
    const sending = conversation.send(`${turn} ${long}`)
    const watch = setInterval(() => {
      if (!sending.isSummarizing) return
      void store.open(conversation.id).then((opened) => (held ||= opened!.unfinished[0]?.reserved.tokens ?? 0n))
    }, 1)
    await sending
    clearInterval(watch)
  }
  assert.ok(held > 250n, `${held} tokens are held`)
  const { held: left, picoUsd } = await store.spending({ user: '', day: new Date().toISOString().slice(0, 10) })
  assert.deepEqual([left, picoUsd], [{ picoUsd: 0n, tokens: 0n }, conversation.cost.picoUsd])
})

test('a writer that sends during a summary is not overwritten, and uses it', async () => {
  const store = memoryStore()
  const engine = summarizer({ reply: facts, times: 9, eventDelayMs: 5 })
  const conversations = openConversations({ engine, store })
  const conversation = await conversations.create({ ...settings, window: policy })
  while (!isSummary(conversation.preview(long))) await conversation.send(long)
  const other = await conversations.open(conversation.id)
  const sending = conversation.send(long)
  while (!sending.isSummarizing) await new Promise(setImmediate)
  await other.refresh()
  const theirs = other.send('Hello')
  const outcomes = await Promise.allSettled([sending, theirs])
  const lost = outcomes.filter(({ status }) => status === 'rejected')
  assert.equal(lost.length, 1)
  assert.ok((lost[0] as PromiseRejectedResult).reason instanceof ConversationConflictError)
  assert.ok(asked(engine).summaries.length <= 2)
  const third = await conversations.open(conversation.id)
  await third.send('And on')
  assert.match(textOf(asked(engine).replies.at(-1)![0]!), /Ada likes trains/)
})

test('a repeated key returns its reply without a summary', async () => {
  const talk = await open()
  const { conversation, engine } = talk
  await talkOn(talk)
  for (let turn = 0; !isSummary(conversation.preview(long)); turn++)
    await conversation.send(`${turn} ${long}`, { key: `${turn}` })
  const { length } = engine.requests
  await conversation.send(`0 ${long}`, { key: '0' })
  assert.equal(engine.requests.length, length)
})

test('a turn whose tool results exceed the window is summarized up to a step', async () => {
  const look = tool({
    name: 'look',
    description: 'Looks.',
    inputSchema: { type: 'object', properties: {} },
    run: () => long,
  })
  const calls = Array.from({ length: 14 }, (_, index): Step => ({
    when: (params) => !isSummary(params),
    reply: { content: [{ type: 'tool_use', id: `toolu_${index}`, name: 'look', input: {} }] },
  }))
  const engine = script([...calls, { when: isSummary, reply: facts, times: 99 }], { otherwise: offline() })
  const conversation = await openConversations({ engine }).create({ ...settings, window: policy })
  const { window } = await conversation.send('Look at everything.', { tools: [look] })
  assert.ok(window!.summaries.length > 1)
  assert.equal(conversation.messages.length, 2 * calls.length + 2)
  for (const { params } of engine.requests) {
    const { messages } = params
    const blocks = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    const used = blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
    const answered = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
    assert.deepEqual(answered, used)
    assert.ok((await offline().countTokens!(params)).input_tokens <= 1_200)
  }
})

test('kept turns lose thinking that was signed together with dropped messages', async () => {
  const think = { type: 'thinking' as const, thinking: 'Hm.', signature: 'c2ln' }
  const said = (text: string): Step => ({
    when: (params) => !isSummary(params),
    reply: { content: [think, { type: 'text', text, citations: null }] },
  })
  for (const [model, binds] of [
    ['claude-sonnet-5-5', true],
    ['claude-sonnet-4-6', false],
  ] as const) {
    const replies = Array.from({ length: 20 }, (_, index) => said(`${index} ${'said '.repeat(20)}`))
    const engine = script([...replies, { when: isSummary, reply: facts, times: 9 }])
    const conversation = await openConversations({ engine }).create({
      model,
      max_tokens: 100,
      window: { ...policy, keepTurns: 3 },
    })
    const talk = { conversation, engine } as Talk
    await talkOn(talk)
    await conversation.send('And now?')
    const sent = asked(engine)
      .replies.at(-1)!
      .filter(({ role }) => role === 'assistant')
    const thinking = sent.map(({ content }) => typeof content !== 'string' && content[0]!.type === 'thinking')
    assert.deepEqual(thinking, binds ? [false, false, true] : [true, true, true])
  }
})

test('a new cache prefix after a summary is not reported as a miss', async () => {
  const talk = await open({ ...policy, atTokens: 4_000 })
  const { conversation, engine } = talk
  let last = 0
  for (let turn = 0; turn < 60; turn++) {
    const { cache } = await conversation.send(`${turn} ${long}`)
    assert.equal(cache!.missed, false, `turn ${turn}`)
    last = cache!.readTokens
  }
  assert.ok(asked(engine).summaries.length >= 2 && last > 0)
})

test('a summary of a single message begins another prefix too', async () => {
  const { conversations } = await open()
  const messages: MessageParam[] = [long, long].map((content) => ({ role: 'user', content: content.repeat(20) }))
  const talk = await conversations.create({ ...settings, messages })
  await talk.send(long)
  await talk.configure({ window: { policy: 'summarize', atTokens: 4_200, keepTurns: 3 } })
  const { window, cache } = await talk.send(long)
  assert.deepEqual([window!.dropped, cache!.expectedReadTokens], [1, 0])
})

test('a history that is too long for one request is summarized in parts', async () => {
  const { engine, conversations } = await open()
  const huge = 'word '.repeat(140_000)
  const messages = Array.from({ length: 12 }, (_, index): MessageParam => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `${index} ${huge}`,
  }))
  const conversation = await conversations.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 1_000,
    messages,
    window: { policy: 'summarize' },
  })
  const { window } = await conversation.send('Hello')
  assert.ok(window!.summaries.length >= 2)
  assert.equal(asked(engine).replies.length, 1)
})

test('an invalid window is refused when it is set', async () => {
  const { conversation } = await open()
  await assert.rejects(conversation.configure({ window: { ...policy, model: '' } }), /window\.model .* found ""/)
  const wrong = { ...policy, instructions: 3 } as unknown as Window
  await assert.rejects(conversation.configure({ window: wrong }), /window\.instructions .* found 3/)
})
