import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { offline } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { createServer } from '../../app.ts'

// Each rule of the API with the sentence that a request gets if it breaks the rule.

const { fetch } = createServer({ engine: offline() })
const user = (content: unknown): object => ({ role: 'user', content })
const assistant = (content: unknown): object => ({ role: 'assistant', content })
const system = (content: unknown): object => ({ role: 'system', content })
const text = (words: string, more: object = {}): object => ({ type: 'text', text: words, ...more })
const thinking = { type: 'thinking', thinking: 'h', signature: 'c2ln' }
const use = (more: object = {}): object => ({ type: 'tool_use', id: 't', name: 'n', input: {}, ...more })
const result = (more: object = {}): object => ({ type: 'tool_result', tool_use_id: 't', content: 'k', ...more })
const search = (more: object = {}): object => ({
  type: 'server_tool_use',
  id: 'srvtoolu_1',
  name: 'web_search',
  input: {},
  ...more,
})
const found = (more: object = {}): object => ({
  type: 'web_search_tool_result',
  tool_use_id: 'srvtoolu_1',
  content: [],
  ...more,
})
const called = (call: object, answer: object): object => ({
  messages: [user('x'), assistant([use(call)]), user([result(answer)])],
})
const tool = (input_schema: object, more: object = {}): object => ({
  tools: [{ name: 'a', description: 'd', input_schema, ...more }],
})
const strictTool = (properties: object, more: object = {}): object =>
  tool({ type: 'object', properties, additionalProperties: false, ...more }, { strict: true })
const output = (schema: object): object => ({ output_config: { format: { type: 'json_schema', schema } } })
const image = (source: object): object => ({ messages: [user([{ type: 'image', source }])] })
const mark = (ttl: string): object => ({ cache_control: { type: 'ephemeral', ttl } })
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

const draft = 'JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12).'
const toolDraft = `tools.0.custom.input_schema: ${draft} Learn more about tool use at https://docs.claude.com/en/docs/tool-use.`
const keys = "tools.0.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"
const topLevel = 'tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level'
const closed = "For 'object' type, 'additionalProperties' must be explicitly set to false"
const open =
  "For 'object' type, 'additionalProperties: object' is not supported. Please set 'additionalProperties' to false"
const format = 'output_config.format.schema'
const https = 'Only HTTPS URLs are supported.'
const docs = 'Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking'

interface Options {
  model?: string
  version?: string
  betas?: string
}

