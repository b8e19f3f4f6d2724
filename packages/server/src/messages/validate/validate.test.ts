import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type ErrorBody, type MessageCreateParams, models } from 'colloquy/protocol'
import { offline } from 'colloquy/engines'
import fc from 'fast-check'
import { createServer } from '../../app.ts'

const server = createServer({ engine: offline() })

interface Options {
  version?: string
  betas?: string
  path?: string
}

async function post(
  body: unknown,
  { version = '2026-10-21', betas, path = '/v1/messages' }: Options = {},
): Promise<Response> {
  const headers = { 'anthropic-version': version, ...(betas ? { 'anthropic-beta': betas } : {}) }
  return server.fetch(new Request(`http://test${path}`, { method: 'POST', headers, body: JSON.stringify(body) }))
}

const base = { model: 'claude-opus-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
type Change = Record<string, unknown>

/** The error for the request that differs from a good one by the change. */
async function problem(change: Change, options?: Options): Promise<string> {
  const response = await post({ ...base, ...change }, options)
  const { error } = (await response.json()) as ErrorBody
  return response.status === 200 ? 'accepted' : `${response.status} ${error.type} ${error.message}`
}

async function refused(change: Change, message: string, options?: Options): Promise<void> {
  assert.equal(await problem(change, options), `400 invalid_request_error ${message}`)
}

async function accepted(change: Change, options?: Options): Promise<void> {
  assert.equal(await problem(change, options), 'accepted', JSON.stringify(change).slice(0, 300))
}

const user = (content: unknown): object => ({ role: 'user', content })
const assistant = (content: unknown): object => ({ role: 'assistant', content })
const says = (...messages: object[]): Change => ({ messages })
const text = (words: string, more: object = {}): object => ({ type: 'text', text: words, ...more })
const use = (id: string): object => ({ type: 'tool_use', id, name: 'f', input: {} })
const result = (id: string): object => ({ type: 'tool_result', tool_use_id: id, content: 'done' })
const tool = { name: 'f', input_schema: { type: 'object' } }
const mark = (ttl?: string): object => ({ cache_control: { type: 'ephemeral', ...(ttl ? { ttl } : {}) } })

suite('the shape of a request', () => {
  test('names a missing required field', async () => {
    for (const field of ['model', 'max_tokens', 'messages'])
      await refused({ [field]: undefined }, `${field}: Field required`)
    await refused(says({ role: 'user' }), 'messages.0.content: Field required')
    await refused(says(user([{ type: 'text' }])), 'messages.0.content.0.text.text: Field required')
    await refused(
      says(user('a'), assistant([{ type: 'thinking', thinking: 'hm' }]), user('b')),
      'messages.1.content.0.thinking.signature: Field required',
    )
  })

  test('names an unknown field at every depth', async () => {
    await refused({ colour: 1 }, 'colour: Extra inputs are not permitted')
    await refused({ metadata: { name: 'x' } }, 'metadata.name: Extra inputs are not permitted')
    await refused(
      says(user([text('a', { bold: true })])),
      'messages.0.content.0.text.bold: Extra inputs are not permitted',
    )
    await refused(
      says(user('a'), assistant([use('1'), text('x')]), user([{ ...result('1'), text: 'x' }])),
      'messages.2.content.0.tool_result.text: Extra inputs are not permitted',
    )
    await refused(
      says(user('a'), assistant([{ type: 'thinking', thinking: 'a', signature: 'b', ...mark() }]), user('b')),
      'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
    )
    await refused({ tools: [{ ...tool, magic: 1 }] }, 'tools.0.custom.magic: Extra inputs are not permitted')
    await refused(
      { system: [text('a', { cache_control: { type: 'ephemeral', scope: 'global' } })] },
      'system.0.cache_control.ephemeral.scope: Extra inputs are not permitted',
    )
  })

  test('names a field of the wrong type', async () => {
    await refused({ max_tokens: '5' }, 'max_tokens: Input should be a valid integer')
    await refused({ max_tokens: 1.5 }, 'max_tokens: Input should be a valid integer')
    await refused({ max_tokens: -1 }, 'max_tokens: Input should be greater than or equal to 0')
    await refused({ model: '' }, 'model: String should have at least 1 character')
    await refused({ messages: {} }, 'messages: Input should be a valid list')
    await refused(says(user(5)), 'messages.0.content: Input should be a valid list')
    await refused({ stream: 'yes' }, 'stream: Input should be a valid boolean')
    await refused({ system: 5 }, 'system: Input should be a valid list')
    await refused({ metadata: 'u' }, 'metadata: Input should be a valid dictionary')
    await refused(says({ role: 'robot', content: 'x' }), "messages.0.role: Input should be 'user' or 'assistant'")
    await refused({ service_tier: 'gold' }, "service_tier: Input should be 'auto' or 'standard_only'")
    await refused(
      { metadata: { user_id: 'x'.repeat(257) } },
      'metadata.user_id: String should have at most 256 characters',
    )
  })

  test('refuses a body that is not an object', async () => {
    const send = (body: string): Promise<Response> =>
      server.fetch(
        new Request('http://test/v1/messages', {
          method: 'POST',
          headers: { 'anthropic-version': '2026-10-21' },
          body,
        }),
      )
    for (const body of ['', '{', 'null', '[]', '"x"', '{"a":1}x']) {
      const response = await send(body)
      assert.equal(response.status, 400, body)
      assert.equal(((await response.json()) as ErrorBody).error.type, 'invalid_request_error')
    }
    const { error } = (await (await send('{"secret": tru}')).json()) as ErrorBody
    assert.match(error.message, /^The request body is not valid JSON: /)
    assert.ok(!error.message.includes('secret'))
  })

  test('lists the known types when the type of a block is unknown', async () => {
    assert.match(
      await problem(says(user([text('a'), { type: 'hologram' }]))),
      /messages\.0\.content\.1: Input tag 'hologram' found using 'type' does not match any of the expected tags: 'text', 'image', 'document', /,
    )
    await refused(says(user([{ text: 'a' }])), 'messages.0.content.0.type: Field required')
    assert.match(
      await problem({ tools: [{ type: 'laser_20990101', name: 'laser' }] }),
      /tools\.0: Input tag 'laser_20990101' .*'bash_20250124', .*'custom'/,
    )
  })

  test('checks cache_control strictly', async () => {
    await refused({ cache_control: { type: 'forever' } }, "cache_control.type: Input should be 'ephemeral'")
    await refused(
      says(user([text('a', mark('2h'))])),
      "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    )
    await accepted({ cache_control: null, system: [text('a', { cache_control: null })] })
  })

  test('does not know a beta field without the beta', async () => {
    const context_management = { edits: [{ type: 'clear_tool_uses_20250919' }] }
    await refused({ context_management }, 'context_management: Extra inputs are not permitted')
    await accepted({ context_management }, { betas: 'context-management-2025-06-27' })
    await accepted({ context_management }, { betas: 'something-else, context-management-2025-06-27' })
    await refused({ mcp_servers: [] }, 'mcp_servers: Extra inputs are not permitted')
    await accepted(
      { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'x' }] },
      { betas: 'mcp-client-2026-09-15' },
    )
  })

  test('knows sampling parameters under 2023-06-01 only', async () => {
    for (const [field, value] of [
      ['temperature', 1],
      ['top_p', 0.5],
      ['top_k', 5],
    ] as const) {
      await refused({ [field]: value }, `${field}: Extra inputs are not permitted`)
      await accepted({ [field]: value }, { version: '2023-06-01' })
    }
    await refused({ temperature: 1.5 }, 'temperature: range: 0..1', { version: '2023-06-01' })
    await refused({ top_k: -1 }, 'top_k: Input should be greater than or equal to 0', { version: '2023-06-01' })
  })

  test('refuses blank stop sequences', async () => {
    await accepted({ stop_sequences: ['END'] })
    await refused({ stop_sequences: ['END', '\n'] }, 'stop_sequences: each stop sequence must contain non-whitespace')
  })

  test('quotes only the beginning of long names and values', async () => {
    const long = 'x'.repeat(1_000_000)
    for (const change of [
      { [long]: 1 },
      { model: long },
      says(user([{ type: long }])),
      { tool_choice: { type: 'tool', name: long } },
    ]) {
      const message = await problem(change)
      assert.ok(/^4\d\d .*xxx/.test(message) && message.length < 5_000, message.slice(0, 100))
    }
  })

  test('refuses values that are nested too deep', async () => {
    let input: unknown = 1
    for (let depth = 0; depth < 1_000; depth++) input = { input }
    const deep = says(user('a'), assistant([{ ...use('1'), input }]), user([result('1')]))
    await refused(deep, 'messages.1.content.0.tool_use.input: Input should be nested at most 200 levels deep')
  })

  test('refuses `thread` with the error code that clients know', async () => {
    for (const thread of [{ type: 'create' }, { type: 'continue', previous_message_id: 'msg_1' }]) {
      const response = await post({ ...base, thread }, { betas: 'message-threads-2026-08-12' })
      const { error } = (await response.json()) as ErrorBody
      assert.equal(response.status, 400)
      assert.deepEqual(error.details, { error_code: 'thread_unsupported_request', unsupported: ['thread'] })
    }
  })
})

