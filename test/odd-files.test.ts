import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createServer } from '@colloquy/server'
import Anthropic from 'colloquy'
import { type Conversation, openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import fc from 'fast-check'

// Puts a wrong value in each place of a file of each format. An import is refused by name, or can be sent and exported.

const { fetch } = createServer({ engine: offline() })
const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: 'any', maxRetries: 0 })
const tools = [{ name: 'Read', description: 'Reads', input_schema: { type: 'object' as const } }]
const settings = { model: 'claude-opus-4-6', max_tokens: 200, tools }

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const usage = { input_tokens: 10, output_tokens: 2, iterations: [{ type: 'compaction', input_tokens: 1 }] }
const text = (value: string): object => ({ type: 'text', text: value })
const call = { type: 'tool_use', id: 't1', name: 'Read', input: { path: 'a' } }
const result = { type: 'tool_result', tool_use_id: 't1', content: [text('r')], is_error: true }
const reply = { id: 'm1', type: 'message', role: 'assistant', model: 'claude-opus-4-6', usage, stop_reason: 'tool_use' }
const at = { state: 'committed', createdAt: '2026-01-01T00:00:00Z' }

/** The lines of a file of each format; a list is the one line of its file. */
const samples: Record<string, unknown[]> = {
  chatgpt: [
    [
      {
        title: 'T',
        current_node: 'c',
        mapping: {
          r: { message: null, parent: null, children: ['a'] },
          a: { parent: 'r', message: { author: { role: 'user' }, create_time: 1.5, content: { parts: ['Hello'] } } },
          b: {
            parent: 'a',
            message: {
              author: { role: 'assistant' },
              content: { content_type: 'text', parts: ['Hi', { content_type: 'image_asset_pointer' }] },
              metadata: { model_slug: 'gpt-4' },
            },
          },
          c: { parent: 'b', message: { author: { role: 'tool' }, content: { content_type: 'code', text: '42' } } },
        },
      },
    ],
  ],
  librechat: [
    {
      conversationId: 'c',
      title: 'T',
      options: { promptPrefix: 'Be brief' },
      messages: [
        {
          messageId: 'a',
          parentMessageId: '00000000-0000-0000-0000-000000000000',
          isCreatedByUser: true,
          text: 'Hello',
          createdAt: '2026-01-01T00:00:00Z',
          files: [{ filename: 'a.pdf' }],
          children: [
            {
              messageId: 'b',
              parentMessageId: 'a',
              isCreatedByUser: false,
              model: 'gpt-5',
              content: [
                { type: 'think', think: 'Hm' },
                { type: 'tool_call', tool_call: { name: 'search', args: '{}', output: 'found' } },
                { type: 'text', text: { value: 'Hi' } },
              ],
              children: [],
            },
          ],
        },
      ],
    },
  ],
  'open webui': [
    [
      {
        title: 'T',
        chat: {
          history: {
            currentId: 'b',
            messages: {
              b: { parentId: 'a', role: 'assistant', content: 'Hi', model: 'llama3.2', timestamp: 1_763_600_010 },
              a: { parentId: null, role: 'user', content: 'Hello', timestamp: 1_763_600_000, files: [{ name: 'a' }] },
            },
          },
        },
      },
    ],
  ],
  'claude.ai': [
    [
      {
        name: 'N',
        chat_messages: [
          {
            uuid: '1',
            sender: 'human',
            content: [text('Hello')],
            created_at: '2026-01-01T00:00:00Z',
            attachments: [{ file_name: 'a.txt', extracted_content: 'data' }],
            files: [{ file_name: 'b.png' }],
          },
          {
            uuid: '2',
            parent_message_uuid: '1',
            sender: 'assistant',
            content: [call, { type: 'tool_result', content: [text('r')] }, text('Hi')],
          },
        ],
      },
    ],
  ],
  'AI SDK': [
    [
      {
        role: 'user',
        createdAt: '2026-01-01T00:00:00Z',
        parts: [text('Hello'), { type: 'file', mediaType: 'image/png', url: `data:image/png;base64,${png}` }],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'step-start' },
          { type: 'reasoning', text: 'r', providerMetadata: { anthropic: { signature: 'c2ln' } } },
          { type: 'tool-Read', toolCallId: 't1', state: 'output-available', input: {}, output: { b: 2 } },
          {
            type: 'tool-invocation',
            toolInvocation: { state: 'result', toolCallId: 't2', toolName: 'Read', args: {}, result: 'ok' },
          },
          { type: 'dynamic-tool', toolName: 'Read', toolCallId: 't3', state: 'output-error', errorText: 'bad' },
          text('done'),
        ],
      },
    ],
  ],
  'AI SDK, model messages': [
    [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          text('x'),
          { type: 'image', image: png },
          { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0xLjQK' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'r', providerOptions: { anthropic: { signature: 'c2ln' } } },
          { type: 'tool-call', toolCallId: 't1', toolName: 'Read', input: { a: 1 } },
          { type: 'tool-call', toolCallId: 't2', toolName: 'Read', args: {} },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 't1', toolName: 'Read', output: { type: 'error-text', value: 'r' } },
          { type: 'tool-result', toolCallId: 't2', toolName: 'Read', result: { b: 2 } },
        ],
      },
      { role: 'assistant', content: [text('done')] },
    ],
  ],
  LangChain: [
    [
      {
        lc: 1,
        id: ['langchain_core', 'messages', 'HumanMessage'],
        kwargs: {
          content: [
            text('x'),
            { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
            { type: 'image', mime_type: 'image/png', data: png },
          ],
        },
      },
      {
        type: 'ai',
        data: {
          content: [{ type: 'tool_use', id: 't1', name: 'Read', input: '{"a":1}', index: 0 }],
          tool_calls: [{ id: 't2', name: 'Read', args: {} }],
          response_metadata: { model: 'claude-opus-4-6', usage },
        },
      },
      { type: 'tool', tool_call_id: 't1', content: 'r', status: 'error' },
      { type: 'tool', tool_call_id: 't2', content: [text('r')] },
      { type: 'ai', content: 'end' },
    ],
  ],
  'Chat Completions': [
    [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          text('x'),
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQK' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        refusal: null,
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'Read', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 't1', content: 'r' },
      {
        role: 'assistant',
        content: [{ type: 'refusal', refusal: 'no' }],
        function_call: { name: 'Read', arguments: '' },
      },
      { role: 'function', name: 'Read', content: 'r' },
      { role: 'assistant', content: 'end' },
    ],
  ],
  llm: [
    [
      {
        conversation_id: 'c',
        conversation_name: 'N',
        model: 'gpt-4',
        prompt: 'Hello',
        response: 'Hi',
        system: 'Be brief.',
        datetime_utc: '2026-01-01T00:00:00+00:00',
        attachments: [{ type: 'image/png' }],
      },
    ],
  ],
  messages: [
    {
      role: 'user',
      content: [text('hi'), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }],
    },
    {
      ...reply,
      content: [{ type: 'thinking', thinking: 'x', signature: 'c2ln' }, { ...text('a'), citations: [] }, call],
    },
    {
      role: 'user',
      content: [result, { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'd' } }],
    },
    { role: 'assistant', content: 'b' },
  ],
  'Claude Code': [
    { type: 'summary', summary: 'S' },
    { type: 'user', uuid: '1', parentUuid: null, message: { role: 'user', content: 'q' } },
    { type: 'assistant', uuid: '2', parentUuid: '1', message: { ...reply, content: [text('a')] } },
    { type: 'assistant', uuid: '3', parentUuid: '2', message: { ...reply, content: [call] } },
    { type: 'user', uuid: '4', parentUuid: '3', message: { role: 'user', content: [result] } },
    { type: 'assistant', uuid: '5', parentUuid: '4', message: { ...reply, id: 'm2', content: [text('end')] } },
  ],
  colloquy: [
    { type: 'conversation', id: 'c1', title: 'T', createdAt: at.createdAt, head: '5', settings, metadata: { a: 1 } },
    { type: 'message', id: '1', parentId: null, ...at, message: { role: 'user', content: 'hi' } },
    {
      type: 'message',
      id: '2',
      parentId: '1',
      ...at,
      reply: { cost_pico_usd: 100, message: reply },
      received: { role: 'assistant', content: [text('h'), call, text('')] },
      message: { role: 'assistant', content: [text('h'), call] },
    },
    { type: 'message', id: '3', parentId: '2', ...at, message: { role: 'user', content: [result] } },
    { type: 'message', id: '4', parentId: '3', ...at, message: { role: 'assistant', content: [text('bye')] } },
    {
      type: 'message',
      id: '5',
      parentId: '4',
      ...at,
      state: 'interrupted',
      message: { role: 'assistant', content: 'x' },
    },
    { type: 'message', id: '6', parentId: '5', role: 'summary', ...at, reply: { summary: { upTo: 5, text: 's' } } },
  ],
}

