import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { MessageAccumulator, accumulate } from './accumulate.ts'
import type { ContentBlockDelta, MessageStreamEvent, PingEvent } from '../types/event.ts'
import { decodeEvents } from './event-stream.ts'
import type { ContentBlock, Message, ToolUseBlock } from '../types/message.ts'
import { partialInput, setPartialInput } from './partial-input.ts'
import { partialJson } from './partial-json.ts'
import { replay } from './replay.ts'
import { encodeSse } from './sse.ts'
import { unlisted } from '../types/unlisted.ts'

const plain = { noNullPrototype: true }

function record<T, Required extends keyof T = keyof T>(
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
  required?: { requiredKeys: Required[] },
): fc.Arbitrary<Pick<T, Required> & Partial<T>> {
  return fc.record(fields, { ...plain, ...required }) as fc.Arbitrary<Pick<T, Required> & Partial<T>>
}

const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'é', '🦋', '\ud83e', '"', '\\') })
// By way of text, since JSON has one zero and JavaScript two.
const json = fc.jsonValue({ stringUnit: 'grapheme' }).map((value) => JSON.parse(JSON.stringify(value)) as typeof value)
// In fields of events whose keys are the API's own: V8 takes some keys with an escape for others (see parse-json.ts).
const plainJson = fc
  .jsonValue({ stringUnit: fc.constantFrom('a', ' ', 'é', '🦋') })
  .map((value) => JSON.parse(JSON.stringify(value)) as typeof value)
const index = fc.nat(100)

const anyCitation = fc.oneof(
  record({
    type: fc.constant('char_location' as const),
    cited_text: text,
    document_index: index,
    document_title: fc.option(text),
    start_char_index: index,
    end_char_index: index,
  }),
  record({
    type: fc.constant('web_search_result_location' as const),
    cited_text: text,
    title: fc.option(text),
    url: text,
    encrypted_index: text,
  }),
  record({ type: fc.constant('location_of_tomorrow'), place: json }).map(unlisted),
)

const toolUse = { id: text, name: text, input: fc.dictionary(text, json, plain) }

const anyBlock: fc.Arbitrary<ContentBlock> = fc.oneof(
  record({ type: fc.constant('text' as const), text, citations: fc.option(fc.array(anyCitation)) }),
  record({ type: fc.constant('thinking' as const), thinking: text, signature: text }),
  record({ type: fc.constant('redacted_thinking' as const), data: text }),
  record({ type: fc.constant('tool_use' as const), ...toolUse }),
  record({ type: fc.constant('server_tool_use' as const), ...toolUse }),
  record({ type: fc.constant('mcp_tool_use'), ...toolUse }).map(unlisted),
  record({
    type: fc.constant('web_search_tool_result' as const),
    tool_use_id: text,
    content: fc.constant({ type: 'web_search_tool_result_error' as const, error_code: 'unavailable' }),
  }),
  record({ type: fc.constant('container_upload' as const), file_id: text }),
  record({ type: fc.constant('compaction' as const), content: fc.option(text), encrypted_content: fc.option(text) }),
  record({ type: fc.constant('compaction' as const), content: fc.option(text), signature: text }),
  record({ type: fc.constant('block_of_tomorrow'), content: json, input: json }).map(unlisted),
  // A tool input that was cut somewhere.
  fc.tuple(record({ type: fc.constant('tool_use' as const), ...toolUse }), index).map(([block, place]) => {
    const whole = JSON.stringify(block.input)
    const cut = whole.slice(0, 1 + (place % (whole.length - 1)))
    const partial = { ...block, input: partialJson(cut) }
    setPartialInput(partial, cut)
    return partial
  }),
)

