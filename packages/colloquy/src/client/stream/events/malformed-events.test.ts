import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampled } from '../../../../../../test/sampled.ts'
import { Anthropic } from '../../client.ts'
import type { MessageStreamEvents } from '../listeners.ts'
import { MessageStream } from '../message-stream.ts'

interface AnyEvent {
  type: string
  [field: string]: unknown
}

const citation = { type: 'char_location', cited_text: 'x', document_index: 0, start_char_index: 0, end_char_index: 1 }

const started: AnyEvent = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-6',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
}

/** One block of each kind, with a delta of each kind that it takes. */
const blocks: { start: AnyEvent; deltas: AnyEvent[] }[] = [
  {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      { type: 'thinking_delta', thinking: 'Hm' },
      { type: 'signature_delta', signature: 'sig' },
    ],
  },
  { start: { type: 'redacted_thinking', data: 'opaque' }, deltas: [] },
  {
    start: { type: 'text', text: '', citations: null },
    deltas: [
      { type: 'text_delta', text: 'Hello' },
      { type: 'citations_delta', citation },
    ],
  },
  { start: { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } }, deltas: [] },
  {
    start: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: '{"query":"x"}' }],
  },
  { start: { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }, deltas: [] },
  { start: { type: 'container_upload', file_id: 'file_1' }, deltas: [] },
  { start: { type: 'compaction', content: null }, deltas: [{ type: 'compaction_delta', content: 'summary' }] },
  { start: { type: 'block_of_tomorrow', data: [1] }, deltas: [{ type: 'delta_of_tomorrow' }] },
  {
    start: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
    deltas: [
      { type: 'input_json_delta', partial_json: '{"city":' },
      { type: 'input_json_delta', partial_json: '"Paris"}' },
    ],
  },
]

const ended: AnyEvent[] = [
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
]

const events: AnyEvent[] = [
  started,
  ...blocks.flatMap(({ start, deltas }, index) => [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]),
  ...ended,
]

const params = { model: 'm', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }

function clientOf(sent: readonly unknown[]): Anthropic {
  const lines = sent.map((event, index) => `event: ${events[index]!.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const fetch = (): Response =>
    new Response(lines.join(''), { headers: { 'content-type': 'text/event-stream', 'request-id': 'req_1' } })
  return new Anthropic({ fetch, baseURL: 'http://api.test', apiKey: 'key', maxRetries: 0, maxRetryDelay: 1 })
}

const names: (keyof MessageStreamEvents)[] = [
  ...(['connect', 'streamEvent', 'text', 'citation', 'inputJson', 'thinking', 'signature'] as const),
  ...(['contentBlock', 'message', 'finalMessage', 'error', 'abort', 'end'] as const),
]

/** Every way of reading a stream. Each gives the message, or rejects. */
const ways: Record<string, (sent: readonly unknown[]) => Promise<unknown>> = {
  'create({ stream: true })': async (sent) =>
    Array.fromAsync(await clientOf(sent).messages.create({ ...params, stream: true })),
  'stream()': (sent) => clientOf(sent).messages.stream(params).finalMessage(),
  'stream() with listeners': (sent) => {
    const stream = clientOf(sent).messages.stream(params)
    for (const name of names)
      stream.on(name, (...args: unknown[]) => assert.doesNotMatch(JSON.stringify(args), /"[^"]*undefined/))
    return stream.finalMessage()
  },
  recover: (sent) =>
    clientOf(sent)
      .messages.stream(params, { recover: { attempts: 1 } })
      .finalMessage(),
  'a long create()': (sent) => clientOf(sent).messages.create({ ...params, max_tokens: 64_000 }),
  'fromReadableStream()': (sent) => {
    const lines = sent.map((event) => `${JSON.stringify(event)}\n`).join('')
    return MessageStream.fromReadableStream(new Response(lines).body!).finalMessage()
  },
}

/** Copies of the value with one field, at any depth, left out or replaced. */
function* mutations(value: unknown, path = ''): Generator<{ path: string; changed: unknown }> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, field] of Object.entries(value)) {
    const change = (replacement: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), replacement) : { ...value, [key]: replacement }
    for (const replacement of [undefined, null, 0, 7, '', 'text', true, [], [null], {}])
      yield { path: `${path}.${key} = ${JSON.stringify(replacement)}`, changed: change(replacement) }
    for (const { path: inner, changed } of mutations(field, `${path}.${key}`))
      yield { path: inner, changed: change(changed) }
  }
}

function checkError(error: unknown, name: string): void {
  assert.ok(error instanceof Anthropic.APIStreamError, `${name}: ${String(error)}`)
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    assert.ok(!(cause instanceof TypeError), `${name}: ${cause.stack}`)
}

const cases = events.flatMap((event, index) => [
  ...Array.from(mutations(event), ({ path, changed }) => ({ index, name: `${event.type}${path}`, changed })),
  ...[null, 5, 'text', [], {}].map((changed) => ({
    index,
    name: `${event.type} = ${JSON.stringify(changed)}`,
    changed,
  })),
])

for (const [way, read] of Object.entries(ways)) {
  test(`${way} gives a message or an APIStreamError for any malformed event`, async () => {
    for (const { index, name, changed } of sampled(cases, 4)) {
      const sent: unknown[] = events.with(index, changed as AnyEvent)
      const result = await read(sent).then(JSON.stringify, (error: unknown) => {
        checkError(error, name)
        return ''
      })
      assert.doesNotMatch(result, /undefined|\[object/, name)
    }
  })
}
