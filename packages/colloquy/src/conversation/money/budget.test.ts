import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { script } from '../../engines/script.ts'
import { fromUsd } from '../../protocol/models/money.ts'
import type { Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import { BudgetError } from '../errors.ts'
import type { ConversationSettings } from '../settings.ts'
import { boundAt, largestBound } from '../../protocol/models/longest-calls.ts'

const settings: ConversationSettings = { model: 'claude-sonnet-4-6', max_tokens: 1000 }

async function open(
  changes: Partial<ConversationSettings>,
): Promise<{ conversation: Conversation; asked: () => number }> {
  const engine = script([], { otherwise: offline() })
  const conversation = await openConversations({ engine }).create({ ...settings, ...changes })
  return { conversation, asked: () => engine.requests.length }
}

test('a request that could exceed the budget fails with the numbers, unsent', async () => {
  const { conversation, asked } = await open({ budget: { usd: 0.01 } })
  const error = await conversation.send('Hello').then(
    () => assert.fail('sent'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof BudgetError)
  assert.deepEqual([error.limit, error.allowed, error.spent], ['usd', fromUsd(0.01), 0n])
  // A thousand tokens at $15 per million, and a short prompt.
  assert.ok(error.worst > fromUsd(0.015) && error.worst < fromUsd(0.016))
  assert.match(error.message, /budget of \$0\.0100: \$0\.00 are spent and the call could take \$0\.01\d\d/)
  assert.deepEqual([asked(), conversation.messages.length], [0, 0])
})

test('budget.fit lowers max_tokens to what is left', async () => {
  const engine = script([], { otherwise: offline() })
  const conversation = await openConversations({ engine }).create({ ...settings, budget: { usd: 0.01, fit: true } })
  await conversation.send('Hello')
  const { max_tokens: granted } = engine.requests[0]!.params
  assert.ok(granted > 600 && granted < 667, `${granted}`)
  await conversation.configure({ budget: { usd: 0.000_1, fit: true } })
  await assert.rejects(conversation.send('Hello'), BudgetError)
})

test('budget.fit never lowers max_tokens below the thinking budget', async () => {
  const engine = script([], { otherwise: offline() })
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 }
  const budget = { usdPerCall: 0.018, fit: true }
  const asked = { model: 'claude-sonnet-4-6', max_tokens: 2000, thinking, budget }
  const conversation = await openConversations({ engine }).create(asked)
  await conversation.send('Hello')
  const { max_tokens: granted } = engine.requests[0]!.params
  assert.ok(granted > 1024 && granted < 1200, `${granted}`)
  await conversation.configure({ budget: { usdPerCall: 0.015, fit: true } })
  const { length } = conversation.messages
  await assert.rejects(conversation.send('Hello again'), (error) => {
    assert.ok(error instanceof BudgetError)
    // With a reply of 1,025 tokens.
    return error.worst > fromUsd(0.015_375) && error.worst < fromUsd(0.02)
  })
  assert.deepEqual([engine.requests.length, conversation.messages.length], [1, length])
})

test('a budget limits each request, and tokens too', async () => {
  const perCall = await open({ budget: { usdPerCall: 0.02 } })
  await perCall.conversation.send('Hello')
  await perCall.conversation.configure({ max_tokens: 2000 })
  await assert.rejects(perCall.conversation.send('Hello'), { name: 'BudgetError', limit: 'usdPerCall' })
  const tokensPerCall = await open({ budget: { tokensPerCall: 1100 } })
  for (const _ of [1, 2, 3]) await tokensPerCall.conversation.send('Hello')
  await assert.rejects(tokensPerCall.conversation.send('word '.repeat(200)), {
    name: 'BudgetError',
    limit: 'tokensPerCall',
    message: /budget of 1100 tokens a call: the call could take 2\d\d\d tokens/,
  })
  const inTokens = await open({ budget: { tokens: 1100 } })
  await inTokens.conversation.send('Hello')
  await assert.rejects(inTokens.conversation.send('word '.repeat(200)), { name: 'BudgetError', limit: 'tokens' })
})

test('a conversation never costs more than its budget', async () => {
  for (const [model, usd] of [
    ['claude-sonnet-4-6', 0.05],
    ['claude-haiku-5-5', 0.002],
    ['claude-opus-5', 0.1],
  ] as const) {
    const { conversation } = await open({ model, budget: { usd, fit: true }, system: 'Be brief. '.repeat(300) })
    let turns = 0
    for (; turns < 500; turns++) {
      const sent = await conversation.send(`Tell me about number ${turns}. ${'word '.repeat(turns)}`).then(
        () => true,
        (error: unknown) => assert.ok(error instanceof BudgetError, String(error)) ?? false,
      )
      if (!sent) break
      assert.ok(conversation.cost.picoUsd <= fromUsd(usd), `${conversation.cost.picoUsd} of ${usd}`)
    }
    assert.ok(turns > 2 && turns < 500, `${model} ended after ${turns} turns`)
  }
})

test('a budget in dollars needs a price, and max_uses of web_search', async () => {
  const unknown = await open({ model: 'llama-3', budget: { usd: 1 } })
  await assert.rejects(unknown.conversation.send('Hello'), /found no price for llama-3/)
  const searching = await open({ budget: { usd: 1 }, tools: [{ type: 'web_search_20250305', name: 'web_search' }] })
  await assert.rejects(searching.conversation.send('Hello'), /web_search tool without max_uses/)
  assert.equal(unknown.asked() + searching.asked(), 0)
})

test('a budget in dollars counts the earlier replies, so each needs a price', async () => {
  for (const [replies, found] of [
    [1, '1 earlier reply'],
    [2, '2 earlier replies'],
  ] as const) {
    const { conversation } = await open({ model: 'llama-3' })
    for (let turn = 0; turn < replies; turn++) await conversation.send('Hello')
    await conversation.configure({ model: 'claude-sonnet-4-6', budget: { usd: 1 } })
    const message = `Cannot apply a budget in dollars: found no price for ${found}`
    await assert.rejects(conversation.send('Hello'), { name: 'AnthropicError', message })
  }
})

test('a budget counts what an advisor and fallback models can cost', async () => {
  const worst = async (more: Partial<ConversationSettings>): Promise<bigint> => {
    const asked = { model: 'claude-opus-5-5', max_tokens: 1_000, budget: { usd: 0.000_001 }, ...more }
    const { conversation } = await open(asked)
    const error = await conversation.send('Hello').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof BudgetError, String(error))
    return error.worst
  }
  const alone = await worst({})
  const advisor = (tool: object): Partial<ConversationSettings> => ({
    tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-fable-5-1', ...tool }],
  })
  // Three times 2,000 tokens at $50 per million, and prompts for them.
  const advised = (await worst(advisor({ max_uses: 3, max_tokens: 2_000 }))) - alone
  assert.ok(advised > fromUsd(0.3) && advised < fromUsd(1), `${advised}`)
  await assert.rejects(worst(advisor({})), /found an advisor tool without max_uses/)
  await assert.rejects(worst(advisor({ max_uses: 1, model: 'next' })), /without max_tokens, and no model next/)
  // 1,000 tokens at $50 per million, and the first reply as a part of the prompt.
  const named = (await worst({ fallbacks: [{ model: 'claude-fable-5-1' }] })) - alone
  assert.ok(named > fromUsd(0.07) && named < fromUsd(0.09), `${named}`)
  assert.ok((await worst({ fallbacks: 'default' })) >= alone + named)
  await assert.rejects(worst({ fallbacks: [{ model: 'next' }] }), /found no price for next/)
  const short = (await worst({ fallbacks: [{ model: 'claude-fable-5-1', max_tokens: 10 }] })) - alone
  assert.ok(short < named, `${short}`)
})