const tokens = fc.nat(1_000_000)
const cacheCreation = record({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens })
const anyUsage = record(
  {
    input_tokens: tokens,
    cache_creation_input_tokens: fc.option(tokens),
    cache_read_input_tokens: fc.option(tokens),
    cache_creation: fc.option(cacheCreation),
    output_tokens: tokens,
    output_tokens_details: fc.option(record({ thinking_tokens: tokens })),
    server_tool_use: fc.option(record({ web_search_requests: tokens, web_fetch_requests: tokens })),
    service_tier: fc.constantFrom('standard', 'batch', null),
    iterations: fc.option(
      fc.array(
        record({
          type: fc.constantFrom('message', 'compaction'),
          input_tokens: tokens,
          cache_creation_input_tokens: fc.constant(null),
          cache_read_input_tokens: tokens,
          output_tokens: tokens,
        }),
      ),
    ),
    usage_of_tomorrow: plainJson,
  },
  {
    requiredKeys: ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens'],
  },
)

const anyMessage: fc.Arbitrary<Message> = record(
  {
    id: text,
    type: fc.constant('message' as const),
    role: fc.constant('assistant' as const),
    model: text,
    content: fc.array(anyBlock),
    stop_reason: fc.constantFrom('end_turn', 'tool_use', 'refusal', 'reason of tomorrow', null),
    stop_sequence: fc.option(text),
    stop_details: fc.option(
      record({ type: fc.constant('refusal' as const), category: fc.option(text), explanation: fc.option(text) }),
    ),
    container: fc.option(record({ id: text, expires_at: text })),
    usage: anyUsage,
    field_of_tomorrow: plainJson,
  },
  { requiredKeys: ['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'] },
)

/** Cuts a text after each of the given lengths in turn. */
function cutBy(lengths: number[]) {
  return function* (text: string): Generator<string> {
    let start = 0
    for (let turn = 0; start < text.length; turn++) {
      const end = start + 1 + (lengths[turn % lengths.length] ?? 20)
      yield text.slice(start, end)
      start = end
    }
  }
}

test('accumulate() is the inverse of replay() for any message and any cuts', async () => {
  await fc.assert(
    fc.asyncProperty(anyMessage, fc.array(fc.nat(10)), async (message, lengths) => {
      const events = [...replay(message, lengths.length > 0 ? { cut: cutBy(lengths) } : {})]
      const before = structuredClone(events)
      assert.deepEqual(await accumulate(events), message)
      assert.deepEqual(events, before, 'an event was changed')
    }),
    { numRuns: 500 },
  )
})

test('a message survives encoding and decoding, cut at any byte', async () => {
  await fc.assert(
    fc.asyncProperty(anyMessage, fc.array(fc.nat(500), { minLength: 1 }), async (message, lengths) => {
      const bytes = new TextEncoder().encode([...replay(message)].map(encodeSse).join(''))
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let start = 0, turn = 0; start < bytes.length; turn++) {
          const end = start + 1 + lengths[turn % lengths.length]!
          yield bytes.subarray(start, end)
          start = end
        }
      }
      assert.deepEqual(await accumulate(decodeEvents(body())), message)
    }),
  )
})

test('MessageAccumulator gives the same message if it is read after each event', () => {
  fc.assert(
    fc.property(anyMessage, fc.array(fc.nat(10)), (message, lengths) => {
      const accumulator = new MessageAccumulator()
      for (const event of replay(message, { cut: cutBy(lengths) })) {
        accumulator.push(event)
        assert.ok(accumulator.message)
        JSON.stringify(accumulator.message)
      }
      assert.deepEqual(accumulator.message, message)
    }),
  )
})

const start: MessageStreamEvent = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 0 },
      output_tokens: 1,
      server_tool_use: null,
      service_tier: 'standard',
    },
  },
}
const tool: ToolUseBlock = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }
const text1: ContentBlock = { type: 'text', text: '', citations: null }

function open(index: number, content_block: ContentBlock): MessageStreamEvent {
  return { type: 'content_block_start', index, content_block }
}

function delta(index: number, delta: ContentBlockDelta): MessageStreamEvent {
  return { type: 'content_block_delta', index, delta }
}

function pushed(...events: (MessageStreamEvent | PingEvent)[]): MessageAccumulator {
  const accumulator = new MessageAccumulator()
  for (const event of events) accumulator.push(event)
  return accumulator
}

