import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openConversations } from '../../index.ts'
import { script } from '../../../engines/index.ts'
import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import { Tracer } from './tracer.ts'

const params = { model: 'claude-opus-4-8', max_tokens: 100, system: 'Be short', messages: [] }

function delta(text: string): MessageStreamEvent {
  return { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }
}

test('a tracer joins deltas that are close together, and keeps the others apart', () => {
  let now = 1_000
  const tracer = new Tracer(params, () => now)
  for (const [ms, event] of [
    [40, { type: 'content_block_stop', index: 0 }],
    [50, delta('ab')],
    [60, delta('c')],
    [200, delta('def')],
  ] as const) {
    now = 1_000 + ms
    tracer.push(event)
  }
  assert.deepEqual(tracer.trace, {
    request: { model: 'claude-opus-4-8', max_tokens: 100, system: 'Be short' },
    events: [
      [40, 'content_block_stop'],
      [50, 'text_delta', 2, 3],
      [200, 'text_delta', 1, 3],
    ],
    ms: 200,
  })
})

test('a trace stays small and counts every delta, however long the reply takes', () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 2_000 })
  fc.assert(
    fc.property(pauses, (all) => {
      let now = 0
      const tracer = new Tracer(params, () => now)
      for (const pause of all) {
        now += pause
        tracer.push(delta('x'))
      }
      const { events } = tracer.trace
      assert.ok(events.length <= 64)
      assert.equal(
        events.reduce((sum, [, , count = 0]) => sum + count, 0),
        all.length,
      )
      assert.deepEqual(
        events.map(([ms]) => ms),
        events.map(([ms]) => ms).toSorted((a, b) => a - b),
      )
    }),
    { numRuns: 30 },
  )
})

test('a trace of very many blocks stays small', () => {
  const tracer = new Tracer(params, () => 0)
  for (let index = 0; index < 1_000; index++) tracer.push({ type: 'content_block_stop', index })
  assert.equal(tracer.trace.events.length, 64)
})

test('a long prompt is not repeated in the trace', () => {
  const tracer = new Tracer({ ...params, system: 'x'.repeat(5_000) })
  const { request, omits } = tracer.trace
  assert.deepEqual({ request, omits }, { request: { model: 'claude-opus-4-8', max_tokens: 100 }, omits: true })
})

test('a reply has a trace with the option traces, and none without', async () => {
  for (const traces of [true, false]) {
    const conversations = openConversations({ engine: script(['Hello there']), traces })
    const chat = await conversations.create({ model: 'claude-opus-4-8', max_tokens: 100 })
    await chat.send('Hi')
    const { trace } = chat.messages.at(-1)!
    assert.deepEqual(
      trace?.events.map(([, type]) => type).slice(0, 3),
      traces ? ['message_start', 'content_block_start', 'text_delta'] : undefined,
    )
    assert.deepEqual(trace?.request, traces ? { model: 'claude-opus-4-8', max_tokens: 100 } : undefined)
    await conversations.close()
  }
})

test('exchange() has the request of a reply as it was sent, also after the settings changed', async () => {
  const engine = script(['First', 'Second'])
  const conversations = openConversations({ engine, traces: true, cacheMarks: false })
  const chat = await conversations.create({ model: 'claude-opus-4-8', max_tokens: 100, system: 'Be short' })
  await chat.send('One')
  await chat.configure({ system: 'Be long', max_tokens: 50, model: 'claude-haiku-4-5' })
  await chat.send('Two')
  const [, first, , second] = chat.messages
  for (const [index, reply] of [first!, second!].entries()) {
    const { request, isExact, response } = await chat.exchange(reply.id)
    assert.deepEqual(JSON.parse(JSON.stringify(request)), engine.requests[index]!.params)
    assert.equal(isExact, true)
    assert.deepEqual(response?.content, reply.content)
  }
  await assert.rejects(chat.exchange(chat.messages[0]!.id), /Cannot find the request of message \d+: it is not a reply/)
  await conversations.close()
})

test('exchange() without a trace has the model of the reply and the settings of now', async () => {
  const conversations = openConversations({ engine: script(['First']), cacheMarks: false })
  const chat = await conversations.create({ model: 'claude-opus-4-8', max_tokens: 100 })
  await chat.send('One')
  await chat.configure({ max_tokens: 50, model: 'claude-haiku-4-5' })
  const { request, isExact, trace } = await chat.exchange(chat.messages.at(-1)!.id)
  assert.equal(isExact, false)
  assert.equal(trace, undefined)
  assert.equal(request.model, 'claude-opus-4-8')
  assert.equal(request.max_tokens, 50)
  await conversations.close()
})
