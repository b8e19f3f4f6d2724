// A `fetch` that answers as the API does: always "Hello", except that it knows no model.
const reply = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-6',
  content: [{ type: 'text', text: 'Hello', citations: null }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
}

const events = [
  { type: 'message_start', message: { ...reply, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 1 } },
  { type: 'message_stop' },
]

exports.answer = async (url, { body } = {}) => {
  const error = { type: 'error', error: { type: 'not_found_error', message: 'none' } }
  if (String(url).includes('/models/')) return json(error, 404)
  if (!String(body).includes('"stream":true')) return json(reply, 200)
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

// Not `Response.json()`, which is one of the functions that older browsers lack.
function json(value, status) {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })
}
