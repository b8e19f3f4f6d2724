import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import { EventChecker } from './event-checker.ts'

const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1 } }
const citation = { type: 'char_location', cited_text: 'x' }
const blocks = [
  { start: { type: 'text', text: '', citations: null }, deltas: [{ type: 'text_delta', text: 'a' }] },
  { start: { type: 'text', text: '' }, deltas: [{ type: 'citations_delta', citation }] },
  {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      { type: 'thinking_delta', thinking: 'a' },
      { type: 'signature_delta', signature: 'a' },
    ],
  },
  { start: { type: 'redacted_thinking', data: 'a' }, deltas: [] },
  {
    start: { type: 'tool_use', id: 't', name: 'n', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: '{}' }],
  },
  { start: { type: 'compaction', content: null }, deltas: [{ type: 'compaction_delta', content: 'a' }] },
  { start: { type: 'block_of_tomorrow', data: [1] }, deltas: [{ type: 'delta_of_tomorrow' }] },
]
const events: object[] = [
  { type: 'message_start', message },
  ...blocks.flatMap(({ start, deltas }, index) => [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]),
  { type: 'ping' },
  { type: 'event_of_tomorrow' },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
]

/** Copies of the value with one field, at any depth, left out or replaced. */
function* changesOf(value: unknown): Generator {
  if (typeof value !== 'object' || value === null) return
  for (const [key, field] of Object.entries(value)) {
    const change = (replacement: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), replacement) : { ...value, [key]: replacement }
    for (const replacement of [undefined, null, 7, 'text', [], {}]) yield change(replacement)
    for (const inner of changesOf(field)) yield change(inner)
  }
}

/** The error of the first event that is refused, and whether the message was complete. */
function outcome(collector: MessageAccumulator | EventChecker, sent: readonly object[]): unknown {
  try {
    for (const event of sent) collector.push(event as MessageStreamEvent)
    return collector.isWhole
  } catch (error) {
    return (error as Error).message
  }
}

test('an event checker refuses the events that an accumulator refuses, with its errors', () => {
  const sequences = [
    events,
    events.toSpliced(0, 1),
    [events[0]!, ...events],
    events.slice(0, -1),
    ...events.flatMap((event, index) =>
      Array.from(changesOf(event), (changed) => events.with(index, changed as object)),
    ),
  ]
  for (const sent of sequences)
    assert.equal(outcome(new EventChecker(), sent), outcome(new MessageAccumulator(), sent), JSON.stringify(sent))
})
