import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import {
  close,
  delta,
  finish,
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
import { ownError, type Context, type Scenario } from '../scenario.ts'

/** The events of a stream outside the betas. */
export const eventNames = [
  'connect',
  'streamEvent',
  'text',
  'citation',
  'inputJson',
  'thinking',
  'signature',
  'contentBlock',
  'message',
  'finalMessage',
  'error',
  'abort',
  'end',
] as const

/** Records every call of every listener in order, with a copy of its arguments. */
export function listen(stream: MessageStream): unknown[] {
  const calls: unknown[] = []
  for (const name of eventNames) {
    stream.on(name, (...given: unknown[]) => {
      calls.push([name, ...given.map((value) => (value instanceof Error ? value : structuredClone(value)))])
    })
  }
  return calls
}

async function heard({ client }: Context): Promise<unknown> {
  const stream = client.messages.stream(hello)
  const calls = listen(stream)
  await stream.done().catch(() => {})
  return calls
}

/** `messages.stream()`: the events for its listeners, and the values of its promises. */
export const messageStreams: Scenario[] = [
  { name: 'text, event by event', replies: [sse(helloStream)], run: heard },
  beginsWithout('text', { type: 'text' }, { type: 'text_delta', text: 'Hi' }),
  beginsWithout('text, which is null', { type: 'text', text: null }, { type: 'text_delta', text: 'Hi' }),
  beginsWithout(
    'input',
    { type: 'tool_use', id: 't', name: 'n' },
    { type: 'input_json_delta', partial_json: '{"q":"x"}' },
  ),
  beginsWithout(
    'server input',
    { type: 'server_tool_use', id: 's', name: 'n' },
    { type: 'input_json_delta', partial_json: '{"q":1}' },
  ),
  {
    ...beginsWithout('thinking', { type: 'thinking' }, { type: 'thinking_delta', thinking: 'Hm' }),
    differs: [
      { name: 'missing-fields', at: 'returned.0.thinking', official: 'undefinedHm', ours: 'Hm' },
      { name: 'missing-fields', at: 'returned.0.signature', ours: '' },
    ],
  },
  {
    ...beginsWithout('input, and no delta', { type: 'tool_use', id: 't', name: 'n' }),
    differs: [{ name: 'missing-fields', at: 'returned.0.input', ours: {} }],
  },
  {
    ...beginsWithout('text, nor its delta', { type: 'text', text: '' }, { type: 'text_delta', text: null }),
    differs: [{ name: 'missing-fields', at: 'returned.0.text', official: 'null', ours: '' }],
  },
  {
    name: 'two blocks of text without the block between them',
    replies: [sse(streamOf(text(0, 'a'), text(2, 'b', 'c')))],
    async run({ client }) {
      const texts: unknown[] = []
      const blocks: unknown[] = []
      const stream = client.messages.stream(hello)
      stream.on('text', (_, snapshot) => texts.push(snapshot))
      stream.on('contentBlock', (block) => blocks.push(structuredClone(block)))
      return { texts, blocks, text: await stream.finalText() }
    },
    differs: [
      { name: 'odd-indexes', at: 'returned.texts', official: ['a', '', ''], ours: ['a', 'b', 'bc'] },
      { name: 'odd-indexes', at: 'returned.blocks.1.text', official: '', ours: 'bc' },
      { name: 'odd-indexes', at: 'returned.text', official: 'a ', ours: 'a bc' },
    ],
  },
  {
    name: 'a listener that throws',
    replies: [sse(helloStream)],
    async run({ client }) {
      const heard: unknown[] = []
      const thrown = new TypeError('mine')
      const stream = client.messages.stream(hello)
      stream.on('text', () => {
        throw thrown
      })
      stream.on('error', (error) => heard.push(error, error.cause === thrown))
      return [await stream.finalMessage().catch((error: unknown) => error), heard, stream.errored]
    },
  },
  {
    name: 'a reply that another model took over',
    replies: [
      sse([
        start(),
        open(0, { type: 'fallback', from: { model: 'claude-fable-5' }, to: { model: 'claude-opus-4-8' } }),
        close(0),
        ...text(1, 'Hi'),
        finish(),
        stop,
      ]),
    ],
    run: async ({ client }) => (await client.beta.messages.stream(hello).finalMessage()).model,
  },
  {
    name: 'pings without a listener',
    replies: [sse([start(), ping, ...text(0, 'a'), ping, finish(), stop])],
    run: heard,
  },
  { name: 'two blocks of text', replies: [sse(streamOf(text(0, 'One.'), text(1, 'Two.')))], run: heard },
  {
    name: 'thinking and its signature',
    replies: [
      sse([
        start(),
        open(0, { type: 'thinking', thinking: '', signature: '' }),
        delta(0, { type: 'thinking_delta', thinking: 'H' }),
        delta(0, { type: 'thinking_delta', thinking: 'm.' }),
        delta(0, { type: 'signature_delta', signature: 'EqQB' }),
        close(0),
        ...text(1, 'So.'),
        finish(),
        stop,
      ]),
    ],
    run: heard,
  },
  {
    name: 'a tool call, its input growing',
    replies: [sse(streamOf(toolUse(0, 'f', '{"a', '": "x', 'y", "b": [1', ', 2], "c": tr', 'ue}')))],
    run: heard,
    differs: [
      { name: 'partial-strings', at: 'returned.7.2.content.0.input', official: {}, ours: { a: 'x' } },
      { name: 'partial-strings', at: 'returned.8.2', official: {}, ours: { a: 'x' } },
    ],
  },
  { name: 'a tool call without input', replies: [sse(streamOf(toolUse(0, 'now')))], run: heard },
  {
    name: 'citations',
    replies: [
      sse([
        start(),
        open(0, { type: 'text', text: '' }),
        delta(0, { type: 'text_delta', text: 'it is' }),
        ...[1, 2].map((index) =>
          delta(0, {
            type: 'citations_delta',
            citation: {
              type: 'web_search_result_location',
              cited_text: `${index}`,
              url: 'u',
              title: 't',
              encrypted_index: 'e',
            },
          }),
        ),
        close(0),
        finish(),
        stop,
      ]),
    ],
    run: heard,
  },
  {
    name: 'a server tool and its result',
    replies: [
      sse([
        start(),
        open(0, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }),
        delta(0, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
        close(0),
        open(1, { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }),
        close(1),
        finish(),
        stop,
      ]),
    ],
    run: heard,
  },
  {
    name: 'usage, replaced and never added',
    replies: [
      sse([
        start(),
        ...text(0, 'a'),
        finish(null, { usage: { output_tokens: 3, input_tokens: null } }),
        finish('end_turn', {
          delta: { container: { id: 'container_1', expires_at: 'x', skills: null } },
          usage: {
            output_tokens: 7,
            input_tokens: 10682,
            cache_creation_input_tokens: 5,
            cache_read_input_tokens: 6,
            server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
            output_tokens_details: { thinking_tokens: 2 },
          },
        }),
        stop,
      ]),
    ],
    run: ({ client }) => client.messages.stream(hello).finalMessage(),
    differs: [{ name: 'request-ids', at: 'returned._request_id', ours: requestId }],
  },
  {
    name: 'finalMessage(), finalText() and the request id',
    replies: [sse(streamOf(text(0, 'One.'), toolUse(1, 'f', '{"a":1}'), text(2, 'Two.')))],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      return [
        await stream.finalMessage(),
        await stream.finalText(),
        stream.request_id,
        stream.ended,
        stream.errored,
        stream.aborted,
      ]
    },
    differs: [{ name: 'request-ids', at: 'returned.0._request_id', ours: requestId }],
  },
  {
    name: 'finalText() of a reply without text',
    replies: [sse(streamOf(toolUse(0, 'f', '{}')))],
    run: ({ client }) => client.messages.stream(hello).finalText(),
    differs: [ownError('threw', { message: 'stream ended without producing a content block with type=text' })],
  },
  {
    name: 'its events in a loop, with the snapshot',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const seen: unknown[] = []
      for await (const event of stream) seen.push(event.type)
      return [seen, await stream.finalMessage(), stream.messages, stream.receivedMessages.length]
    },
    differs: [1, '2.1'].map((index) => ({ name: 'request-ids', at: `returned.${index}._request_id`, ours: requestId })),
  },
  {
    name: 'currentMessage while it grows, and afterwards',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const seen: unknown[] = [stream.currentMessage]
      for await (const _ of stream) seen.push(structuredClone(stream.currentMessage?.content))
      return [seen, stream.currentMessage]
    },
  },
  {
    name: 'on() twice, off() once, once() once',
    replies: [sse(helloStream)],
    async run({ client }) {
      const seen: string[] = []
      const twice = (text: string): number => seen.push(`on ${text}`)
      const stream = client.messages
        .stream(hello)
        .on('text', twice)
        .on('text', twice)
        .off('text', twice)
        .once('text', (text) => seen.push(`once ${text}`))
      await stream.done()
      return seen
    },
  },
  {
    name: 'emitted() waits for the next event',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const [text] = [await stream.emitted('text')].flat()
      return [text, (await stream.emitted('message')).stop_reason, await stream.done()]
    },
  },
  {
    name: 'emitted() of an event with two values',
    replies: [sse(helloStream)],
    run: ({ client }) => client.messages.stream(hello).emitted('text'),
    differs: [{ name: 'emitted-values', at: 'returned', official: 'Hello', ours: ['Hello', 'Hello'] }],
  },
  {
    name: 'a loop over a stream that has ended',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      await stream.done()
      return Promise.race([Array.fromAsync(stream), new Promise((resolve) => setImmediate(resolve, 'pending'))])
    },
    differs: [{ name: 'late-loops', at: 'returned', official: 'pending', ours: [] }],
  },
  {
    name: 'emitted() of an aborted stream',
    replies: [sse([start(), 3_000])],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const seen: string[] = []
      for (const event of ['text', 'end', 'abort'] as const) {
        stream.emitted(event).then(
          () => seen.push(event),
          () => seen.push(`no ${event}`),
        )
      }
      stream.once('streamEvent', () => stream.abort())
      await stream.done().catch(() => {})
      await new Promise(setImmediate)
      return seen.toSorted()
    },
    differs: [
      { name: 'emitted-aborts', at: 'returned', official: ['abort', 'end'], ours: ['abort', 'end', 'no text'] },
    ],
  },
  {
    name: 'a listener added after the reply has arrived',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      await stream.withResponse()
      await sleep(500)
      const seen: string[] = []
      stream.on('text', (text) => seen.push(text))
      return [seen, await stream.finalText()]
    },
    differs: [{ name: 'late-listeners', at: 'returned.0', official: [], ours: ['Hello', ' there'] }],
  },
  {
    name: 'a listener added after the end gets no events',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      await stream.done()
      const seen: string[] = []
      stream.on('text', (text) => seen.push(text))
      return [seen, await stream.finalText()]
    },
  },
  {
    name: 'withResponse() while it streams',
    replies: [sse(helloStream, { headers: { 'anthropic-workspace-id': 'wrkspc_1' } })],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const { data, response, request_id, workspace_id } = await stream.withResponse()
      return [data === stream, response.status, request_id, workspace_id, stream.workspace_id, await data.finalText()]
    },
  },
  {
    name: 'break in the loop aborts the stream',
    replies: [sse([...helloStream.slice(0, 3), ...Array<number>(200).fill(10)])],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      for await (const _ of stream) break
      return stream.controller.signal.aborted
    },
  },
  {
    name: 'toReadableStream() and back',
    replies: [sse(streamOf(text(0, 'One', '.'), toolUse(1, 'f', '{"a":', '1}')))],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const { fromReadableStream } = stream.constructor as typeof MessageStream
      const back = fromReadableStream(stream.toReadableStream())
      const calls = listen(back)
      return [await back.finalMessage(), calls]
    },
  },
  {
    name: 'the stream helper is named in a header',
    replies: [sse(helloStream)],
    run: ({ client }) => client.messages.stream(hello, { headers: { 'x-mine': '1' } }).finalText(),
  },
  {
    name: 'an error before the stream begins',
    replies: [
      {
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: ['{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'],
      },
    ],
    run: heard,
  },
  {
    name: 'an error before the stream begins, for each promise',
    replies: [
      {
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: ['{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'],
      },
    ],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const all = await Promise.allSettled([
        stream.finalMessage(),
        stream.finalText(),
        stream.done(),
        stream.emitted('text'),
        stream.withResponse(),
      ])
      return [all, stream.errored, stream.ended, stream.aborted]
    },
  },
]

/** A stream with one block, whose start lacks a field. */
function beginsWithout(field: string, block: Record<string, unknown>, piece?: Record<string, unknown>): Scenario {
  return {
    name: `a block that begins without ${field}`,
    replies: [sse([start(), open(0, block), ...(piece ? [delta(0, piece)] : []), close(0), finish(), stop])],
    run: async ({ client }) => (await client.messages.stream(hello).finalMessage()).content,
  }
}