test('MessageAccumulator replaces counts by later totals, and ignores null', () => {
  const end = (usage: object): MessageStreamEvent => ({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 5, ...usage },
  })
  const { message } = pushed(
    start,
    end({ input_tokens: 11, cache_creation_input_tokens: null, server_tool_use: { web_search_requests: 1 } }),
    end({ output_tokens: 7, cache_read_input_tokens: 31, iterations: [], server_tool_use: null, new_tokens: 3 }),
  )
  assert.deepEqual(message?.usage, {
    input_tokens: 11,
    cache_creation_input_tokens: 20,
    cache_read_input_tokens: 31,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 0 },
    output_tokens: 7,
    server_tool_use: { web_search_requests: 1 },
    service_tier: 'standard',
    iterations: [],
    new_tokens: 3,
  })
  assert.equal(message?.stop_reason, 'end_turn')
})

test('MessageAccumulator keeps other fields of message_delta', () => {
  const event = { type: 'message_delta', context_management: { applied_edits: [] } } as unknown as MessageStreamEvent
  assert.deepEqual((pushed(start, event).message as { context_management?: unknown }).context_management, {
    applied_edits: [],
  })
})

test('MessageAccumulator marks a tool input cut by max_tokens, and keeps its text', () => {
  const { message } = pushed(
    start,
    open(0, text1),
    delta(0, { type: 'text_delta', text: 'Hello' }),
    { type: 'content_block_stop', index: 0 },
    open(1, tool),
    delta(1, { type: 'input_json_delta', partial_json: '{"a":"x","b":[1,2,{"c":tr' }),
    {
      type: 'message_delta',
      delta: { stop_reason: 'max_tokens', stop_sequence: null },
      usage: { output_tokens: 9 },
    },
    { type: 'message_stop' },
  )
  const [first, second] = message!.content
  assert.deepEqual(first, { type: 'text', text: 'Hello', citations: null })
  assert.ok(first && second)
  assert.equal(partialInput(first), undefined)
  assert.deepEqual((second as ToolUseBlock).input, { a: 'x', b: [1, 2, {}] })
  assert.equal(partialInput(second), '{"a":"x","b":[1,2,{"c":tr')
  assert.equal(partialInput({ ...second }), '{"a":"x","b":[1,2,{"c":tr', 'a copy lost the text')
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(second)) as object), ['type', 'id', 'name', 'input'])
})

test('MessageAccumulator marks a malformed tool input whose block ended', () => {
  const { message } = pushed(
    start,
    open(0, tool),
    delta(0, { type: 'input_json_delta', partial_json: '{"a":1 "b":2}' }),
    { type: 'content_block_stop', index: 0 },
    open(1, tool),
    delta(1, { type: 'input_json_delta', partial_json: '{"a":1}' }),
    { type: 'content_block_stop', index: 1 },
  )
  assert.equal(partialInput(message!.content[0]!), '{"a":1 "b":2}')
  assert.deepEqual(message!.content[1], { ...tool, input: { a: 1 } })
})

test('MessageAccumulator shows a tool input while it streams, and unmarks it when complete', () => {
  const accumulator = pushed(start, open(0, tool), delta(0, { type: 'input_json_delta', partial_json: '{"city":"Ky' }))
  const block = accumulator.message!.content[0] as ToolUseBlock
  assert.deepEqual([block.input, partialInput(block)], [{ city: 'Ky' }, '{"city":"Ky'])
  accumulator.push(delta(0, { type: 'input_json_delta', partial_json: 'oto"}' }))
  assert.deepEqual(accumulator.message!.content, [{ ...tool, input: { city: 'Kyoto' } }])
  accumulator.push({ type: 'content_block_stop', index: 0 })
  assert.deepEqual(accumulator.message!.content, [{ ...tool, input: { city: 'Kyoto' } }])
})

test('MessageAccumulator unmarks a tool input that was read only while streaming', () => {
  const accumulator = pushed(start, open(0, tool), delta(0, { type: 'input_json_delta', partial_json: '{"city":' }))
  assert.equal(partialInput(accumulator.message!.content[0]!), '{"city":')
  accumulator.push(delta(0, { type: 'input_json_delta', partial_json: '"Kyoto"}' }))
  accumulator.push({ type: 'content_block_stop', index: 0 })
  assert.deepEqual(accumulator.message!.content, [{ ...tool, input: { city: 'Kyoto' } }])
})

