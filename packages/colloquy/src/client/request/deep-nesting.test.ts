import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../../index.ts'

// Responses that nest 100,000 lists, which `JSON.parse()` reads and `JSON.stringify()` cannot write.

const deep = '['.repeat(100_000) + ']'.repeat(100_000)
const usage = { input_tokens: 1, output_tokens: 1 }
const params = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user' as const, content: 'hi' }] }
const tools = [{ name: 'n', input_schema: { type: 'object' as const }, run: () => 'ok' }]

function message(content: string, stop_reason: string = 'end_turn'): string {
  return JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: '#',
    stop_reason,
    stop_sequence: null,
    usage,
  }).replace('"#"', `[${content}]`)
}

const call = `{"type":"tool_use","id":"t","name":"n","input":{"\\n":1,"a":${deep}}}`

function events(...list: string[]): string {
  return list.map((json) => `event: ${/"type":"(\w+)"/.exec(json)![1]}\ndata: ${json}\n\n`).join('')
}

const start = `{"type":"message_start","message":${message('')}}`
const streamedCall = events(
  start,
  '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}',
  JSON.stringify({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: `{"a":${deep}}` },
  }),
  '{"type":"content_block_stop","index":0}',
  '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}',
  '{"type":"message_stop"}',
)

function clientOf(body: string, status = 200): Anthropic {
  const type = body.startsWith('event:') ? 'text/event-stream' : 'application/json'
  const fetch = async (): Promise<Response> => new Response(body, { status, headers: { 'content-type': type } })
  return new Anthropic({ apiKey: 'key', baseURL: 'http://colloquy.test', maxRetries: 0, fetch })
}

test('create() reads a deep tool input', async () => {
  const { content } = await clientOf(message(call)).messages.create(params)
  assert.equal(content[0]?.type, 'tool_use')
})

test('stream() reads a deep tool input, also with a listener for its parts', async () => {
  const stream = clientOf(streamedCall).messages.stream(params)
  stream.on('inputJson', () => {})
  assert.equal((await stream.finalMessage()).content[0]?.type, 'tool_use')
})

const failures: [name: string, run: () => PromiseLike<unknown>, name: string, message: RegExp][] = [
  [
    'sending the deep input back names the place',
    () =>
      clientOf(message(call, 'tool_use'))
        .beta.messages.toolRunner({ ...params, tools, max_iterations: 3 })
        .runUntilDone(),
    'AnthropicError',
    /^Cannot encode the request body as JSON: messages\.1\.content is nested too deep$/,
  ],
  [
    'a deep list in place of a message',
    () => clientOf(deep).messages.create(params),
    'APIResponseError',
    /^200 Cannot read the response as a JSON object: found a list$/,
  ],
  [
    'a deep error',
    () => clientOf(`{"type":"error","error":{"type":"e","message":${deep}}}`, 400).messages.create(params),
    'BadRequestError',
    /^400 \{"type":"error","error":\{"type":"e","message":\[{1,2000}$/,
  ],
  [
    'a deep error event before the first event',
    () =>
      clientOf(events(`{"type":"error","error":{"type":"e","message":${deep}}}`))
        .messages.stream(params)
        .done(),
    'APIError',
    /^\{"type":"error"/,
  ],
  [
    'a deep error event after the first event',
    () =>
      clientOf(events(start, `{"type":"error","error":{"type":"e","message":${deep}}}`))
        .messages.stream(params)
        .done(),
    'APIStreamError',
    /./,
  ],
]

for (const [name, run, errorName, message] of failures) {
  test(`${name} is one clear error`, async () => {
    await assert.rejects(Promise.resolve(run()), { name: errorName, message })
  })
}