suite('messages', () => {
  test('requires at least one message, each with content', async () => {
    await refused(says(), 'messages: at least one message is required')
    const empty = 'all messages must have non-empty content except for the optional final assistant message'
    await refused(says(user('')), `messages.0: ${empty}`)
    await refused(says(user('a'), assistant([]), user('b')), `messages.1: ${empty}`)
    await refused(says(user([text('')])), 'messages: text content blocks must be non-empty')
    await refused(says(user(' \n')), 'messages: text content blocks must contain non-whitespace text')
    await refused({ system: [text('')] }, 'system: text content blocks must be non-empty')
    await refused(
      says(user([text('', mark()), text('a')])),
      'messages.0.content.0.text: cache_control cannot be set for empty text blocks',
    )
  })

  test('merges consecutive messages of a role; the first may be the assistant’s', async () => {
    await accepted(says(user('a'), user('b'), assistant('c'), assistant('d'), user('e')))
    await accepted(says(assistant('a'), user('b')))
  })

  test('accepts prefill on models up to 4.5', async () => {
    const begun = says(user('a'), assistant('The answer'))
    await accepted({ ...begun, model: 'claude-sonnet-4-5' })
    await accepted({ ...says(user('a'), assistant('')), model: 'claude-haiku-4-5' })
    await refused(
      begun,
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    )
    await refused(
      { ...says(user('a'), assistant('The ')), model: 'claude-sonnet-4-5' },
      'messages: final assistant content cannot end with trailing whitespace',
    )
  })

  test('accepts a paused turn as the last message', async () => {
    await accepted(
      says(user('a'), assistant([{ type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }])),
    )
  })

  test('requires one result for each tool call, first in the next message', async () => {
    const call = [user('a'), assistant([use('toolu_1'), use('toolu_2')])]
    const unanswered = (ids: string): string =>
      `messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    await accepted(says(...call, user([result('toolu_2'), result('toolu_1'), text('go on')])))
    await accepted(says(...call, user([result('toolu_2')]), user([result('toolu_1')])))
    await refused(says(...call, user('no')), unanswered('toolu_1, toolu_2'))
    await refused(says(...call, user([result('toolu_1')])), unanswered('toolu_2'))
    await refused(
      says(...call, user([text('first'), result('toolu_1'), result('toolu_2')])),
      unanswered('toolu_1, toolu_2'),
    )
    await refused(says(...call), unanswered('toolu_1, toolu_2'))
    await refused(
      says(...call, user([result('toolu_1'), result('toolu_2'), result('toolu_1')])),
      'messages.2.content.2: each tool_use must have a single result. Found multiple `tool_result` blocks with id: toolu_1',
    )
    await refused(
      says(user('a'), user([result('toolu_9')])),
      'messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_9. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    )
    await refused(
      says(user('a'), assistant([use('1')]), user([result('1')]), assistant([use('1')]), user([result('1')])),
      'messages.3.content.0: `tool_use` ids must be unique',
    )
  })

  test('requires the result of a server tool in the same turn', async () => {
    const call = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    await accepted(says(user('a'), assistant([call, found, text('b')]), user('c')))
    await refused(
      says(user('a'), assistant([call, text('b')]), user('c')),
      'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block',
    )
  })

  test('accepts the result of a server tool after those of client tools', async () => {
    const call = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    const deferred = [user('a'), assistant([use('1'), call]), user([result('1')])]
    await accepted(says(...deferred))
    await accepted(says(...deferred, assistant([found, text('b')]), user('c')))
    await refused(
      says(...deferred, assistant([text('b')]), user('c')),
      'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block',
    )
  })

  test('accepts each block type only from its role', async () => {
    await refused(says(user([use('1')])), 'messages.0: `tool_use` blocks can only be in `assistant` messages')
    await refused(
      says(user('a'), assistant([result('1')]), user('b')),
      'messages.1: `tool_result` blocks can only be in `user` messages',
    )
    await refused(
      says(user([{ type: 'thinking', thinking: 'a', signature: 'b' }])),
      'messages.0.content: thinking blocks may only be in `assistant` messages',
    )
  })

  test('refuses documents and citations of the wrong role since 2026-10-21', async () => {
    const note = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }
    const quoting = says(user('a'), assistant([note, text('b')]), user('c'))
    await refused(quoting, 'messages.1: `document` blocks can only be in `user` messages')
    await accepted(quoting, { version: '2023-06-01' })
    const citation = {
      type: 'char_location',
      cited_text: 'a',
      document_index: 0,
      document_title: null,
      start_char_index: 0,
      end_char_index: 1,
    }
    const cited = says(user([text('a', { citations: [citation] })]))
    await refused(cited, 'messages.0.content.0.text.citations: Extra inputs are not permitted')
    await accepted(cited, { version: '2023-06-01' })
    await accepted(says(user('a'), assistant([text('b', { citations: [citation] })]), user('c')))
    const unknown = says(user('a'), assistant([text('b', { citations: [{ type: 'foo' }] })]), user('c'))
    await refused(
      unknown,
      "messages.1.content.0.text.citations.0: Input tag 'foo' found using 'type' does not match any of the expected tags: 'char_location', 'page_location', 'content_block_location', 'web_search_result_location', 'search_result_location'",
    )
  })

  test('accepts system messages after user turns, on models that take them', async () => {
    const system = { role: 'system', content: 'Be brief.' }
    const model = 'claude-opus-5-5'
    await accepted({ ...says(user('a'), system), model })
    await accepted({ ...says(user('a'), system, system, assistant('b'), user('c')), model })
    await refused(
      { ...says(user('a'), system), model: 'claude-sonnet-5' },
      "role 'system' is not supported on this model",
    )
    await refused(
      { ...says(system, user('a')), model },
      "messages.0: use the top-level 'system' parameter for the initial system prompt",
    )
    await refused(
      { ...says(user('a'), assistant('b'), system), model },
      'messages.2: a system message must immediately follow a user turn',
    )
    await refused(
      { ...says(user('a'), system, user('b')), model },
      'messages.1: a system message must be the last message or be followed by an assistant turn',
    )
  })

  test('checks the bytes of images and PDFs', async () => {
    const image = (data: string, media_type = 'image/png'): Change =>
      says(user([{ type: 'image', source: { type: 'base64', media_type, data } }]))
    const png = pngHeader(10, 10)
    await accepted(image(png))
    await refused(image('bm90IGFuIGltYWdl'), 'Could not process image')
    await refused(
      image(png, 'image/gif'),
      'messages.0.content.0.image.source.base64.data: Image does not match the provided media type image/gif',
    )
    await refused(
      image(pngHeader(9_000, 10)),
      'messages.0.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels',
    )
    const many = Array.from({ length: 21 }, () => ({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: pngHeader(2_001, 5) },
    }))
    await refused(
      says(user(many)),
      'messages.0.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels',
    )
    const big = png + 'A'.repeat(10 * 1024 * 1024 + 4 - png.length)
    await refused(
      image(big),
      'messages.0.content.0.image.source.base64.data: image exceeds 10 MB maximum: 10485764 bytes > 10485760 bytes',
    )
    const pdf = (body: string): Change =>
      says(user([{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: btoa(body) } }]))
    await accepted(pdf('%PDF-1.7 /Type /Page'))
    await refused(pdf('hello'), 'The PDF specified was not valid.')
    await refused(
      { ...pdf(`%PDF-1.7 ${'/Type /Page '.repeat(101)}`), model: 'claude-haiku-4-5' },
      'A maximum of 100 PDF pages may be provided.',
    )
  })
})

suite('cache breakpoints', () => {
  test('accepts at most four, the automatic one included', async () => {
    const blocks = (count: number): object[] => Array.from({ length: count }, (_, index) => text(`${index}`, mark()))
    await accepted(says(user(blocks(4))))
    await refused(says(user(blocks(5))), 'A maximum of 4 blocks with cache_control may be provided. Found 5.')
    await refused(
      { ...says(user([...blocks(4), text('last')])), ...mark() },
      'A maximum of 4 blocks with cache_control may be provided. Found 5.',
    )
    await accepted({ ...says(user(blocks(4))), ...mark() })
    await refused(
      { tools: [{ ...tool, ...mark() }], system: [text('s', mark())], ...says(user(blocks(3))) },
      'A maximum of 4 blocks with cache_control may be provided. Found 5.',
    )
  })

  test('refuses one of an hour after one of five minutes', async () => {
    const late = (path: string): string =>
      `${path}: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`
    await accepted({ system: [text('s', mark('1h'))], ...says(user([text('a', mark('5m'))])) })
    await refused(
      { system: [text('s', mark())], ...says(user([text('b'), text('a', mark('1h'))])) },
      late('messages.0.content.1.cache_control.ttl'),
    )
    await refused(
      { tools: [{ ...tool, ...mark('5m') }], system: [text('s', mark('1h'))] },
      late('system.0.cache_control.ttl'),
    )
    const nested = { ...result('1'), content: [text('x', mark('5m'))], ...mark('1h') }
    await refused(
      says(user('a'), assistant([use('1')]), user([nested])),
      late('messages.2.content.0.cache_control.ttl'),
    )
    await refused({ ...says(user([text('a', mark('5m')), text('b')])), ...mark('1h') }, late('cache_control.ttl'))
  })
})

suite('tools', () => {
  test('requires valid and unique names', async () => {
    await accepted({
      tools: [
        {
          ...tool,
          name: 'a-b_C9',
          input_schema: { type: 'object', additionalProperties: false },
          strict: true,
          defer_loading: false,
          eager_input_streaming: true,
          input_examples: [{}],
          description: 'd',
        },
      ],
    })
    await refused(
      { tools: [{ ...tool, name: 'two words' }] },
      "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    )
    await refused({ tools: [tool, tool] }, 'tools: Tool names must be unique.')
  })

  test('requires an object schema', async () => {
    await refused({ tools: [{ name: 'f' }] }, 'tools.0.custom.input_schema: Field required')
    await refused({ tools: [{ name: 'f', input_schema: {} }] }, 'tools.0.custom.input_schema.type: Field required')
    await refused(
      { tools: [{ name: 'f', input_schema: { type: 'string' } }] },
      "tools.0.custom.input_schema.type: Input should be 'object'",
    )
  })

  test('knows the tools that the API defines', async () => {
    await accepted({
      tools: [
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 1000 },
        {
          type: 'web_search_20260318',
          name: 'web_search',
          max_uses: 3,
          user_location: { type: 'approximate', city: 'Rome' },
        },
        { type: 'web_fetch_20260318', name: 'web_fetch', citations: { enabled: true } },
        { type: 'code_execution_20260521', name: 'code_execution' },
        { type: 'memory_20250818', name: 'memory' },
        { type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' },
      ],
    })
    await refused(
      { tools: [{ type: 'bash_20250124', name: 'shell' }] },
      "tools.0.bash_20250124.name: Input should be 'bash'",
    )
    await refused(
      { tools: [{ type: 'text_editor_20250429', name: 'str_replace_based_edit_tool', max_characters: 5 }] },
      'tools.0.text_editor_20250429.max_characters: Extra inputs are not permitted',
    )
  })

  test('takes one list of domains for a web tool, which for searches has a domain', async () => {
    const search = { type: 'web_search_20250305', name: 'web_search' }
    const fetch = { type: 'web_fetch_20250910', name: 'web_fetch' }
    const both = { allowed_domains: ['a.example'], blocked_domains: ['b.example'] }
    for (const web of [search, fetch]) {
      await accepted({ tools: [{ ...web, allowed_domains: ['a.example'], blocked_domains: null }] })
      await refused(
        { tools: [{ ...web, ...both }] },
        `tools.0.${web.type}: Only one of allowed_domains or blocked_domains may be set.`,
      )
    }
    await accepted({ tools: [{ ...fetch, allowed_domains: [] }] })
    await refused(
      { tools: [{ ...search, blocked_domains: [] }] },
      'tools.0.web_search_20250305.blocked_domains: Empty list of domains is ambiguous. Provide at least one domain or null.',
    )
  })

  test('refuses a tool_choice that cannot be met', async () => {
    const forced = { tools: [tool], tool_choice: { type: 'tool', name: 'f' } }
    await accepted(forced)
    await refused({ ...forced, tool_choice: { type: 'tool', name: 'g' } }, "Tool 'g' not found in provided tools")
    await refused({ ...forced, tool_choice: { type: 'tool' } }, 'tool_choice.tool.name: Field required')
    await refused(
      { ...forced, tool_choice: { type: 'none', disable_parallel_tool_use: true } },
      'tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted',
    )
    for (const model of ['claude-fable-5-2', 'claude-opus-5-5', 'claude-sonnet-5-5', 'claude-mythos-5-1']) {
      await refused({ ...forced, model }, 'tool_choice: type "tool" and "any" are not supported for this model.')
      await accepted({ ...forced, model, tool_choice: { type: 'auto' } })
    }
    await refused(
      { ...forced, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1024 } },
      'Thinking may not be enabled when tool_choice forces tool use.',
    )
  })
})

suite('model rules', () => {
  const enabled = (budget_tokens: number): Change => ({ thinking: { type: 'enabled', budget_tokens } })

  test('an unknown or retired model is a 404', async () => {
    for (const model of ['claude-foo', 'claude-3-opus-20240229', 'claude-opus-4-1']) {
      assert.equal(await problem({ model }), `404 not_found_error model: ${model}`)
    }
  })

  test('accepts every model of the catalogue by id and alias', async () => {
    for (const { id, aliases } of models) {
      for (const model of [id, ...aliases]) {
        const response = await post({ ...base, model })
        assert.equal(response.status, 200, model)
        assert.equal(((await response.json()) as { model: string }).model, id)
      }
    }
  })

  test('refuses max_tokens beyond the limit of the model', async () => {
    await accepted({ model: 'claude-opus-4-5', max_tokens: 64_000 })
    await refused(
      { model: 'claude-opus-4-5', max_tokens: 128_001 },
      'max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens for claude-opus-4-5-20251101',
    )
  })

  test('refuses a thinking type that the model lacks', async () => {
    await accepted({ ...enabled(1024), max_tokens: 2_000 })
    await refused(
      { ...enabled(1000), max_tokens: 2_000 },
      'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
    )
    await accepted({ ...enabled(2_000), max_tokens: 2_000 }, { betas: 'interleaved-thinking-2025-05-14' })
    assert.match(
      await problem({ ...enabled(2_000), max_tokens: 2_000 }),
      /`max_tokens` must be greater than `thinking.budget_tokens`\./,
    )
    const use = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    await refused(
      { ...enabled(1024), max_tokens: 2_000, model: 'claude-opus-4-7' },
      `"thinking.type.enabled" is not supported for this model. ${use}`,
    )
    await refused(
      { thinking: { type: 'disabled' }, model: 'claude-opus-5-5' },
      `"thinking.type.disabled" is not supported for this model. ${use}`,
    )
    await refused(
      { thinking: { type: 'disabled' }, model: 'claude-sonnet-5-5' },
      '"thinking.type.disabled" is not supported for this model. Use "thinking.type.between_tools" for the lowest thinking setting, or "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
    )
    await accepted({ thinking: { type: 'between_tools' }, model: 'claude-sonnet-5-5' })
    await refused(
      { thinking: { type: 'between_tools' }, model: 'claude-opus-5-5' },
      '"thinking.type.between_tools" is not supported for this model.',
    )
    await refused(
      { thinking: { type: 'adaptive' }, model: 'claude-haiku-4-5' },
      'adaptive thinking is not supported on this model',
    )
  })

  test('takes output_format, the earlier name of output_config.format', async () => {
    const schema = { type: 'object', properties: { a: { const: 7 } }, required: ['a'], additionalProperties: false }
    const output_format = { type: 'json_schema', schema }
    const options = { betas: 'structured-outputs-2025-11-13' }
    const response = await post({ ...base, output_format, output_config: { effort: 'low' } }, options)
    assert.match(await response.text(), /"text":"\{\\"a\\":7\}"/)
    await accepted({ output_format: null, output_config: { format: output_format } }, options)
    await refused({ output_format }, 'output_format: Extra inputs are not permitted')
    await refused(
      { output_format, output_config: { format: output_format } },
      'output_format: cannot be combined with `output_config.format`',
      options,
    )
    const loose = { type: 'json_schema', schema: { type: 'object' } }
    assert.match(
      await problem({ output_format: loose }, options),
      /400 .* output_config\.format\.schema: .*additionalProperties/,
    )
  })

  test('refuses an effort level that the model lacks', async () => {
    const effort = (level: string): Change => ({ output_config: { effort: level } })
    await accepted({ ...effort('max') })
    await refused(
      effort('xhigh'),
      "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
    )
    await refused({ ...effort('low'), model: 'claude-haiku-4-5' }, 'This model does not support the effort parameter.')
    await refused(
      { output_config: { effort: 'xhigh' }, thinking: { type: 'disabled' }, model: 'claude-opus-5' },
      "output_config.effort 'xhigh' is not supported when thinking is disabled on this model. Use effort 'high' or below, or enable thinking.",
    )
    await accepted({ output_config: { effort: 'xhigh' }, thinking: { type: 'disabled' }, model: 'claude-opus-4-8' })
    // Sonnet 5 has no such limit, though it thinks unless told not to.
    await accepted({ output_config: { effort: 'max' }, thinking: { type: 'disabled' }, model: 'claude-sonnet-5' })
  })

  test('refuses sampling values that the model does not take', async () => {
    const version = '2023-06-01'
    const model = 'claude-opus-4-7'
    await refused({ model, temperature: 0.5 }, '`temperature` is deprecated for this model.', { version })
    await refused({ model, top_p: 0.5 }, '`top_p` is deprecated for this model.', { version })
    await refused({ model, top_k: 5 }, '`top_k` is deprecated for this model.', { version })
    await accepted({ model, temperature: 1, top_p: 0.99 }, { version })
    await refused(
      { model: 'claude-sonnet-4-5', temperature: 0.5, top_p: 0.5 },
      '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
      { version },
    )
    await accepted({ temperature: 0.5, top_p: 0.5 }, { version })
    assert.match(
      await problem({ ...enabled(1024), max_tokens: 2_000, temperature: 0.5 }, { version }),
      /`temperature` may only be set to 1 when thinking is enabled\./,
    )
  })

  test('refuses requests for output with max_tokens 0', async () => {
    await accepted({ max_tokens: 0 })
    await refused({ max_tokens: 0, stream: true }, 'max_tokens: 0 cannot be combined with `stream`')
    await refused(
      { max_tokens: 0, tools: [tool], tool_choice: { type: 'any' } },
      'max_tokens: 0 cannot be combined with `tool_choice.any`',
    )
  })
})

suite('count_tokens', () => {
  const options = { path: '/v1/messages/count_tokens?beta=true' }

  test('counts what a create request bills', async () => {
    const body = {
      model: 'claude-opus-4-6',
      messages: [{ role: 'user', content: 'Hello' }],
      system: 'Be brief.',
      tools: [tool],
    }
    const counted = (await (await post(body, options)).json()) as { input_tokens: number }
    const answered = (await (await post({ ...body, max_tokens: 50 })).json()) as { usage: { input_tokens: number } }
    assert.equal(counted.input_tokens, answered.usage.input_tokens)
  })

  test('applies the same rules and accepts the body of a create request', async () => {
    assert.equal((await post({ ...base, stream: true, metadata: { user_id: 'u' } }, options)).status, 200)
    assert.equal(await problem({ model: 'claude-foo' }, options), '404 not_found_error model: claude-foo')
    await refused(says(), 'messages: at least one message is required', options)
    await refused(
      { ...says(user('a'), assistant('b')) },
      'This model does not support assistant message prefill. The conversation must end with a user message.',
      options,
    )
    await refused(
      { model: 'claude-opus-5-5', tools: [tool], tool_choice: { type: 'any' } },
      'tool_choice: type "tool" and "any" are not supported for this model.',
      options,
    )
  })
})

suite('compaction and billing_policy', () => {
  for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
    test(`are accepted by ${path} with their betas only`, async () => {
      for (const compaction of [null, { type: 'summarize' }, { type: 'summarize', instructions: null }]) {
        await accepted({ compaction }, { path, betas: 'compact-2026-09-04' })
      }
      const billing_policy = { type: 'billing_policy', bill_to: 'self' }
      await accepted({ billing_policy }, { path, betas: 'user-profiles-billing-2026-10-01' })
      await refused({ billing_policy }, 'billing_policy: Extra inputs are not permitted', { path })
    })
  }
})

suite('generated requests', () => {
  test('a generated request is answered or refused, and never a 500', async () => {
    const good: MessageCreateParams = {
      model: 'claude-opus-4-6',
      max_tokens: 100,
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
      tools: [{ name: 'f', input_schema: { type: 'object', properties: { a: { type: 'string' } } } }],
      tool_choice: { type: 'auto' },
      thinking: { type: 'adaptive' },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pngHeader(3, 3) } },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: 'b' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'c' }] }] },
      ],
    }
    const paths = [...pathsOf(good)]
    const replacement = fc.oneof(
      fc.constant(undefined),
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('', 'text', 'tool_result', 'tool_use', 'system', 0, -1, [], {}),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...paths), replacement), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const body: unknown = structuredClone(good)
          for (const [path, value] of changes) replace(body, path, structuredClone(value))
          const response = await post(body)
          assert.ok([200, 400, 404].includes(response.status), `${response.status}: ${JSON.stringify(body)}`)
        },
      ),
      { numRuns: 600 },
    )
  })
})

type Path = Array<string | number>

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value))
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key])
}

function replace(root: unknown, path: Path, value: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], root)
  if (typeof parent === 'object' && parent !== null) (parent as Record<string, unknown>)[path.at(-1)!] = value
}

function pngHeader(width: number, height: number): string {
  const bytes = Buffer.alloc(33)
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1')
  bytes.writeUInt32BE(13, 8)
  bytes.write('IHDR', 12)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes.toString('base64')
}