test('MessageAccumulator parses a tool input at the end, even if its block did not end', () => {
  const { message } = pushed(start, open(0, tool), delta(0, { type: 'input_json_delta', partial_json: '{"a":"\n"}' }), {
    type: 'message_stop',
  })
  assert.deepEqual((message!.content[0] as ToolUseBlock).input, { a: '\n' })
  assert.equal(partialInput(message!.content[0]!), '{"a":"\n"}')
})

test('MessageAccumulator keeps the input of content_block_start if all pieces are empty', () => {
  const began: ContentBlock = { ...tool, input: { whole: true } }
  const { message } = pushed(start, open(0, began), delta(0, { type: 'input_json_delta', partial_json: '' }), {
    type: 'message_stop',
  })
  assert.deepEqual(message!.content, [began])
})

test('MessageAccumulator ignores unknown events and deltas of another block type', () => {
  const { message } = pushed(
    { type: 'ping' },
    unlisted({ type: 'event_of_tomorrow' }),
    start,
    open(0, text1),
    delta(0, { type: 'thinking_delta', thinking: 'x' }),
    delta(0, { type: 'input_json_delta', partial_json: '{' }),
    delta(0, unlisted({ type: 'delta_of_tomorrow', text: 'x' })),
    delta(7, { type: 'text_delta', text: 'x' }),
    { type: 'content_block_stop', index: 7 },
    delta(0, { type: 'text_delta', text: 'Hello' }),
    open(1, unlisted({ type: 'block_of_tomorrow', data: [1] })),
    delta(1, { type: 'text_delta', text: 'x' }),
  )
  assert.deepEqual(message!.content, [
    { type: 'text', text: 'Hello', citations: null },
    { type: 'block_of_tomorrow', data: [1] },
  ])
})

test('MessageAccumulator follows the index of the events when a server skips one', () => {
  const { message } = pushed(
    start,
    open(1, text1),
    open(3, text1),
    delta(1, { type: 'text_delta', text: 'a' }),
    delta(3, { type: 'text_delta', text: 'b' }),
  )
  assert.deepEqual(
    message!.content.map((block) => (block as { text: string }).text),
    ['a', 'b'],
  )
})

test('MessageAccumulator accepts a message_start without content or usage', () => {
  const bare = { type: 'message_start', message: { id: 'msg_1', role: 'assistant' } } as unknown as MessageStreamEvent
  const { message } = pushed(bare, open(0, text1), delta(0, { type: 'text_delta', text: 'a' }), {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 2 },
  })
  assert.deepEqual(message?.usage, { output_tokens: 2 })
  assert.equal(message?.content.length, 1)
})

test('MessageAccumulator refuses a second message_start and events before the first', () => {
  assert.throws(() => pushed(start, start), {
    name: 'AnthropicError',
    message: 'Unexpected event order, got message_start before receiving "message_stop"',
  })
  for (const event of [
    open(0, text1),
    delta(0, { type: 'text_delta', text: 'x' }),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: null, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ] satisfies MessageStreamEvent[])
    assert.throws(() => pushed(event), { message: `Unexpected event order, got ${event.type} before "message_start"` })
})

test('accumulate() throws if the stream ends too early', async () => {
  await assert.rejects(accumulate([{ type: 'ping' }]), {
    message: 'Cannot read a message: the stream ended before message_start',
  })
  await assert.rejects(accumulate([start, open(0, text1)]), {
    message: 'Cannot read the whole message: the stream ended before message_stop',
  })
})

test('MessageAccumulator reads a megabyte of tool input, with a message after each piece', () => {
  const input = { code: 'line\n'.repeat(100_000), lines: Array.from({ length: 50_000 }, (_, index) => index) }
  const json = JSON.stringify(input)
  const accumulator = pushed(start, open(0, tool))
  for (let at = 0; at < json.length; at += 20) {
    accumulator.push(delta(0, { type: 'input_json_delta', partial_json: json.slice(at, at + 20) }))
    assert.ok(accumulator.message)
  }
  accumulator.push({ type: 'content_block_stop', index: 0 })
  assert.deepEqual(accumulator.message!.content, [{ ...tool, input }])
})

