import assert from 'node:assert/strict'
import test from 'node:test'
import type { Message } from '../types/message.ts'
import { replay } from './replay.ts'

const message: Message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [
    { type: 'thinking', thinking: '', signature: 'EqQB' },
    { type: 'text', text: 'The weather in Kyoto is', citations: null },
    { type: 'tool_use', id: 'toolu_1', name: 'now', input: {} },
    { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Kyoto' } },
    { type: 'redacted_thinking', data: 'x' },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  stop_details: null,
  usage: {
    input_tokens: 31,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 65,
    service_tier: 'standard',
  },
}

test('replay() sends a message as the API does', () => {
  const { content, ...rest } = message
  assert.deepEqual(
    [...replay(message)],
    [
      {
        type: 'message_start',
        message: { ...rest, content: [], stop_reason: null, usage: { ...rest.usage, output_tokens: 1 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQB' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '', citations: null } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'The weather in Kyoto' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: ' is' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: content[2] },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '' } },
      { type: 'content_block_stop', index: 2 },
      { type: 'content_block_start', index: 3, content_block: { ...content[3], input: {} } },
      { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '' } },
      { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{"city":"Kyoto"}' } },
      { type: 'content_block_stop', index: 3 },
      { type: 'content_block_start', index: 4, content_block: { type: 'redacted_thinking', data: 'x' } },
      { type: 'content_block_stop', index: 4 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null, stop_details: null },
        usage: { input_tokens: 31, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 65 },
      },
      { type: 'message_stop' },
    ],
  )
})

test('replay() keeps both halves of a surrogate pair in one piece', () => {
  const text = `${'x'.repeat(19)}🦋${'y'.repeat(18)}🦋z`
  const events = [...replay({ ...message, content: [{ type: 'text', text, citations: null }] })]
  const pieces = events.flatMap((event) =>
    event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? [event.delta.text] : [],
  )
  assert.deepEqual(pieces, [`${'x'.repeat(19)}🦋`, `${'y'.repeat(18)}🦋`, 'z'])
})

test('replay() yields no delta for an empty text', () => {
  const events = [...replay({ ...message, content: [{ type: 'text', text: '', citations: null }] })]
  assert.deepEqual(
    events.map(({ type }) => type),
    ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop'],
  )
})
