import { gzipSync } from 'node:zlib'
import { failure, frame, hello, helloStream, json, message, requestId, sse } from '../fixtures.ts'
import type { Scenario } from '../scenario.ts'

/** The possible responses: every block, unusual bodies, and the methods to read them. */
export const replies: Scenario[] = [
  returns('text with citations of every kind', [
    {
      type: 'text',
      text: 'The grass is green.',
      citations: [
        {
          type: 'char_location',
          cited_text: 'a',
          document_index: 0,
          document_title: null,
          start_char_index: 0,
          end_char_index: 1,
          file_id: null,
        },
        {
          type: 'page_location',
          cited_text: 'b',
          document_index: 0,
          document_title: 'T',
          start_page_number: 1,
          end_page_number: 2,
          file_id: null,
        },
        {
          type: 'content_block_location',
          cited_text: 'c',
          document_index: 0,
          document_title: 'T',
          start_block_index: 0,
          end_block_index: 1,
          file_id: null,
        },
        {
          type: 'search_result_location',
          cited_text: 'd',
          source: 's',
          title: 't',
          search_result_index: 0,
          start_block_index: 0,
          end_block_index: 1,
        },
        {
          type: 'web_search_result_location',
          cited_text: 'e',
          url: 'https://example.com',
          title: 't',
          encrypted_index: 'x',
        },
      ],
    },
  ]),
  returns('thinking, open and redacted', [
    { type: 'thinking', thinking: 'Hm.', signature: 'EqQB' },
    { type: 'redacted_thinking', data: 'EmwK' },
  ]),
  returns('tool calls with odd inputs', [
    { type: 'tool_use', id: 'toolu_1', name: 'a', input: {}, caller: { type: 'direct' } },
    { type: 'tool_use', id: 'toolu_2', name: 'b', input: { deep: { list: [1, 2.5, null, true], 'é "x"': '' } } },
    { type: 'tool_use', id: 'toolu_3', name: 'c', input: { __proto__x: 1, constructor: 2, '1': 3, '0': 4 } },
  ]),
  returns('the results of server tools', [
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
    {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: [{ type: 'web_search_result', title: 't', url: 'u', encrypted_content: 'e', page_age: null }],
    },
    {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_2',
      content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' },
    },
    {
      type: 'web_fetch_tool_result',
      tool_use_id: 'srvtoolu_3',
      content: {
        type: 'web_fetch_result',
        url: 'u',
        content: {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'd' },
          title: null,
          citations: null,
        },
        retrieved_at: null,
      },
    },
    {
      type: 'code_execution_tool_result',
      tool_use_id: 'srvtoolu_4',
      content: { type: 'code_execution_result', stdout: '1', stderr: '', return_code: 0, content: [] },
    },
    {
      type: 'bash_code_execution_tool_result',
      tool_use_id: 'srvtoolu_5',
      content: { type: 'bash_code_execution_result', stdout: '', stderr: '', return_code: 1, content: [] },
    },
    {
      type: 'text_editor_code_execution_tool_result',
      tool_use_id: 'srvtoolu_6',
      content: { type: 'text_editor_code_execution_create_result', is_file_update: false },
    },
    {
      type: 'tool_search_tool_result',
      tool_use_id: 'srvtoolu_7',
      content: {
        type: 'tool_search_tool_search_result',
        tool_references: [{ type: 'tool_reference', tool_name: 'x' }],
      },
    },
    { type: 'container_upload', file_id: 'file_1' },
  ]),
  returns('a block that nobody knows yet', [{ type: 'hologram', frames: [1, 2], nested: { a: null } }]),
  returns('no block at all', []),
  answer(
    'a refusal',
    message({
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'cyber', explanation: 'No.' },
    }),
  ),
  answer('a stop sequence', message({ stop_reason: 'stop_sequence', stop_sequence: 'END' })),
  answer('a paused turn', message({ stop_reason: 'pause_turn' })),
  answer('a reason to stop that nobody knows yet', message({ stop_reason: 'tired' })),
  answer(
    'fields that nobody knows yet',
    message({ novelty: { a: 1 }, usage: { input_tokens: 1, output_tokens: 1, vibes: 3 } }),
  ),
  answer('a reply without the newer fields', {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    model: 'm',
  }),
  ...[[1, 2, 3], null, 5, true].map((value) => notAMessage(JSON.stringify(value), value)),
  {
    name: 'the request id of a reply, which its JSON leaves out',
    replies: [json(message())],
    async run({ client }) {
      const reply = await client.messages.create(hello)
      return [reply._request_id, Object.keys(reply), JSON.stringify(reply)]
    },
  },
  {
    name: 'a response without a request id',
    replies: [{ ...json(message()), headers: { 'content-type': 'application/json' } }],
    async run({ client }) {
      const reply = await client.messages.create(hello)
      return [reply._request_id, '_request_id' in reply]
    },
  },
  {
    name: 'withResponse() gives the reply, the response and the ids',
    replies: [
      json(message(), {
        headers: { 'anthropic-workspace-id': 'wrkspc_1', 'anthropic-ratelimit-requests-remaining': '49' },
      }),
    ],
    async run({ client }) {
      const { data, response, request_id, workspace_id } = await client.messages.create(hello).withResponse()
      return [data, response, request_id, workspace_id, response.headers.get('anthropic-ratelimit-requests-remaining')]
    },
  },
  {
    name: 'asResponse() gives the response unread',
    replies: [json(message())],
    async run({ client }) {
      const response = await client.messages.create(hello).asResponse()
      return [
        response.status,
        response.ok,
        response.headers.get('request-id'),
        response.bodyUsed,
        await response.json(),
      ]
    },
  },
  {
    name: 'asResponse() of an error throws it',
    replies: [failure(400, 'invalid_request_error', 'max_tokens: Field required')],
    run: ({ client }) => client.messages.create(hello).asResponse(),
  },
  {
    name: 'one request however often the promise is awaited',
    replies: [json(message())],
    async run({ client }) {
      const promise = client.messages.create(hello)
      const [a, b, { data }] = await Promise.all([promise, promise, promise.withResponse()])
      return [a === b, b === data]
    },
  },
  {
    name: 'then, catch and finally of the promise',
    replies: [json(message()), failure(400, 'invalid_request_error', 'no')],
    async run({ client }) {
      const calls: string[] = []
      const reply = client.messages.create(hello)
      const text = await reply.then((reply) => reply.id).finally(() => calls.push('finally'))
      const caught = await client.messages.create(hello).catch((error: Error) => error.name)
      return [text, caught, calls, reply instanceof Promise]
    },
  },
  body('JSON with a charset', JSON.stringify(message()), 'application/json; charset=utf-8'),
  body('a JSON dialect', JSON.stringify(message()), 'application/vnd.api+json'),
  body('white space around the JSON', `\n  ${JSON.stringify(message())}\n\n`),
  {
    name: 'a reply in many pieces, one inside a character',
    replies: [inPieces(JSON.stringify(message({ content: [{ type: 'text', text: 'é 漢字 😀' }] })))],
    run: ({ client }) => client.messages.create(hello),
  },
  {
    name: 'a compressed reply',
    replies: [
      { ...json(message(), { headers: { 'content-encoding': 'gzip' } }), body: [gzipSync(JSON.stringify(message()))] },
    ],
    run: ({ client }) => client.messages.create(hello),
  },
  {
    name: 'a compressed stream',
    replies: [
      {
        ...sse([], { headers: { 'content-encoding': 'gzip' } }),
        body: [gzipSync(helloStream.map(frame).join(''))],
      },
    ],
    run: async ({ client }) => Array.fromAsync(await client.messages.create({ ...hello, stream: true })),
  },
  ...[301, 302, 303, 307, 308].map((status): Scenario => ({
    name: `a redirect with ${status}`,
    replies: [{ status, headers: { location: 'elsewhere' } }, json(message())],
    options: { maxRetries: 0 },
    run: async ({ client }) => (await client.messages.create(hello)).stop_reason,
    differs: [
      { name: 'redirects', at: 'returned', official: 'end_turn' },
      {
        name: 'redirects',
        at: 'requests.1',
        official: { method: status < 304 ? 'GET' : 'POST', path: '/v1/elsewhere' },
      },
      { name: 'redirects', at: 'threw', ours: { name: 'APIError', status } },
    ],
  })),
  {
    name: 'a reply of two megabytes',
    replies: [json(message({ content: [{ type: 'text', text: 'ä'.repeat(1_000_000) }] }))],
    run: async ({ client }) =>
      (await client.messages.create(hello)).content.map((block) => (block.type === 'text' ? block.text.length : 0)),
  },
  {
    name: 'a request of two megabytes',
    replies: [json(message())],
    async run({ client, stage }) {
      await client.messages.create({ ...hello, messages: [{ role: 'user', content: 'ä'.repeat(1_000_000) }] })
      return stage.requests.splice(0).map(({ body }) => body.length)
    },
  },
  {
    name: 'fifty requests at once',
    replies: Array.from({ length: 50 }, () => json(message())),
    async run({ client, stage }) {
      const all = await Promise.all(Array.from({ length: 50 }, () => client.messages.create(hello)))
      return [all.length, stage.requests.splice(0).length]
    },
  },
  ...(['text/plain', 'text/html; charset=utf-8', 'application/problem+json', undefined] as const).map(
    (type): Scenario => ({
      name: `get() of JSON that is sent as ${type}`,
      replies: [{ ...(type && { headers: { 'content-type': type } }), body: ['{"a":1}'] }],
      run: ({ client }) => client.get('/v1/anything'),
    }),
  ),
  {
    name: 'get() of text, of a number as text, and of nothing',
    replies: ['up', '12', ''].map((text) => ({ headers: { 'content-type': 'text/plain' }, body: [text] })),
    run: async ({ client }) => [await client.get('/a'), await client.get('/b'), await client.get('/c')],
  },
  {
    name: 'delete() that is answered with nothing',
    replies: [{ status: 204 }, { status: 204 }, { status: 204 }],
    run: async ({ client }) => [
      await client.messages.batches.delete('b'),
      await client.files.delete('f'),
      await client.delete('/v1/files/f'),
    ],
  },
  {
    name: 'countTokens()',
    replies: [json({ input_tokens: 2095 })],
    run: ({ client }) =>
      client.messages.countTokens({
        model: hello.model,
        messages: hello.messages,
        system: 'Be brief.',
        tools: [{ name: 'a', input_schema: { type: 'object' } }],
        tool_choice: { type: 'auto' },
        thinking: { type: 'adaptive' },
      }),
  },
  {
    name: 'countTokens() with a profile, and refused',
    replies: [failure(400, 'invalid_request_error', 'messages: at least one message is required')],
    run: ({ client }) => client.messages.countTokens({ model: 'm', messages: [], user_profile_id: 'uprof_1' }),
  },
]

function answer(name: string, value: unknown): Scenario {
  return { name, replies: [json(value)], run: ({ client }) => client.messages.create(hello) }
}

function notAMessage(name: string, value: unknown): Scenario {
  return {
    ...answer(`${name} instead of a message`, value),
    options: { maxRetries: 0 },
    differs: [
      { name: 'unreadable-replies', at: 'returned', official: value },
      { name: 'unreadable-replies', at: 'threw', ours: { name: 'APIResponseError', status: 200 } },
    ],
  }
}

function returns(name: string, content: object[]): Scenario {
  return answer(name, message({ content }))
}

function body(name: string, text: string, type = 'application/json'): Scenario {
  return {
    name,
    replies: [{ headers: { 'content-type': type, 'request-id': requestId }, body: [text] }],
    run: ({ client }) => client.messages.create(hello),
  }
}

function inPieces(text: string): NonNullable<Scenario['replies']>[number] {
  const bytes = Buffer.from(text)
  const cut = bytes.indexOf(Buffer.from('漢')) + 1
  return { ...json({}), body: [bytes.subarray(0, 10), bytes.subarray(10, cut), bytes.subarray(cut)] }
}