/** A block of each type that has fields to fill: how it begins, its deltas, and what it is when the start has none. */
const startFields: { start: { type: string; [field: string]: unknown }; deltas: ContentBlockDelta[] }[] = [
  { start: { type: 'text', text: '' }, deltas: [{ type: 'text_delta', text: 'Hello' }] },
  {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [{ type: 'thinking_delta', thinking: 'Hm' }],
  },
  { start: { type: 'redacted_thinking', data: '' }, deltas: [] },
  {
    start: { type: 'tool_use', id: 't', name: 'n', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: '{"q":1}' }],
  },
  {
    start: { type: 'server_tool_use', id: 't', name: 'n', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: '{"q":1}' }],
  },
  {
    start: { type: 'mcp_tool_use', id: 't', name: 'n', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: '{"q":1}' }],
  },
  { start: { type: 'compaction', content: null }, deltas: [{ type: 'compaction_delta', content: 'summary' }] },
]

test('MessageAccumulator reads a block that began without a field as if it were empty', () => {
  for (const { start: block, deltas } of startFields) {
    const read = (began: object, pieces: readonly ContentBlockDelta[]): Message =>
      pushed(start, open(0, began as ContentBlock), ...pieces.map((piece) => delta(0, piece)), { type: 'message_stop' })
        .message!
    for (const field of Object.keys(block).filter((name) => !['type', 'id', 'name'].includes(name))) {
      const { [field]: _, ...without } = block
      for (const pieces of [deltas, []])
        for (const began of [without, { ...block, [field]: null }])
          assert.deepEqual(read(began, pieces), read(block, pieces), `${block.type} without ${field}`)
    }
  }
})

test('MessageAccumulator reads a message that began without a field as if it were empty', () => {
  for (const field of ['type', 'role', 'content', 'stop_reason', 'stop_sequence', 'usage'] as const) {
    const began: Message = start.type === 'message_start' ? start.message : assert.fail()
    const whole: object = { ...began, usage: {} }
    const without = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== field))
    for (const message of [without, { ...whole, [field]: null }])
      assert.deepEqual(pushed({ type: 'message_start', message } as MessageStreamEvent).message, whole, field)
  }
})

test('MessageAccumulator names the field of a malformed event', () => {
  const malformed: [object, RegExp][] = [
    [{ type: 'message_start' }, /^Cannot read message_start: its message is not an object: found nothing$/],
    [{ type: 'message_start', message: { content: 'x' } }, /its message.content is not a list: found "x"$/],
    [{ type: 'content_block_start', index: 0 }, /its content_block is not an object: found nothing$/],
    [{ type: 'content_block_start', index: 0, content_block: {} }, /its content_block.type is not a string/],
    [{ type: 'content_block_start', content_block: text1 }, /its index is not a whole number: found nothing$/],
    [
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 5 } },
      /content_block.text is not a string: found 5$/,
    ],
    [{ type: 'content_block_delta', index: 1 }, /its delta is not an object with a type: found nothing$/],
    [
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta' } },
      /its delta.text is not a string: found nothing$/,
    ],
    [{ type: 'content_block_stop', index: '1' }, /its index is not a whole number: found "1"$/],
    [{ type: 'message_delta', delta: 'x' }, /its delta is not an object: found "x"$/],
    [{ type: 'message_delta', usage: [1] }, /its usage is not an object: found \[1\]$/],
  ]
  for (const [event, message] of malformed) {
    const before = (event as MessageStreamEvent).type === 'message_start' ? [] : [start, open(1, text1)]
    assert.throws(() => pushed(...before, event as MessageStreamEvent), { name: 'AnthropicError', message })
  }
})

test('MessageAccumulator gives the model that took the reply over', () => {
  const fallback = { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } } as const
  assert.equal(pushed(start, open(0, fallback), open(1, text1)).message?.model, 'b')
})