const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
const plain: unknown[] = [null, 5, -1, 1e300, 1.5, 'x', '', '  \n', true, [], {}, [null], [1], ['x'], [{}], [[]]]
const odd = ['\ud800', 'a\0b', '__proto__', 'constructor', 'x'.repeat(10_000), '\u200b', '\u001b]52;c;x\u0007']
const blocks = [{ type: 'text' }, { type: 5 }, [{ type: 'text', text: null }]]
const wrong: unknown[] = [...plain, ...odd, ...blocks, JSON.parse('{"__proto__":{"x":1}}'), undefined, nested]

type Path = readonly string[]

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    // A wrong setting is refused by the request, and configure() replaces it.
    if (name === 'settings') continue
    yield [...path, name]
    yield* pathsIn(member, [...path, name])
  }
}

function changed(value: unknown, [name, ...rest]: Path, to: unknown): unknown {
  if (name === undefined) return to
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = changed(copy[name], rest, to)
  return copy
}

function fileOf(lines: unknown): string {
  const written = (lines as unknown[]).map((line) => JSON.stringify(line) ?? '')
  return written.join('\n').replace(JSON.stringify(nested), nested)
}

async function exported(conversation: Conversation, all = openedFor(conversation)): Promise<unknown[]> {
  const lines = (await Array.fromAsync(all.export(conversation.id))).map((line) => JSON.parse(line) as object)
  return lines.map((line) => ({ ...line, ...('head' in line && { id: '', createdAt: '' }) }))
}

