import type { ClientOptions } from '@anthropic-ai/sdk'
import {
  close,
  delta,
  failure,
  finish,
  frame,
  hello,
  helloStream,
  open,
  ping,
  requestId,
  sse,
  start,
  stop,
  streamOf,
  text,
  toolUse,
} from '../fixtures.ts'
import type { Difference, Scenario } from '../scenario.ts'
import { iterates } from './streams.ts'

const overloaded =
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_body"}\n\n'
const begun = [start(), ...text(0, 'a').slice(0, 2)]
const streamError = { name: 'APIStreamError', requestID: requestId }

function brokeOff(at: string, official: unknown, name = 'early-end'): Difference {
  return { name, at, official, ours: streamError }
}

/** Streams that fail after they began. */
export const brokenStreams: Scenario[] = [
  iterates(
    'an error in the middle of a stream',
    [...begun, overloaded],
    [brokeOff('returned.3', { name: 'APIError', type: 'overloaded_error', requestID: requestId }, 'stream-errors')],
  ),
  iterates(
    'an error that is no JSON',
    [...begun, 'event: error\ndata: gone wrong\n\n'],
    [brokeOff('returned.3', { name: 'APIError', type: null, error: 'gone wrong' }, 'stream-errors')],
  ),
  iterates(
    'an error event without data',
    [...begun, 'event: error\n\n', close(0), finish(), stop],
    [
      { name: 'empty-events', at: 'returned.3', official: { name: 'APIError' }, ours: close(0) },
      { name: 'empty-events', at: 'returned.4', ours: finish() },
      { name: 'empty-events', at: 'returned.5', ours: stop },
      { name: 'empty-events', at: 'returned.6', ours: 'the end' },
      { name: 'empty-events', at: 'requests.0.abandoned', official: true },
    ],
  ),
  iterates('a clean end before message_stop', helloStream.slice(0, 4), [brokeOff('returned.4', 'the end')]),
  iterates('a clean end after message_delta', helloStream.slice(0, -1), [brokeOff('returned.6', 'the end')]),
  iterates(
    'an end in the middle of a line',
    [...helloStream.slice(0, 3), frame(helloStream[3]!).slice(0, 40)],
    [brokeOff('returned.3', 'the end')],
  ),
  iterates(
    'an end without the last blank line',
    [...helloStream.slice(0, -1), frame(stop).trimEnd()],
    [brokeOff('returned.6', 'the end')],
  ),
  {
    ...iterates(
      'a reset in the middle',
      [],
      [brokeOff('returned.3', { name: 'TypeError', message: 'terminated' }, 'stream-errors')],
    ),
    replies: [sse([...helloStream.slice(0, 3), 30], { end: 'reset' })],
  },
  iterates('no event at all', [], [brokeOff('returned.0', 'the end')]),
  iterates('only a ping', [ping], [brokeOff('returned.0', 'the end')]),
  iterates(
    'JSON that is cut',
    [start(), 'event: content_block_start\ndata: {"type":"content_block_start","index"\n\n'],
    [brokeOff('returned.1', { name: 'SyntaxError' }, 'stream-errors')],
  ),
  iterates(
    'events without an event line',
    helloStream.map((event) => `data: ${JSON.stringify(event)}\n\n`),
    [
      { name: 'unnamed-events', at: 'returned.0', official: 'the end', ours: { type: 'message_start' } },
      ...[1, 2, 3, 4, 5, 6].map((index) => ({
        name: 'unnamed-events',
        at: `returned.${index}`,
        ours: { type: helloStream[index]!.type },
      })),
      { name: 'unnamed-events', at: 'returned.7', ours: 'the end' },
    ],
  ),
  iterates('[DONE] at the end, as another API says', [...helloStream, 'data: [DONE]\n\n']),
  iterates(
    'events after message_stop',
    [...helloStream, ping, open(1, { type: 'text', text: '' })],
    [
      { name: 'over-at-message-stop', at: 'returned.7', official: { type: 'content_block_start' }, ours: 'the end' },
      { name: 'over-at-message-stop', at: 'returned.8', official: 'the end' },
    ],
  ),
  {
    name: 'message_stop while the connection stays open',
    replies: [sse(helloStream, { end: 'hold' })],
    hangsMs: 1000,
    run: async ({ client }) => (await client.messages.stream(hello).finalMessage()).stop_reason,
    differs: [
      { name: 'over-at-message-stop', at: 'pending', official: true },
      { name: 'over-at-message-stop', at: 'returned', ours: 'end_turn' },
    ],
  },
  {
    name: 'a stream answered with JSON',
    replies: [{ headers: { 'content-type': 'application/json' }, body: ['{"id":"msg_1","type":"message"}'] }],
    options: { maxRetries: 0 },
    run: async ({ client }) => Array.fromAsync(await client.messages.create({ ...hello, stream: true })),
    differs: [
      { name: 'early-end', at: 'returned', official: [] },
      { name: 'early-end', at: 'threw', ours: { name: 'APIResponseError', status: 200 } },
    ],
  },
  {
    name: 'an error as the first event is retried',
    replies: [sse([ping, overloaded]), sse(helloStream)],
    hurried: true,
    run: ({ client }) => client.messages.stream(hello).finalText(),
    differs: [
      { name: 'retried-before-first-event', at: 'threw', official: { name: 'APIError', type: 'overloaded_error' } },
      { name: 'retried-before-first-event', at: 'returned', ours: 'Hello there' },
      { name: 'retried-before-first-event', at: 'requests.1', ours: { path: '/v1/messages' } },
      { name: 'retried-before-first-event', at: 'waits', official: [], ours: [440] },
    ],
  },
  {
    name: 'an error after the first event is never retried',
    replies: [sse([...begun, overloaded]), sse(helloStream)],
    run: async ({ client }) =>
      (await client.messages
        .stream(hello)
        .finalMessage()
        .catch((error: Error) => error)) instanceof Error,
  },
  {
    name: 'a stream that falls silent',
    replies: [sse(begun, { end: 'hold' })],
    options: { idleTimeout: 100 } as ClientOptions,
    hangsMs: 1000,
    run: ({ client }) => client.messages.stream(hello).finalMessage(),
    differs: [
      { name: 'idle-timeout', at: 'pending', official: true },
      { name: 'idle-timeout', at: 'threw', ours: streamError },
      { name: 'idle-timeout', at: 'requests.0.abandoned', ours: true },
    ],
  },
  {
    name: 'abort() of a raw stream while it is looped over',
    replies: [sse(begun, { end: 'hold' })],
    async run({ client }) {
      const seen: unknown[] = []
      const stream = await client.messages.create({ ...hello, stream: true })
      try {
        for await (const { type } of stream) {
          seen.push(type)
          if (type === 'content_block_delta') stream.controller.abort()
        }
        seen.push('the end')
      } catch (error) {
        seen.push(error)
      }
      return seen
    },
    differs: [{ name: 'aborted-loop', at: 'returned.3', official: 'the end', ours: { name: 'APIUserAbortError' } }],
  },
  {
    name: 'abort() of a raw stream while it is looped over, with abortedLoops',
    // The official client ignores the option.
    options: { abortedLoops: 'end' } as object,
    replies: [sse(begun, { end: 'hold' })],
    async run({ client }) {
      const seen: unknown[] = []
      const stream = await client.messages.create({ ...hello, stream: true })
      try {
        for await (const { type } of stream) {
          seen.push(type)
          if (type === 'content_block_delta') stream.controller.abort()
        }
        seen.push('the end')
      } catch (error) {
        seen.push(error)
      }
      return seen
    },
  },
  {
    name: 'abort() of a message stream without an await',
    replies: [sse(begun, { end: 'hold' })],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      await new Promise<void>((resolve) => stream.once('text', () => resolve()))
      stream.abort()
      await new Promise((resolve) => stream.once('end', () => setImmediate(resolve)))
    },
    differs: [{ name: 'unhandled-aborts', at: 'unhandled', official: [{ name: 'APIUserAbortError' }], ours: [] }],
  },
  helper(
    'an error in the middle of a message stream',
    [...begun, overloaded],
    [brokeOff('threw', { name: 'APIError', type: 'overloaded_error' }, 'stream-errors')],
  ),
  helper('a message stream that ends before message_stop', helloStream.slice(0, 4), [
    brokeOff('threw', {
      name: 'AnthropicError',
      message: 'stream ended without producing a Message with role=assistant',
    }),
  ]),
  helper(
    'a message stream without any event',
    [],
    [brokeOff('threw', { message: 'request ended without sending any chunks' })],
  ),
  helper(
    'a second message_start',
    [start(), start(), ...helloStream.slice(1)],
    [
      { name: 'repeated-start', at: 'threw', official: { name: 'AnthropicError' } },
      { name: 'repeated-start', at: 'requests.0.abandoned', official: true },
      { name: 'repeated-start', at: 'returned', ours: [{ type: 'text', text: 'Hello there' }] },
    ],
  ),
  helper(
    'events before message_start',
    [close(0), ...helloStream],
    [
      { name: 'event-order', at: 'returned', official: [{ type: 'text', text: 'Hello there' }] },
      { name: 'event-order', at: 'threw', ours: { name: 'APIStreamError' } },
      { name: 'event-order', at: 'requests.0.abandoned', ours: true },
    ],
  ),
  helper(
    'a delta for a block that is not there',
    [start(), delta(3, { type: 'text_delta', text: 'x' }), ...helloStream.slice(1)],
    [
      { name: 'odd-blocks', at: 'threw', official: { name: 'AnthropicError' } },
      { name: 'odd-blocks', at: 'requests.0.abandoned', official: true },
      { name: 'odd-blocks', at: 'returned', ours: [{ type: 'text', text: 'Hello there' }] },
    ],
  ),
  helper('a delta of another kind than its block', [
    start(),
    open(0, { type: 'text', text: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'x' }),
    delta(0, { type: 'input_json_delta', partial_json: '{' }),
    delta(0, { type: 'text_delta', text: 'y' }),
    close(0),
    finish(),
    stop,
  ]),
  helper(
    'a tool call that max_tokens cut off',
    [
      start(),
      open(0, { type: 'tool_use', id: 'toolu_0', name: 'write', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"done": 1, "text": "Once up' }),
      finish('max_tokens'),
      stop,
    ],
    [{ name: 'partial-strings', at: 'returned.0.input', official: { done: 1 }, ours: { done: 1, text: 'Once up' } }],
  ),
  helper('tool input that is no JSON', streamOf(text(0, 'kept'), toolUse(1, 'f', '{"a": nope}')), [
    { name: 'odd-blocks', at: 'threw', official: { name: 'AnthropicError' } },
    { name: 'odd-blocks', at: 'requests.0.abandoned', official: true },
    {
      name: 'odd-blocks',
      at: 'returned',
      ours: [
        { type: 'text', text: 'kept' },
        { type: 'tool_use', input: {} },
      ],
    },
  ]),
  helper('a block and a delta that nobody knows yet', [
    start(),
    open(0, { type: 'hologram', frames: [] }),
    delta(0, { type: 'frame_delta', frame: 1 }),
    close(0),
    ...text(1, 'a'),
    finish(),
    stop,
  ]),
  {
    name: 'an error response before a stream begins is reported once',
    replies: [failure(400, 'invalid_request_error', 'No')],
    async run({ client }) {
      const told: string[] = []
      const stream = client.messages.stream(hello).on('error', (error) => told.push(error.name))
      const error = await stream.finalMessage().catch((error: Error) => error)
      return [told, error === (await stream.done().catch((error: Error) => error))]
    },
  },
]

function helper(name: string, pieces: Parameters<typeof sse>[0], differs: readonly Difference[] = []): Scenario {
  return {
    name,
    replies: [sse(pieces)],
    options: { maxRetries: 0 },
    run: async ({ client }) => (await client.messages.stream(hello).finalMessage()).content,
    differs,
  }
}
