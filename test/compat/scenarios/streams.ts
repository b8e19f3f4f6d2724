import { setTimeout as sleep } from 'node:timers/promises'
import {
  close,
  delta,
  finish,
  frame,
  hello,
  helloStream,
  open,
  ping,
  sse,
  start,
  stop,
  streamOf,
  text,
  toolUse,
  type Event,
} from '../fixtures.ts'
import { ownError, type Context, type Difference, type Scenario } from '../scenario.ts'

/** Collects everything that `create({ stream: true })` yields, and how it ends. */
async function collect({ client }: Context): Promise<unknown[]> {
  const seen: unknown[] = []
  try {
    for await (const event of await client.messages.create({ ...hello, stream: true })) seen.push(event)
    seen.push('the end')
  } catch (error) {
    seen.push(error)
  }
  return seen
}

/** `create({ stream: true })`: every event, every delta, and unusual bytes. */
export const streams: Scenario[] = [
  iterates('text', helloStream),
  iterates('pings, which are not handed out', [start(), ping, ...text(0, 'Hi'), ping, finish(), ping, stop]),
  iterates('two blocks of text', streamOf(text(0, 'One.'), text(1, 'Two.'))),
  iterates('thinking with its signature', [
    start(),
    open(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
    delta(0, { type: 'thinking_delta', thinking: '.', estimated_tokens: 3 }),
    delta(0, { type: 'signature_delta', signature: 'EqQB' }),
    close(0),
    ...text(1, 'So.'),
    finish(),
    stop,
  ]),
  iterates('redacted thinking', streamOf([open(0, { type: 'redacted_thinking', data: 'EmwK' }), close(0)])),
  iterates('a tool call in pieces', streamOf(toolUse(0, 'get_weather', '{"ci', 'ty": "Pa', 'ris"}'))),
  iterates('a tool call without input', streamOf(toolUse(0, 'now'))),
  iterates(
    'two tool calls after text',
    streamOf(text(0, 'Let me see.'), toolUse(1, 'a', '{}'), toolUse(2, 'b', '{"x":1}')),
  ),
  iterates('citations', [
    start(),
    open(0, { type: 'text', text: '', citations: [] }),
    delta(0, {
      type: 'citations_delta',
      citation: {
        type: 'char_location',
        cited_text: 'x',
        document_index: 0,
        document_title: null,
        start_char_index: 0,
        end_char_index: 1,
        file_id: null,
      },
    }),
    delta(0, { type: 'text_delta', text: 'cited' }),
    close(0),
    finish(),
    stop,
  ]),
  iterates('a server tool and its result', [
    start(),
    open(0, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }),
    delta(0, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
    close(0),
    open(1, { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }),
    close(1),
    finish('end_turn', { usage: { input_tokens: 10682, server_tool_use: { web_search_requests: 1 } } }),
    stop,
  ]),
  iterates('a compaction', [
    start(),
    open(0, { type: 'compaction', content: null, encrypted_content: null }),
    delta(0, { type: 'compaction_delta', content: 'Summary.', encrypted_content: 'e' }),
    close(0),
    finish('compaction'),
    stop,
  ]),
  iterates('several message_deltas', [start(), ...text(0, 'a'), finish(null), finish('end_turn'), stop]),
  iterates('events, blocks and deltas that nobody knows yet', [
    start(),
    { type: 'weather_report', sky: 'blue' },
    open(0, { type: 'hologram', frames: [] }),
    delta(0, { type: 'frame_delta', frame: 1 }),
    close(0),
    finish(),
    stop,
  ]),
  iterates('a refusal', [
    start(),
    finish('refusal', { delta: { stop_details: { type: 'refusal', category: 'cyber', explanation: 'No.' } } }),
    stop,
  ]),
  iterates('max_tokens inside a tool call, which leaves its block open', [
    start(),
    open(0, { type: 'tool_use', id: 'toolu_0', name: 'write', input: {} }),
    delta(0, { type: 'input_json_delta', partial_json: '{"text": "Once up' }),
    finish('max_tokens'),
    stop,
  ]),
  iterates('text beyond ASCII, cut inside its characters', bytewise(streamOf(text(0, 'é 漢字', ' 😀')))),
  iterates('everything in one packet', [helloStream.map(frame).join('')]),
  iterates('one byte a packet', bytewise([...text(0, 'a'), finish(), stop], 1, start())),
  iterates('lines that end in CRLF', [helloStream.map(frame).join('').replaceAll('\n', '\r\n')]),
  iterates('lines that end in CR', [`${helloStream.map(frame).join('').replaceAll('\n', '\r')}\n`]),
  iterates('a byte order mark', ['\uFEFF', ...helloStream]),
  iterates('comments, ids and retry times', [': hello\n\n', 'id: 1\nretry: 10\n', ...helloStream, ': bye\n\n']),
  iterates('an event without the space after the colon', [helloStream.map(frame).join('').replaceAll(': ', ':')]),
  iterates('an event in several data lines', [
    `event: message_start\n${JSON.stringify(start(), null, 1).replaceAll(/^/gm, 'data: ')}\n\n`,
    ...helloStream.slice(1),
  ]),
  iterates(
    'white space that pads the JSON',
    helloStream.map((event) => frame(event).replace(/\}\n\n$/, '     }\n\n')),
  ),
  iterates(
    'blank lines between events',
    helloStream.map((event) => `\n\n${frame(event)}\n\n\n`),
  ),
  iterates('an event without data', ['event: nothing\n\n', ...helloStream]),
  iterates(
    'data before its event line',
    helloStream.map((event) => `data: ${JSON.stringify(event)}\nevent: ${event.type}\n\n`),
  ),
  {
    name: 'break closes the connection',
    replies: [sse([...helloStream.slice(0, 3), ...Array<number>(200).fill(10)])],
    async run({ client }) {
      const stream = await client.messages.create({ ...hello, stream: true })
      const seen: string[] = []
      for await (const event of stream) {
        seen.push(event.type)
        if (seen.length === 2) break
      }
      return [seen, stream.controller.signal.aborted]
    },
  },
  {
    name: 'a throw in the loop closes the connection and passes',
    replies: [sse([...helloStream.slice(0, 3), ...Array<number>(200).fill(10)])],
    async run({ client }) {
      for await (const _ of await client.messages.create({ ...hello, stream: true })) throw new RangeError('mine')
    },
  },
  {
    name: 'a second loop over the same stream',
    replies: [sse(helloStream)],
    differs: [ownError('threw')],
    async run({ client }) {
      const stream = await client.messages.create({ ...hello, stream: true })
      for await (const _ of stream);
      for await (const _ of stream);
    },
  },
  {
    name: 'tee() gives two whole streams',
    replies: [sse(helloStream)],
    async run({ client }) {
      const [left, right] = (await client.messages.create({ ...hello, stream: true })).tee()
      return Promise.all([Array.fromAsync(left), Array.fromAsync(right)])
    },
  },
  {
    name: 'tee() read one after the other',
    replies: [sse(helloStream)],
    async run({ client }) {
      const [left, right] = (await client.messages.create({ ...hello, stream: true })).tee()
      return [await Array.fromAsync(left), await Array.fromAsync(right)]
    },
  },
  {
    name: 'toReadableStream() writes a line of JSON an event',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = await client.messages.create({ ...hello, stream: true })
      return new Response(stream.toReadableStream() as BodyInit).text()
    },
  },
  {
    name: 'toReadableStream() cancelled closes the connection',
    replies: [sse([...helloStream.slice(0, 3), ...Array<number>(200).fill(10)])],
    async run({ client }) {
      const stream = await client.messages.create({ ...hello, stream: true })
      const reader = stream.toReadableStream().getReader()
      await reader.read()
      await reader.cancel()
      await sleep(50)
    },
  },
  {
    name: 'the promise of a stream as a response',
    replies: [sse(helloStream)],
    async run({ client }) {
      const { data, response, request_id } = await client.messages.create({ ...hello, stream: true }).withResponse()
      return [await Array.fromAsync(data), response, request_id]
    },
  },
  {
    name: 'asResponse() of a stream gives its bytes',
    replies: [sse(helloStream)],
    async run({ client }) {
      const response = await client.messages.create({ ...hello, stream: true }).asResponse()
      return response.text()
    },
  },
]

export function iterates(
  name: string,
  pieces: readonly (Event | string | Uint8Array)[],
  differs: readonly Difference[] = [],
): Scenario {
  return { name, replies: [sse(pieces)], options: { maxRetries: 0 }, run: collect, differs }
}

/** Cuts the bytes of the events into packets of this size. */
function bytewise(events: readonly Event[], size = 3, ...before: Event[]): (Event | Uint8Array)[] {
  const bytes = Buffer.from(events.map(frame).join(''))
  const packets = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
  return [...before, ...packets]
}
