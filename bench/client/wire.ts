/** The bytes that the server sends. */

/** The number of text deltas in one streamed message. */
export const deltasPerMessage = 2000

export type ToolInputBytes = 50_000 | 200_000 | 1_000_000

const texts = [
  'The quick brown fox ',
  'jumps over the lazy',
  ' dog, and "quoted"\n',
  ' naïve café — ok 👍',
  ' return x + y;\n\t',
]

const message = {
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-6',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
}

/** A message of 2,000 deltas of about 20 characters, some escaped, some not ASCII. */
export function textEvents(): Buffer[] {
  return stream(
    { type: 'text', text: '' },
    Array.from({ length: deltasPerMessage }, (_, index) => ({
      type: 'text_delta',
      text: texts[index % texts.length]!,
    })),
    'end_turn',
  )
}

/** A tool call whose input arrives in pieces of 20 characters. */
export function toolEvents(bytes: ToolInputBytes): Buffer[] {
  const rows: unknown[] = []
  for (let length = 0; length < bytes; length += JSON.stringify(rows.at(-1)).length + 1) {
    rows.push({ id: rows.length, name: `item ${rows.length}`, note: 'some "quoted" text', price: 12.5, inStock: true })
  }
  const input = JSON.stringify({ rows })
  const pieces = Array.from({ length: Math.ceil(input.length / 20) }, (_, index) => ({
    type: 'input_json_delta',
    partial_json: input.slice(index * 20, index * 20 + 20),
  }))
  return stream({ type: 'tool_use', id: 'toolu_01', name: 'save', input: {} }, pieces, 'tool_use')
}

/** A reply of 0.9 KB without streaming. */
export function reply(): Buffer {
  const content = [{ type: 'text', text: 'x'.repeat(600) }]
  return Buffer.from(JSON.stringify({ ...message, content, stop_reason: 'end_turn' }))
}

/** Joins events into chunks of about 16,000 bytes, cut at any byte. */
export function inLargeChunks(events: readonly Buffer[]): Buffer[] {
  const bytes = Buffer.concat(events)
  return Array.from({ length: Math.ceil(bytes.length / 16_000) }, (_, index) =>
    bytes.subarray(index * 16_000, (index + 1) * 16_000),
  )
}

function stream(block: object, deltas: readonly object[], stopReason: string): Buffer[] {
  return [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: deltas.length },
    },
    { type: 'message_stop' },
  ].map(encoded)
}

/** Pads the JSON with blanks as the API does, which hides the length of the text. */
function encoded(event: { type: string }, index: number): Buffer {
  const padding = ' '.repeat((index * 7) % 10)
  return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event).slice(0, -1)}${padding}}\n\n`)
}
