import fc from 'fast-check'
import { close, delta, type Event, finish, open, start, stop } from '../fixtures.ts'

const pieces = fc.constantFrom('', 'a', ' b', '\n', 'é', '😀', '"', '\\', 'some longer text', '\u2028')
const citations = fc.constantFrom(
  { type: 'char_location', cited_text: 'q', document_index: 0, document_title: null, start_char_index: 0 },
  { type: 'web_search_result_location', url: 'u', title: 't', encrypted_index: 'e', cited_text: 'c' },
  { type: 'a_later_location', x: 1 },
)
// Unfinished strings differ while they arrive: the row `partial-strings` of docs/compatibility.md.
const inputs = fc.constantFrom(
  ['{"a": 1}'],
  ['{"a"', ': 1, "b": ', '"xy"}'],
  ['', '{', '}'],
  ['{"a": [1, 2', ', 3], "c": {"d": null', '}}'],
  ['{"t": tr', 'ue, "n": -1', '2.5e3}'],
  ['{"s":', '"\\u00e9\\n"}'],
)

type Deltas = Record<string, unknown>[]

const textBlock = fc.tuple(
  fc.constantFrom({ type: 'text', text: '' }, { type: 'text', text: 'pre', citations: null }),
  fc.array(
    fc.oneof(
      pieces.map((text) => ({ type: 'text_delta', text })),
      citations.map((citation) => ({ type: 'citations_delta', citation })),
    ),
    { maxLength: 4 },
  ),
)
const thinkingBlock = fc.tuple(
  fc.constant({ type: 'thinking', thinking: '', signature: '' }),
  fc
    .tuple(fc.array(pieces, { maxLength: 3 }), fc.constantFrom([], ['sig'], ['one', 'two']))
    .map(([texts, signatures]): Deltas => [
      ...texts.map((thinking) => ({ type: 'thinking_delta', thinking })),
      ...signatures.map((signature) => ({ type: 'signature_delta', signature })),
    ]),
)
const callBlock = fc.tuple(
  fc.constantFrom(
    { type: 'tool_use', id: 't', name: 'n', input: {} },
    { type: 'server_tool_use', id: 't', name: 'web_search', input: {} },
    { type: 'mcp_tool_use', id: 't', name: 'n', server_name: 's', input: {} },
  ),
  inputs.map((texts): Deltas => texts.map((partial_json) => ({ type: 'input_json_delta', partial_json }))),
)
const otherBlock = fc.constantFrom<[Record<string, unknown>, Deltas]>(
  [{ type: 'redacted_thinking', data: 'd' }, []],
  [{ type: 'web_search_tool_result', tool_use_id: 't', content: [] }, []],
  [{ type: 'container_upload', file_id: 'f' }, []],
  [{ type: 'compaction', content: null }, [{ type: 'compaction_delta', content: 'Summary.' }]],
  [{ type: 'compaction', content: null }, [{ type: 'compaction_delta', content: null }]],
  [{ type: 'a_later_block', x: [1] }, [{ type: 'a_later_delta', y: 1 }]],
)

const blocks = fc.array(
  fc.oneof<fc.Arbitrary<[Record<string, unknown>, Deltas]>[]>(textBlock, thinkingBlock, callBlock, otherBlock),
  { maxLength: 3 },
)
const ends = fc.constantFrom(
  finish(),
  finish('stop_sequence', { delta: { stop_sequence: 'X' }, usage: { input_tokens: 12, cache_read_input_tokens: 3 } }),
  finish('tool_use', { usage: { input_tokens: null, server_tool_use: { web_search_requests: 1 } } }),
  finish('refusal', { delta: { stop_details: { type: 'refusal', category: 'cyber', explanation: 'x' } } }),
  finish('pause_turn', { delta: { container: { id: 'c', expires_at: 'e' } } }),
)
const noise = fc.array(
  fc.tuple(fc.nat(12), fc.constantFrom<Event>({ type: 'ping' }, { type: 'a_later_event', z: 1 })),
  {
    maxLength: 2,
  },
)

const replies = fc.tuple(blocks, ends, noise).map(([given, end, others]): Event[] => {
  const events = [
    start(),
    ...given.flatMap(([block, deltas], index) => [
      open(index, block),
      ...deltas.map((fields) => delta(index, fields)),
      close(index),
    ]),
    end,
    stop,
  ]
  for (const [at, event] of others) events.splice(Math.min(at + 1, events.length - 1), 0, event)
  return events
})

/** How a server writes events. */
const styles = fc.record({
  line: fc.constantFrom('\n', '\r\n', '\r'),
  mark: fc.constantFrom('', '\ufeff'),
  comment: fc.constantFrom('', ': hello'),
  colon: fc.constantFrom(':', ': '),
  further: fc.constantFrom([], ['id: 5'], ['retry: 10', 'id']),
})

/** A new response with a generated stream, in pieces of a generated length. */
export const eventStreams: fc.Arbitrary<() => Response> = fc
  .tuple(replies, styles, fc.constantFrom(1, 7, 50, 1000, 100_000))
  .map(([events, { line, mark, comment, colon, further }, length]) => {
    const frames = events.map((event) =>
      [`event: ${event.type}`, ...further, `data${colon}${JSON.stringify(event)}`, '', ''].join(line),
    )
    const bytes = new TextEncoder().encode(`${mark}${comment && comment + line + line}${frames.join('')}`)
    return () =>
      new Response(inPieces(bytes, length), { headers: { 'content-type': 'text/event-stream', 'request-id': 'req_1' } })
  })

function inPieces(bytes: Uint8Array<ArrayBuffer>, length: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + length))
      at += length
    },
  })
}
