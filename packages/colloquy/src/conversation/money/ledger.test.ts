import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../protocol/types/message.ts'
import { script, type ScriptedMessage } from '../../engines/script.ts'
import { openConversations } from '../index.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'
import { Ledger } from './ledger.ts'
import { usageOf } from './spending.ts'

const split = { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 20 }

test('Ledger sums cache writes if only their total or only their split is known', () => {
  const told: Pick<Usage, 'cache_creation_input_tokens' | 'cache_creation'>[] = [
    { cache_creation_input_tokens: 120, cache_creation: split },
    { cache_creation_input_tokens: null, cache_creation: split },
    { cache_creation_input_tokens: 120 },
    { cache_creation_input_tokens: 150, cache_creation: split },
  ]
  const sums = told.map((written) => {
    const usage = { input_tokens: 1, ...written, cache_read_input_tokens: 2, output_tokens: 3 }
    const reply = JSON.stringify({ message: { usage }, cost_pico_usd: 0 })
    const { cache_creation_input_tokens: total, cache_creation: writes } = new Ledger([{ reply }]).total
    return [total, writes.ephemeral_5m_input_tokens, writes.ephemeral_1h_input_tokens, usageOf(reply).tokens]
  })
  assert.deepEqual(sums, [
    [120, 100, 20, 126n],
    [120, 100, 20, 126n],
    [120, 120, 0, 126n],
    [150, 130, 20, 156n],
  ])
})

test('a usage with values that are not counts spoils no sum, and has no price', async () => {
  const usage = { input_tokens: 100, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 7 }
  const server_tool_use = { web_search_requests: 1, web_fetch_requests: 0 }
  const wrong: unknown[] = [-5, 1.5, 1e300, 2 ** 53, '12', true, [], {}, [null]]
  const names = [
    ...Object.keys(usage),
    'cache_creation.ephemeral_1h_input_tokens',
    'server_tool_use.web_search_requests',
  ]
  const places = [...names, 'iterations'].flatMap((name) => wrong.map((value): [string, unknown] => [name, value]))
  const usages = places.map(([place, value]) => {
    const [name = '', part] = place.split('.')
    return { ...usage, server_tool_use, [name]: part === undefined ? value : { ...server_tool_use, [part]: value } }
  })
  const engine = script(usages.map((each) => ({ content: 'Hello.', usage: each as never })))
  const conversations = openConversations({ engine, store: sqliteStore(':memory:') })
  const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 10 })
  for (const _ of usages) await conversation.send('Hi')

  const { cost, calls, server_tool_use: tools, cache_creation: _, ...tokens } = conversation.usage
  const [listed] = await conversations.list()
  const sum = Object.values(tokens).reduce((total, count) => total + count, 0)
  assert.deepEqual([listed!.tokens, listed!.calls, { ...listed!.cost }], [sum, calls, { ...cost }])
  assert.deepEqual([sum, tools.web_search_requests], [112 * places.length - wrong.length * 112, 54])
  assert.deepEqual(
    JSON.stringify((await conversations.open(conversation.id)).usage),
    JSON.stringify(conversation.usage),
  )
  await conversations.close()
})

test('a refusal before any output costs nothing, unless its category is billed', async () => {
  const usage = { input_tokens: 1_000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
  const refusal = (category: string, content = ''): ScriptedMessage => ({
    content,
    usage,
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category, explanation: null },
  })
  const engine = script([refusal('cyber'), refusal('bio'), refusal('cyber', 'Hello')])
  const conversations = openConversations({ engine, store: sqliteStore(':memory:'), limits: {} })
  const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 10, budget: { usd: 1 } })
  const replies = [await conversation.send('1'), await conversation.send('2'), await conversation.send('3')]
  const costs = replies.map(({ cost }) => cost!.picoUsd)
  assert.deepEqual(costs, [0n, 3_015_000_000n, 3_015_000_000n])
  assert.deepEqual(
    replies.map((reply) => reply.usage.input_tokens),
    [1_000, 1_000, 1_000],
  )
  const reopened = await conversations.open(conversation.id)
  for (const { cost, usage, messages } of [conversation, reopened]) {
    assert.deepEqual([cost.picoUsd, usage.calls, usage.input_tokens], [6_030_000_000n, 2, 2_000])
    assert.equal(messages[1]!.costPicoUsd, 0n)
  }
  const [listed] = await conversations.list()
  const { picoUsd, tokens } = await conversations.spending()
  assert.deepEqual([listed!.cost.picoUsd, listed!.calls, listed!.tokens], [6_030_000_000n, 2, 2_002])
  assert.deepEqual([picoUsd, tokens], [6_030_000_000n, 2_002n])
  await conversations.close()
})