test('a bound for several models holds whatever max_tokens is', () => {
  const [long, short] = [
    { fixed: 10n, perToken: 1n },
    { fixed: 5n, perToken: 2n },
  ] as const
  const both = largestBound(long, short)
  for (const bound of [long, short])
    for (const tokens of [0, 1, 100]) assert.ok(boundAt(both, tokens) >= boundAt(bound, tokens))
})

test('a reply with advice and a declined attempt is charged to the budget', async () => {
  const call = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const iterations = [
    { ...call, type: 'message' },
    { ...call, type: 'advisor_message', model: 'claude-fable-5-1', input_tokens: 1_000 },
    { ...call, type: 'message', input_tokens: 20 },
  ]
  const usage = { ...call, input_tokens: 30, output_tokens: 10, iterations }
  const conversation = await openConversations({ engine: script([{ content: 'Hi', usage }]) }).create(settings)
  const reply = await conversation.send('Hello')
  assert.equal(reply.cost?.picoUsd, 30n * 3_000_000n + 10n * 15_000_000n + 1_000n * 10_000_000n + 5n * 50_000_000n)
  const { cost, input_tokens, output_tokens } = conversation.usage
  assert.deepEqual([cost.picoUsd, input_tokens, output_tokens], [reply.cost.picoUsd, 1_030, 15])
})

test('a budget may have more digits than a picodollar', async () => {
  const { conversation } = await open({ budget: { usd: 0.1 / 3, usdPerCall: 1e-7 + 0.02 } })
  await conversation.send('Hello')
  await conversation.configure({ budget: { usd: 1e-7 } })
  await assert.rejects(conversation.send('Hello'), { name: 'BudgetError', allowed: 100_000n })
  await conversation.configure({ budget: { usd: 1e300, tokens: 1e300 } })
  await conversation.send('Hello')
})

test('an invalid amount is refused when it is set', async () => {
  await assert.rejects(open({ budget: { usd: -1 } }), /Cannot set budget\.usd as it must be positive: found -1/)
  await assert.rejects(
    open({ budget: { tokens: 1.5 } }),
    /Cannot set budget\.tokens as it must be a whole number: found 1\.5/,
  )
})