const opened = new WeakMap<Conversation, ReturnType<typeof openConversations>>()
const openedFor = (conversation: Conversation): ReturnType<typeof openConversations> => opened.get(conversation)!

async function checkFile(file: string): Promise<void> {
  const conversations = openConversations({ client, cacheMarks: false })
  const conversation = await conversations.import(file, settings).catch((error: unknown) => {
    const { name, message } = error as Error
    assert.match(name, /^(?:ContentError|AnthropicError|RangeError)$/, String((error as Error).stack))
    assert.match(message, /^Cannot (?!read)/, String((error as Error).stack))
  })
  if (conversation === undefined) return
  opened.set(conversation, conversations)
  JSON.stringify([conversation.messages, conversation.usage])
  for (const { content } of conversation.messages)
    if (typeof content !== 'string') for (const block of content) assert.equal(typeof block?.type, 'string')
  assert.deepEqual(await Array.fromAsync(conversations.check()), [])
  const lines = await exported(conversation)
  const again = await conversations.import(lines.map((line) => JSON.stringify(line)).join('\n'))
  opened.set(again, conversations)
  assert.deepEqual(again.report.notes, [])
  assert.deepEqual(await exported(again), lines)
  await conversation.send('And?').catch((error: unknown) => {
    // A block of a type that this version does not know may come from a newer API.
    assert.match(String(error), /Input tag/, file.slice(0, 2_000))
  })
}

describe('import() of a file with one wrong value', () => {
  for (const [format, lines] of Object.entries(samples)) {
    const places = [...pathsIn(lines)]
    test(`${format} is refused by name, or can be sent and exported`, async () => {
      await checkFile(fileOf(lines))
      const change = fc.tuple(fc.constantFrom(...places), fc.constantFrom(...wrong))
      await fc.assert(
        fc.asyncProperty(change, ([path, value]) => checkFile(fileOf(changed(lines, path, value)))),
        { numRuns: process.env['COLLOQUY_FUZZ'] ? 400 : 30 },
      )
    })
  }

  test('an export that lost a line can be sent and exported', async () => {
    const lines = samples['colloquy']!
    for (const index of lines.keys()) if (index > 0) await checkFile(fileOf(lines.toSpliced(index, 1)))
  })

  test('a tool result that reports an error without content can be sent and exported', async () => {
    const failed = { type: 'tool_result', tool_use_id: 't1', is_error: true }
    for (const content of ['', [], undefined]) {
      const silent = { ...failed, content }
      await checkFile(fileOf(changed(samples['messages'], ['2', 'content', '0'], silent)))
      await checkFile(fileOf(changed(samples['colloquy'], ['3', 'message', 'content', '0'], silent)))
    }
  })

  test('a blank text with wrong citations is left out', async () => {
    const content = [{ ...text(' '), citations: 5 }, text('a')]
    await checkFile(fileOf(changed(samples['LangChain'], ['0', '0', 'kwargs', 'content'], content)))
    const file = JSON.stringify([
      { type: 'human', content },
      { type: 'ai', content: 'b' },
    ])
    const imported = await openConversations({ client, cacheMarks: false }).import(file, settings)
    assert.deepEqual(imported.preview('And?').messages[0]!.content, [text('a')])
  })

  const image = (source: object): object => ({ type: 'image', source })
  const base64 = { type: 'base64', media_type: 'image/png', data: png }
  for (const [name, content, sent] of [
    ['an image without data', [image({ ...base64, data: '' }), text('a')], ['text']],
    ['an image that cannot be read', [image({ ...base64, data: 'AAAA' }), text('a')], ['text']],
    ['an image with the media type of another kind', [image({ ...base64, media_type: 'image/jpeg' })], ['image']],
    ['an image at an http: address', [image({ type: 'url', url: 'http://a.test/b.png' }), text('a')], ['text']],
    ['a block of no known type', [{ type: 'audio', data: 'x' }, text('a')], ['text']],
    [
      'a document that is no PDF',
      [{ ...image({ ...base64, media_type: 'application/pdf' }), type: 'document' }, text('a')],
      ['text'],
    ],
  ] as [string, object[], string[]][]) {
    test(`messages with ${name} go out without it`, async () => {
      const conversations = openConversations({ client, cacheMarks: false })
      const conversation = await conversations.import(
        fileOf([
          { role: 'user', content },
          { role: 'assistant', content: 'b' },
        ]),
        settings,
      )
      const [message] = conversation.preview('And?').messages
      assert.deepEqual(
        (message!.content as { type: string }[]).map(({ type }) => type),
        sent,
      )
      assert.equal(conversation.report.notes.length, 1)
      await conversation.send('And?')
    })
  }
})
