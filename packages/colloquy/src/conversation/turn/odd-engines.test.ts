import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { emptyMessage } from '../../engines/reply/empty-message.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { tool } from '../../tools/index.ts'
import { openConversations } from '../index.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const usage = { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }

/** The first reply has one block; the offline engine writes the others. */
function engineWith(block: object, input: string | undefined, requests: MessageCreateParams[] = []): Engine {
  return async function* (params, context) {
    if (requests.push(structuredClone(params)) > 1) return yield* offline()(params, context)
    const delta = { type: 'input_json_delta', partial_json: input }
    yield* [
      { type: 'message_start', message: emptyMessage(settings.model, usage) },
      { type: 'content_block_start', index: 0, content_block: block },
      ...(input === undefined ? [] : [{ type: 'content_block_delta', index: 0, delta }]),
    ] as MessageStreamEvent[]
    // The journal writes these before the reply ends.
    await new Promise((resolve) => setTimeout(resolve, 10))
    yield* [
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 3 } },
      { type: 'message_stop' },
    ] as MessageStreamEvent[]
  }
}

describe('an engine whose events JSON cannot hold fails its turn, and the next one runs', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  let nested: unknown = 1
  for (let level = 0; level < 100_000; level++) nested = [nested]
  for (const [name, extra] of Object.entries({ 'a BigInt': 1n, 'a circle': circle, 'deep nesting': nested }))
    for (const journalMs of [1, 1_000])
      test(`${name}, written every ${journalMs} ms`, async () => {
        const engine = engineWith({ type: 'text', text: 'a', extra }, undefined)
        const conversations = openConversations({ engine, journalMs, store: sqliteStore(':memory:') })
        const conversation = await conversations.create(settings)
        await assert.rejects(async () => conversation.send('Hi'), { message: /BigInt|circular|call stack/ })
        assert.match((await conversation.send('What is 6 * 7?')).text, /6 \* 7 = 42$/)
        await conversations.close()
      })
})

describe('a call whose input cannot be read is answered with an error', () => {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
  for (const [name, input] of Object.entries({ 'cut JSON': '{"city":', 'a list': '[1]', 'deep nesting': deep }))
    test(name, async () => {
      const requests: MessageCreateParams[] = []
      const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
      const weather = tool({ name: 'weather', inputSchema: { type: 'object', maxProperties: 0 }, run: () => 'sunny' })
      const conversations = openConversations({ engine: engineWith(call, input, requests) })
      const conversation = await conversations.create(settings)
      await conversation.send('How is the weather?', { tools: [weather] })
      const [, reply, result] = requests[1]!.messages
      assert.deepEqual(reply!.content, [call])
      const [{ tool_use_id: id, is_error: isError }] = result!.content as unknown as [
        { tool_use_id: string; is_error: boolean },
      ]
      assert.deepEqual([id, isError], ['toolu_1', true])
      JSON.stringify(conversation.messages)
    })
})

test('an engine is told the owner of the conversation', async () => {
  const owners: unknown[] = []
  const engine: Engine = (params, context) => {
    owners.push(context?.owner)
    return offline()(params, context)
  }
  const conversations = openConversations({ engine })
  await (await conversations.create({ ...settings, owner: 'ada' })).send('Hello')
  await (await conversations.create(settings)).send('Hello')
  assert.deepEqual(owners, ['ada', undefined])
})
