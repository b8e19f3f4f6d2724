/** The bytes of a short reply, with each kind of delta that comes by the thousand. Fields are in the order of the API. */
export function sampleReply(): Uint8Array {
  const blocks = [
    [
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'a' },
    ],
    [
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'a' },
    ],
    [
      { type: 'tool_use', id: 'a', name: 'a', input: {} },
      { type: 'input_json_delta', partial_json: '{}' },
    ],
  ]
  const events = [
    {
      type: 'message_start',
      message: { id: 'a', type: 'message', role: 'assistant', model: 'a', content: [], usage: {} },
    },
    ...blocks.flatMap(([content_block, delta], index) => [
      { type: 'content_block_start', index, content_block },
      { type: 'content_block_delta', index, delta },
    ]),
  ]
  return new TextEncoder().encode(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
}
