import assert from 'node:assert/strict'
import test from 'node:test'
import { accumulate } from '../../../protocol/codec/accumulate.ts'
import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { ReplyWriter } from '../reply.ts'
import type { ChatCallDelta, ChatChunk, ChatDelta } from '../wire.ts'

const params = {
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user' as const, content: 'Weather?' }],
  tools: [{ name: 'weather', input_schema: { type: 'object' as const } }],
}

async function reply(deltas: readonly ChatDelta[], finish = 'tool_calls', outputTokens = 5): Promise<Message> {
  const writer = new ReplyWriter(params, 1)
  const chunks: ChatChunk[] = [
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: finish }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: outputTokens } },
  ]
  const events: MessageStreamEvent[] = [writer.start('m'), ...chunks.flatMap((chunk) => [...writer.push(chunk)])]
  return accumulate([...events, ...writer.end()])
}

function call(given: unknown, more: Partial<ChatCallDelta> = {}): ChatDelta {
  const name = more.id === undefined ? undefined : 'weather'
  return { tool_calls: [{ index: 0, ...more, function: { ...(name && { name }), arguments: given } }] }
}

function shapes({ content }: Message): string[] {
  return content.map((block) => {
    if (block.type === 'tool_use') return JSON.stringify(block.input)
    return block.type === 'text' ? block.text : block.type
  })
}

const oslo = '{"city":"Oslo"}'
const forms: [server: string, deltas: ChatDelta[], inputs: string[]][] = [
  ['begins with an empty object', [call('{}', { id: 'a' }), call(oslo)], [oslo]],
  [
    'begins with an empty object, and continues in pieces',
    [call('{}', { id: 'a' }), call('{"city":'), call('"Oslo"}')],
    [oslo],
  ],
  ['has no arguments and sends an empty object', [call('{}', { id: 'a' })], ['{}']],
  ['has no arguments and sends null', [call('null', { id: 'a' })], ['{}']],
  [
    'sends the arguments again when they are complete',
    [call('{"city":', { id: 'a' }), call('"Oslo"}'), call(oslo, { id: 'a' })],
    [oslo],
  ],
  ['sends them again as a text of JSON', [call(oslo, { id: 'a' }), call(JSON.stringify(oslo))], [oslo]],
  ['sends them only as a text of JSON', [call(JSON.stringify(oslo), { id: 'a' })], [oslo]],
  ['sends one call after the other', [call(oslo, { id: 'a' }), call('{}', { id: 'b', index: 1 })], [oslo, '{}']],
]

test('the arguments of a call are the same in each form that servers send', async (t) => {
  for (const [server, deltas, inputs] of forms) {
    await t.test(`a server that ${server}`, async () => {
      const message = await reply(deltas)
      assert.deepEqual([shapes(message), message.stop_reason], [inputs, 'tool_use'])
    })
  }
})

test('text and thinking between the pieces of a call follow it, and leave its input whole', async () => {
  const pieces = [call('{"ci', { id: 'a' }), call('ty":"Os'), call('lo"}')]
  for (const [between, shape] of [
    [{ content: 'Wait.' }, 'Wait.'],
    [{ reasoning: 'Hm.' }, 'thinking'],
    [{ content: ' \n' }, undefined],
  ] as const) {
    for (let place = 1; place <= pieces.length; place++) {
      const message = await reply([...pieces.slice(0, place), between, ...pieces.slice(place)])
      assert.deepEqual(shapes(message), [oslo, ...(shape === undefined ? [] : [shape])], `${shape} at ${place}`)
    }
  }
  const two = await reply([call(oslo, { id: 'a' }), { content: 'And' }, call('{"a":1}', { id: 'b', index: 1 })])
  assert.deepEqual(shapes(two), [oslo, 'And', '{"a":1}'])
})

test('a call that the limit cut off is not complete, although the server says so', async () => {
  const message = await reply([call('{"city":"Os', { id: 'a' })], 'tool_calls', params.max_tokens)
  assert.equal(message.stop_reason, 'max_tokens')
  await assert.rejects(reply([call('{"city":"Os', { id: 'a' })]), /arguments are not a JSON object/)
})

test('a long input in small pieces takes time by its length', async () => {
  const text = '{"a":"b"},'.repeat(20_000)
  const long = JSON.stringify({ text })
  const deltas = Array.from({ length: Math.ceil(long.length / 20) }, (_, index) =>
    call(long.slice(index * 20, index * 20 + 20), index === 0 ? { id: 'a' } : {}),
  )
  const { content } = await reply(deltas)
  assert.equal((content[0] as { input: { text: string } }).input.text.length, text.length)
})