const rules: Record<string, Array<[change: object, message: string, options?: Options]>> = {
  'fields and values': [
    [{ max_tokens: undefined }, 'max_tokens: Field required'],
    [{ colour: 1 }, 'colour: Extra inputs are not permitted'],
    [{ temperature: 1 }, 'temperature: Extra inputs are not permitted', { version: '2026-10-21' }],
    [{ temperature: 2 }, 'temperature: range: 0..1'],
    [{ max_tokens: -1 }, 'max_tokens: Input should be greater than or equal to 0'],
    [{ stop_sequences: [' '] }, 'stop_sequences: each stop sequence must contain non-whitespace'],
    [{ metadata: { user_id: '👍'.repeat(257) } }, 'metadata.user_id: String should have at most 256 characters'],
    [{ messages: [user([{ type: { toString: 1 } }])] }, 'messages.0.content.0.type: Input should be a valid string'],
    [{ messages: [user([{ text: 'a' }])] }, 'messages.0.content.0.type: Field required'],
    [{ thinking: {} }, 'thinking.type: Field required'],
    [{ tool_choice: {} }, 'tool_choice.type: Field required'],
    [image({}), 'messages.0.content.0.image.source.type: Field required'],
    [{ inference_geo: 'eu' }, "inference_geo: must be one of ['global', 'us']"],
    [{ speed: 'fast' }, "'claude-sonnet-4-6' does not support the `speed` parameter."],
    ...['container_1', { id: 'container_1' }].map((container): [object, string] => [
      { container },
      'container: Container identifier can only be provided when using the code execution tool',
    ]),
    [
      { tool_choice: { type: 'any' } },
      'tool_choice.any may only be specified while providing tools',
      { model: 'claude-opus-5' },
    ],
  ],
  messages: [
    [{ messages: [] }, 'messages: at least one message is required'],
    [
      { messages: [user('')] },
      'messages.0: all messages must have non-empty content except for the optional final assistant message',
    ],
    [{ messages: [user([text('')])] }, 'messages: text content blocks must be non-empty'],
    [{ messages: [user([text(' ')])] }, 'messages: text content blocks must contain non-whitespace text'],
    [
      { messages: [user('a'), assistant('b ')] },
      'messages: final assistant content cannot end with trailing whitespace',
      { model: 'claude-haiku-4-5' },
    ],
    [
      { messages: [user('a'), assistant('b')] },
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    ],
    [{ messages: [{ role: 'robot', content: 'a' }] }, "messages.0.role: Input should be 'user' or 'assistant'"],
    [{ messages: [user('a'), system('b')] }, "role 'system' is not supported on this model"],
    [
      { messages: [system('b'), user('a')] },
      "messages.0: use the top-level 'system' parameter for the initial system prompt",
      { model: 'claude-opus-5' },
    ],
    [
      { messages: [user('a'), assistant('b'), system('c'), assistant('d'), user('e')] },
      'messages.2: a system message must immediately follow a user turn',
      { model: 'claude-opus-5' },
    ],
    [
      { messages: [user('a'), system('b'), user('c')] },
      'messages.1: a system message must be the last message or be followed by an assistant turn',
      { model: 'claude-opus-5' },
    ],
    ...(['thinking', 'redacted_thinking'] as const).map((type): [object, string] => [
      {
        messages: [user('a'), assistant([text('b'), type === 'thinking' ? thinking : { type, data: 'd' }]), user('c')],
      },
      `messages.1: The final block in an assistant message cannot be \`${type}\`.`,
    ]),
    [{ messages: [user([thinking])] }, 'messages.0.content: thinking blocks may only be in `assistant` messages'],
    [{ messages: [user([use()])] }, 'messages.0: `tool_use` blocks can only be in `assistant` messages'],
    [
      { messages: [user('a'), assistant([result()]), user('b')] },
      'messages.1: `tool_result` blocks can only be in `user` messages',
    ],
  ],
  'tool calls and results': [
    [
      { messages: [user('a'), assistant([use()]), user('b')] },
      'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    ],
    [
      { messages: [user([result()])] },
      'messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    ],
    [
      { messages: [user('a'), assistant([use()]), user([result(), result()])] },
      'messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: t',
    ],
    [
      { messages: [user('a'), assistant([use(), use()]), user([result()])] },
      'messages.1.content.1: `tool_use` ids must be unique',
    ],
    [
      called({ id: 'functions.Bash:0' }, { tool_use_id: 'functions.Bash:0' }),
      "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ],
    [
      called({}, { tool_use_id: 'a b' }),
      "messages.2.content.0.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ],
    [
      called({ name: 'browser.open' }, {}),
      "messages.1.content.0.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ],
    ...[{ content: '' }, { content: [] }, { content: undefined }].map((content): [object, string] => [
      called({}, { is_error: true, ...content }),
      'messages.2.content.0.tool_result: content cannot be empty if `is_error` is true',
    ]),
    [
      {
        messages: [user('a'), assistant([search()]), user('b')],
      },
      'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block',
    ],
    [
      { messages: [user('a'), assistant([found()]), user('b')] },
      'messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each `web_search_tool_result` block must have a corresponding `server_tool_use` block before it.',
    ],
    [
      { messages: [user('a'), assistant([found(), search()]), user('b')] },
      'messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each `web_search_tool_result` block must have a corresponding `server_tool_use` block before it.',
    ],
    [
      { messages: [user('a'), assistant([search({ id: 'call_1' })]), user('b')] },
      "messages.1.content.0.server_tool_use.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'",
    ],
    [
      { messages: [user('a'), assistant([search(), found({ content: 'words' })]), user('b')] },
      'messages.1.content.1.web_search_tool_result.content: Input should be a valid dictionary',
    ],
    [
      { messages: [user('a'), assistant([search({ name: 'browse' })]), user('b')] },
      "messages.1.content.0.server_tool_use.name: Input should be 'web_search', 'web_fetch', 'code_execution', 'bash_code_execution', 'text_editor_code_execution', 'tool_search_tool_regex', 'tool_search_tool_bm25' or 'advisor'",
    ],
    [
      tool({ type: 'object' }, { allowed_callers: ['anyone'] }),
      "tools.0.custom.allowed_callers.0: Input should be 'direct', 'code_execution_20250825', 'code_execution_20260120' or 'code_execution_20260521'",
    ],
  ],
  'schemas of tools': [
    ...['oneOf', 'anyOf', 'allOf'].map((keyword): [object, string] => [
      tool({ type: 'object', [keyword]: [{ required: ['a'] }] }),
      topLevel,
    ]),
    ...['filter[id]', 'k'.repeat(65), '', 'a b', 'é'].map((key): [object, string] => [
      tool({ type: 'object', properties: { [key]: {} } }),
      keys,
    ]),
    ...[
      { properties: { a: { type: 'strin' } } },
      { properties: { a: { type: 'number', exclusiveMinimum: true } } },
      { properties: { a: {} }, required: 'a' },
      { required: [1] },
      { required: [{ toString: 1 }] },
      { required: ['a', 'a'] },
      { properties: [] },
      { properties: { a: 'string' } },
      { properties: { a: { items: [{}] } } },
      { properties: { a: { minItems: { toString: 1 } } } },
      { properties: { a: { minLength: -1 } } },
      { properties: { a: { maxLength: 1.5 } } },
      { properties: { a: { pattern: 1 } } },
      { properties: { a: { type: [] } } },
      { properties: { a: { type: ['string', 'string'] } } },
      { properties: { a: { enum: 'b' } } },
      { properties: { a: { anyOf: [] } } },
      { properties: { a: { multipleOf: 0 } } },
      { properties: { a: { $ref: 1 } } },
      { $defs: { a: null } },
      { description: 1 },
    ].map((schema): [object, string] => [tool({ type: 'object', ...schema }), toolDraft]),
    [
      { tools: [{ name: 'a.b', input_schema: { type: 'object' } }] },
      "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ],
    [
      {
        tools: [
          { name: 'a', input_schema: { type: 'object' } },
          { name: 'a', input_schema: { type: 'object' } },
        ],
      },
      'tools: Tool names must be unique.',
    ],
    [{ tool_choice: { type: 'tool', name: 'x' } }, "Tool 'x' not found in provided tools"],
  ],
  'schemas of structured outputs': [
    [output({ type: 'strin' }), `${format}: ${draft}`],
    [output({ required: [1] }), `${format}: ${draft}`],
    [output({ type: 'object', properties: {}, required: [] }), `${format}: ${closed}`],
    [output({ type: 'object', additionalProperties: { type: 'string' } }), `${format}: ${open}`],
    [output({ type: 'object', additionalProperties: true }), `${format}: ${open}`],
    [output({ type: 'array', items: { type: ['object', 'null'] } }), `${format}: ${closed}`],
    [output({ anyOf: [{ type: 'object' }] }), `${format}: ${closed}`],
    [output({ $defs: { a: { type: 'object' } }, $ref: '#/$defs/a' }), `${format}: ${closed}`],
    [output({ type: 'integer', minimum: 1 }), `${format}: For 'integer' type, property 'minimum' is not supported`],
    [
      output({ type: 'integer', minimum: 1, maximum: 9 }),
      `${format}: For 'integer' type, properties maximum, minimum are not supported`,
    ],
    [
      output({ type: 'string', minLength: 1, maxLength: 9 }),
      `${format}: For 'string' type, properties maxLength, minLength are not supported`,
    ],
    [output({ type: 'array', maxItems: 3 }), `${format}: For 'array' type, property 'maxItems' is not supported`],
    [
      output({ type: 'array', minItems: 2 }),
      `${format}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`,
    ],
    [
      output({ type: 'string', pattern: '(?=a)b' }),
      `${format}: Unsupported regex feature in pattern field: lookaround`,
    ],
    [
      output({ type: 'string', pattern: '(a)\\1' }),
      `${format}: Unsupported regex feature in pattern field: backreference`,
    ],
    [
      output({ type: 'string', pattern: '\\ba' }),
      `${format}: Unsupported regex feature in pattern field: word boundary`,
    ],
    [strictTool({}, { additionalProperties: undefined }), `tools.0.custom: ${closed}`],
    [
      strictTool({ a: { type: 'number', maximum: 1 } }),
      "tools.0.custom: For 'number' type, property 'maximum' is not supported",
    ],
    [
      strictTool(Object.fromEntries(times(25, (i) => [`a${i}`, { type: 'string' }]))),
      'Schemas contains too many optional parameters (25), which would make grammar compilation inefficient. Reduce the number of optional parameters in your tool schemas (limit: 24).',
    ],
    [
      strictTool(Object.fromEntries(times(17, (i) => [`a${i}`, { type: ['string', 'null'] }])), {
        required: times(17, (i) => `a${i}`),
      }),
      'Schemas contains too many parameters with union types (17 parameters with type arrays or anyOf). This causes exponential compilation cost. Reduce the number of nullable or union-typed parameters (limit: 16 parameters with unions).',
    ],
    [
      {
        tools: times(21, (i) => ({
          name: `a${i}`,
          strict: true,
          input_schema: { type: 'object', additionalProperties: false },
        })),
      },
      'Too many strict tools (21). The maximum number of strict tools supported is 20. Try reducing the number of tools marked as strict.',
    ],
  ],
  'fields of betas': [
    [
      { messages: [{ role: 'user', content: 'a', clear_at: 'never' }] },
      'messages.0.clear_at: Extra inputs are not permitted',
    ],
    [
      { messages: [{ role: 'user', content: 'a', clear_at: 'never' }] },
      'messages.0.clear_at: Extra inputs are not permitted',
      { betas: 'mid-conversation-system-clear-at-2026-08-21' },
    ],
    [
      { messages: [user('a'), { ...system([]), output_config: { effort: 'low' } }] },
      'messages.1.output_config: Extra inputs are not permitted',
      { model: 'claude-opus-5' },
    ],
    [
      { messages: [user('a'), { ...system([]), output_config: { effort: 'most' } }] },
      "messages.1.output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
      { model: 'claude-opus-5', betas: 'mid-conversation-output-config-2026-07-01' },
    ],
    [
      { messages: [user('a'), system([{ type: 'tool_addition' }])] },
      'messages.1.content.0.tool_addition.tool: Field required',
      { model: 'claude-opus-5', betas: 'mid-conversation-tool-changes-2026-07-01' },
    ],
    [
      { thinking: { type: 'adaptive', display: 'updates' } },
      "thinking.adaptive.display: Input should be 'summarized' or 'omitted'",
    ],
    [
      { thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'ignore' } } },
      "thinking.adaptive.block_binding.prefix_mismatch_behavior: Input should be 'error' or 'drop_block'",
      { betas: 'thinking-binding-controls-2026-08-01' },
    ],
    [
      { output_config: { task_budget: { type: 'tokens' } } },
      'output_config.task_budget.total: Field required',
      { betas: 'task-budgets-2026-03-13' },
    ],
    [
      { mcp_servers: [{ type: 'url', name: 'a' }] },
      'mcp_servers.0.url: Field required',
      { betas: 'mcp-client-2025-11-20' },
    ],
    [
      { context_management: { edits: [{ type: 'forget' }] } },
      "context_management.edits.0: Input tag 'forget' found using 'type' does not match any of the expected tags: 'clear_tool_uses_20250919', 'clear_thinking_20251015', 'compact_20260112'",
      { betas: 'context-management-2025-06-27' },
    ],
    [
      { context_management: { edits: [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 9 } }] } },
      'context_management.edits.0.compact_20260112.trigger.value: Input should be greater than or equal to 50000',
      { betas: 'compact-2026-01-12' },
    ],
    [
      { context_management: { edits: [{ type: 'clear_thinking_20251015' }] } },
      '`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive',
      { betas: 'context-management-2025-06-27' },
    ],
  ],
  media: [
    [image({ type: 'url', url: 'http://127.0.0.1/x.png' }), https],
    [{ messages: [user([{ type: 'document', source: { type: 'url', url: 'file:///etc/hosts' } }])] }, https],
    [called({}, { content: [{ type: 'image', source: { type: 'url', url: 'data:,' } }] }), https],
    [
      {
        messages: [
          user([
            {
              type: 'document',
              source: { type: 'content', content: [{ type: 'image', source: { type: 'url', url: 'ftp://x/y' } }] },
            },
          ]),
        ],
      },
      https,
    ],
    [image({ type: 'base64', media_type: 'image/png', data: 'eA==' }), 'Could not process image'],
  ],
  'thinking and the cache': [
    [
      {
        thinking: { type: 'enabled', budget_tokens: 1024 },
        max_tokens: 2000,
        messages: [user('a'), assistant([text('b'), thinking, text('c')]), user('d')],
      },
      'messages.1.content.0: If an assistant message contains any thinking blocks, the first block must be `thinking` or `redacted_thinking`. Found `text`.',
    ],
    [
      { ...called({}, {}), thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000 },
      `messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`tool_use\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. ${docs}`,
    ],
    [
      {
        thinking: { type: 'enabled', budget_tokens: 1024 },
        max_tokens: 2000,
        messages: [user('a'), assistant('It is')],
      },
      `messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`text\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. ${docs}`,
      { model: 'claude-haiku-4-5' },
    ],
    [
      { messages: [user('a'), assistant([{ ...thinking, signature: '' }, text('b')]), user('c')] },
      'messages.1.content.0: Invalid `signature` in `thinking` block',
    ],
    [
      { thinking: { type: 'enabled', budget_tokens: 1023 } },
      'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
    ],
    [
      { messages: [user(times(5, () => text('a', mark('5m'))))] },
      'A maximum of 4 blocks with cache_control may be provided. Found 5.',
    ],
    ...['search_result', 'document'].map((type): [object, string] => {
      const content = times(5, () => text('a', mark('5m')))
      const block =
        type === 'document'
          ? { type, source: { type: 'content', content } }
          : { type, source: 's', title: 't', content }
      return [{ messages: [user([block])] }, 'A maximum of 4 blocks with cache_control may be provided. Found 5.']
    }),
    [{ system: [text('', mark('5m'))] }, 'system.0: cache_control cannot be set for empty text blocks'],
    [
      called({}, { content: [text('', mark('5m'))] }),
      'messages.2.content.0.content.0.text: cache_control cannot be set for empty text blocks',
    ],
    [
      { messages: [user('a'), assistant([text('b', { citations: [{ type: 'char_location' }] })]), user('c')] },
      'messages.1.content.0.text.citations.0.char_location.cited_text: Field required',
    ],
    [
      { messages: [user([text('a', mark('5m')), text('b', mark('1h'))])] },
      "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    ],
  ],
}

for (const [group, rows] of Object.entries(rules)) {
  suite(`a request is refused by the rules of ${group}`, () => {
    for (const [change, message, options] of rows) {
      test(JSON.stringify(change).slice(0, 100), async () => {
        assert.equal(await send(change, options), `400 invalid_request_error ${message}`)
      })
    }
  })
}

test('a request at the limits of the rules is accepted', async () => {
  const closedObject = { type: 'object', additionalProperties: false }
  const good = [
    { metadata: { user_id: '👍'.repeat(256) } },
    called({ id: 'call_0-A', name: 'a-b_C' }, { tool_use_id: 'call_0-A' }),
    called({}, { is_error: true }),
    called({}, { content: '' }),
    tool({ type: 'object', properties: { 'a.b-c_D': { oneOf: [{}, { not: {} }] } }, $schema: 'x', 'x-note': 1 }),
    tool({ type: 'object', properties: { a: { minimum: 1, pattern: '(?=a)' } } }),
    output({
      ...closedObject,
      properties: { a: { type: 'array', minItems: 1, items: { enum: ['a'] } } },
      required: ['a'],
    }),
    output({ type: 'string', pattern: '^[(?=]\\\\b$' }),
    strictTool(Object.fromEntries(times(24, (i) => [`a${i}`, { type: 'string' }]))),
    image({ type: 'url', url: 'HTTPS://example.com/x.png' }),
    {
      messages: [user('a'), assistant([thinking, use()]), user([result()])],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      max_tokens: 2000,
    },
    { container: 'container_1', tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    { container: { skills: [] } },
    { inference_geo: 'us' },
    { messages: [user('a'), assistant([search(), found(), text('b')]), user('c')] },
    { messages: [user('a'), assistant([search(), use()]), user([result()]), assistant([found()]), user('c')] },
  ]
  for (const change of good) assert.equal(await send(change), '200', JSON.stringify(change).slice(0, 300))
  assert.equal(await send({ speed: 'fast' }, { model: 'claude-opus-5-5' }), '200')
  const edits = [{ type: 'clear_thinking_20251015', keep: 'all' }, { type: 'clear_tool_uses_20250919' }]
  const betas = 'context-management-2025-06-27'
  assert.equal(await send({ context_management: { edits } }, { model: 'claude-opus-5', betas }), '200')
})

test('lenient mode accepts calls, containers and regions of other servers', async () => {
  const { fetch: lenient } = createServer({ engine: offline(), lenient: true })
  const others = [
    {
      messages: [
        user('a'),
        assistant([search({ id: 'call_1', name: 'browse' }), found({ tool_use_id: 'call_1' })]),
        user('b'),
      ],
    },
    { messages: [user('a'), assistant([text('b', { citations: [{ type: 'char_location' }] })]), user('c')] },
    { messages: [{ role: 'user', content: 'a', clear_at: 'never' }] },
    { container: 'container_1', inference_geo: 'eu', speed: 'fast' },
  ]
  for (const change of others) assert.equal(await send(change, {}, lenient), '200', JSON.stringify(change))
})

test('lenient mode accepts schemas beyond the limits of the API, but only valid ones', async () => {
  const { fetch: lenient } = createServer({ engine: offline(), lenient: true })
  const change = { ...tool({ type: 'object', anyOf: [{}], properties: { 'a[b]': {} } }), ...output({ type: 'object' }) }
  assert.equal(await send(change, {}, lenient), '200')
  assert.match(await send(output({ type: 'strin' }), {}, lenient), /^400 .* JSON schema is invalid/)
})

async function send(
  change: object,
  { model = 'claude-sonnet-4-6', version = '2023-06-01', betas }: Options = {},
  to: typeof fetch = fetch,
): Promise<string> {
  const body = { model, max_tokens: 50, messages: [user('hi')], ...change }
  const headers = { 'anthropic-version': version, ...(betas && { 'anthropic-beta': betas }) }
  const response = await to('http://test/v1/messages', { method: 'POST', headers, body: JSON.stringify(body) })
  const { error } = (await response.json()) as Partial<ErrorBody>
  return error ? `${response.status} ${error.type} ${error.message}` : String(response.status)
}
