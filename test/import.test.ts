import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createServer } from '@colloquy/server'
import Anthropic from 'colloquy'
import { type Conversations, type ImportReport, memoryStore, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { offline } from 'colloquy/engines'
import fc from 'fast-check'

// Sends imported conversations to the strict server: content that the API refuses would fail with every later request.

const { fetch } = createServer({ engine: offline() })
const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: 'any', maxRetries: 0 })
const settings = {
  model: 'claude-opus-4-6',
  max_tokens: 200,
  tools: [{ name: 'Read', description: 'Reads', input_schema: { type: 'object' as const } }],
}

const folder = mkdtempSync(join(tmpdir(), 'colloquy-import-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const text = (value: string): object => ({ type: 'text', text: value })
const call = (id: string): object => ({ type: 'tool_use', id, name: 'Read', input: {} })
const result = (id: string): object => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })

function line(fields: object): string {
  return JSON.stringify({ isSidechain: false, timestamp: '2026-11-20T10:00:00.000Z', ...fields })
}

function user(uuid: string, parentUuid: string | null, content: unknown): string {
  return line({ type: 'user', uuid, parentUuid, message: { role: 'user', content } })
}

function assistant(uuid: string, parentUuid: string | null, id: string, block: object, more: object = {}): string {
  const usage = { input_tokens: 10, output_tokens: 2 }
  const message = { id, type: 'message', role: 'assistant', model: 'claude-opus-4-6', content: [block], usage, ...more }
  return line({ type: 'assistant', uuid, parentUuid, message })
}

interface Imported {
  /** The messages that the next request would send, without its question. */
  sent: string[]
  report: ImportReport
  title: string | undefined
}

/** Imports a file and sends one message, which the server must accept. */
async function importAndSend(file: string, given: object = settings): Promise<Imported> {
  const conversation = await openConversations({ client, cacheMarks: false }).import(file, given)
  const sent = conversation.preview('And?').messages.slice(0, -1)
  await conversation.send('And?')
  return {
    sent: sent.map(({ role, content }) => `${role}: ${typeof content === 'string' ? content : namesIn(content)}`),
    report: conversation.report,
    title: conversation.title,
  }
}

function namesIn(content: readonly { type: string; text?: string; id?: string; tool_use_id?: string }[]): string {
  return content.map((block) => block.text ?? block.id ?? block.tool_use_id ?? block.type).join('+')
}

describe('import() of a Claude Code transcript', () => {
  const cases: [name: string, lines: string[], sent: string[], notes: RegExp[]][] = [
    [
      'joins the calls of a reply whose results stand between them',
      [
        user('1', null, 'Read both'),
        assistant('2', '1', 'msg_1', call('t1')),
        user('3', '2', [result('t1')]),
        assistant('4', '2', 'msg_1', call('t2')),
        user('5', '4', [result('t2')]),
        assistant('6', '3', 'msg_2', text('Both')),
      ],
      ['user: Read both', 'assistant: t1+t2', 'user: t1+t2', 'assistant: Both'],
      [],
    ],
    [
      'takes the line before for a parent that is not in the file',
      [user('1', null, 'a'), assistant('2', '1', 'm1', text('b')), user('3', 'gone', 'c')],
      ['user: a', 'assistant: b', 'user: c'],
      [/^3 repaired its parent gone is not in the file/],
    ],
    [
      'follows a parent that stands later in the file',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', text('b')),
        line({ type: 'attachment', uuid: '3', parentUuid: '4' }),
        line({ type: 'system', uuid: '4', parentUuid: '2', content: 'hook' }),
        user('5', '3', 'c'),
      ],
      ['user: a', 'assistant: b', 'user: c'],
      [],
    ],
    [
      'breaks a circle of parents',
      [user('1', '2', 'a'), user('2', '1', 'b')],
      ['user: b', 'user: a'],
      [/^\d repaired its parents form a circle/],
    ],
    [
      'leaves out citations that the API refuses, and keeps their text',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', { type: 'text', text: 'no kind', citations: [{}] }),
        user('3', '2', 'b'),
        assistant('4', '3', 'm2', { type: 'text', text: 'no place', citations: [{ type: 'char_location' }] }),
        user('5', '4', 'c'),
        assistant('6', '5', 'm3', {
          type: 'text',
          text: 'whole',
          citations: [
            {
              type: 'web_search_result_location',
              cited_text: 'a',
              title: null,
              url: 'https://a.de',
              encrypted_index: 'b',
            },
          ],
        }),
      ],
      ['user: a', 'assistant: no kind', 'user: b', 'assistant: no place', 'user: c', 'assistant: whole'],
      [/^2 repaired .*citations that the API refuses/, /^4 repaired .*citations that the API refuses/],
    ],
    [
      'reads each line once',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', call('t1')),
        assistant('2', '1', 'm1', call('t1')),
        user('3', '2', [result('t1')]),
        user('3', '2', [result('t1')]),
        assistant('4', '3', 'm2', text('done')),
      ],
      ['user: a', 'assistant: t1', 'user: t1', 'assistant: done'],
      [/^3 skipped .*uuid 2 once more/, /^5 skipped .*uuid 3 once more/],
    ],
    [
      'sends calls on the branch that answers them only',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', text('Let me look')),
        assistant('3', '2', 'm1', call('t1')),
        user('4', '3', [result('t1')]),
        assistant('5', '4', 'm2', text('done')),
        user('6', '3', 'no, stop'),
      ],
      ['user: a', 'assistant: Let me look', 'user: no, stop'],
      [/^2 repaired .*call t1, which has no result/],
    ],
    [
      'leaves blank texts out',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', text('\n\n')),
        assistant('3', '2', 'm1', text('b')),
        user('4', '3', 'c'),
        assistant('5', '4', 'm2', text('')),
      ],
      ['user: a', 'assistant: b', 'user: c'],
      [/^2 repaired .*without a visible character/, /^5 skipped never sent/],
    ],
    [
      'leaves out notices of the program and side conversations',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', text('No response requested.'), { model: '<synthetic>' }),
        line({
          type: 'assistant',
          uuid: '3',
          parentUuid: '2',
          isSidechain: true,
          message: { role: 'assistant', content: [text('x')] },
        }),
        assistant('4', '2', 'm2', text('b')),
      ],
      ['user: a', 'assistant: b'],
      [/^2 skipped a notice/, /^3 skipped part of a side conversation/],
    ],
    [
      'begins with the summary of a compaction',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', text('b')),
        line({ type: 'system', subtype: 'compact_boundary', uuid: '3', parentUuid: null, logicalParentUuid: '2' }),
        line({
          type: 'user',
          uuid: '4',
          parentUuid: '3',
          isCompactSummary: true,
          message: { role: 'user', content: 'So far: a, b' },
        }),
        assistant('5', '4', 'm2', text('c')),
      ],
      ['user: So far: a, b', 'assistant: c'],
      [],
    ],
    [
      'keeps the order of results before text, and one result for a call',
      [
        user('1', null, 'a'),
        assistant('2', '1', 'm1', call('t1')),
        user('3', '2', [text('by the way'), result('t1'), result('t1'), result('t9')]),
        assistant('4', '3', 'm2', text('done')),
      ],
      ['user: a', 'assistant: t1', 'user: t1+by the way', 'assistant: done'],
      [/^3 repaired/],
    ],
  ]
  for (const [name, lines, sent, notes] of cases) {
    test(name, async () => {
      const imported = await importAndSend(lines.join('\n'))
      assert.deepEqual(imported.sent, sent)
      assert.equal(imported.report.format, 'claude-code')
      assertNotes(imported.report, notes)
    })
  }

  const two = [user('1', null, 'a'), assistant('2', '1', 'm1', text('b'))].join('\n')
  for (const [name, file, notes] of [
    ['a last line that is cut', `${two}\n${user('3', '2', 'and more').slice(0, 70)}`, [/^3 skipped not a JSON object/]],
    ['a byte order mark', `\ufeff${two}`, []],
    ['a run of NUL', two.replace('\n', `\n${'\0'.repeat(200)}\n`), []],
    ['two records on one line', two.replace('\n', ''), []],
    ['Windows line ends', two.replace('\n', '\r\n'), []],
    [
      'the file of a sub-agent, all a side conversation',
      two.replaceAll('"isSidechain":false', '"isSidechain":true'),
      [],
    ],
  ] as const) {
    test(`reads ${name}`, async () => {
      const imported = await importAndSend(file)
      assert.deepEqual(imported.sent, ['user: a', 'assistant: b'])
      assertNotes(imported.report, notes)
    })
  }

  test('keeps the usage and stop reason of the last line of a reply', async () => {
    const conversation = await openConversations({ client }).import(
      [
        user('1', null, 'Hi'),
        assistant('2', '1', 'm1', text('a'), { usage: { input_tokens: 10, output_tokens: 3 } }),
        assistant('3', '2', 'm1', text('b'), {
          usage: { input_tokens: 10, output_tokens: 159 },
          stop_reason: 'end_turn',
        }),
      ].join('\n'),
      settings,
    )
    const reply = conversation.messages[1]!
    assert.deepEqual([reply.usage?.output_tokens, reply.stopReason], [159, 'end_turn'])
  })

  test('reads the output of a session in the format stream-json', async () => {
    const said = (uuid: string, type: string, content: object[], more: object = {}): object => {
      return {
        type,
        uuid,
        session_id: 's',
        parent_tool_use_id: null,
        message: { id: uuid, role: type, content },
        ...more,
      }
    }
    const lines = [
      { type: 'system', subtype: 'init', session_id: 's', uuid: '0' },
      said('1', 'assistant', [call('t1')]),
      said('2', 'assistant', [text('inside')], { parent_tool_use_id: 't1' }),
      said('3', 'user', [result('t1')]),
      said('4', 'assistant', [text('Done')]),
      { type: 'result', result: 'Done', session_id: 's', uuid: '5' },
    ]
    const { sent, report } = await importAndSend(lines.map((each) => JSON.stringify(each)).join('\n'))
    assert.deepEqual(sent, ['assistant: t1', 'user: t1', 'assistant: Done'])
    assertNotes(report, [/^3 skipped part of a side conversation/])
  })

  test('takes the title that the user gave before one that was generated', async () => {
    const titles = [
      line({ type: 'ai-title', aiTitle: 'Generated' }),
      line({ type: 'custom-title', customTitle: 'Mine' }),
    ]
    const imported = await importAndSend([two, ...titles, line({ type: 'summary', summary: 'Old' })].join('\n'))
    assert.equal(imported.title, 'Mine')
  })

  test('takes the first prompt for a title, not what the program wrote before it', async () => {
    const note = { type: 'user', isMeta: true, message: { role: 'user', content: 'Caveat: written by a command' } }
    const { title, sent } = await importAndSend(
      [
        line({ ...note, uuid: '1', parentUuid: null }),
        user('2', '1', '<command-name>/clear</command-name>'),
        user('3', '2', [text('Read the file')]),
      ].join('\n'),
    )
    assert.deepEqual([title, sent.length], ['Read the file', 3])
  })

  test('is sendable or refused by name, however the lines are mangled', async () => {
    const lines = [
      user('1', null, 'a'),
      assistant('2', '1', 'm1', { type: 'thinking', thinking: 'hm', signature: 'c2ln' }),
      assistant('3', '2', 'm1', call('t1')),
      user('4', '3', [result('t1')]),
      assistant('5', '3', 'm1', call('t2')),
      user('6', '5', [{ type: 'tool_result', tool_use_id: 't2', is_error: true }]),
      assistant('7', '6', 'm2', text('b')),
      user('8', '7', 'c'),
      assistant('9', '8', 'm3', text('')),
      user('10', '9', [text('d')]),
    ]
    const change = fc.record({
      kind: fc.constantFrom('double', 'drop', 'swap', 'cut', 'branch'),
      at: fc.nat(lines.length - 1),
      other: fc.nat(lines.length - 1),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), async (changes) => {
        const mangled = changes.reduce(
          (file, { kind, at, other }) => mangle(file, kind, at % file.length, other % file.length),
          lines,
        )
        await sendableOrRefused(openConversations({ client }), mangled.join('\n'))
      }),
      { numRuns: process.env['COLLOQUY_FUZZ'] ? 2_000 : 200 },
    )
  })
})

function mangle(lines: readonly string[], kind: string, at: number, other: number): string[] {
  const line = lines[at]!
  if (kind === 'double') return lines.toSpliced(other, 0, line)
  if (kind === 'drop') return lines.length > 1 ? lines.toSpliced(at, 1) : [...lines]
  if (kind === 'swap') return lines.with(at, lines[other]!).with(other, line)
  if (kind === 'cut') return lines.with(at, line.slice(0, line.length / 2))
  const parent = /"uuid":"(\w+)"/.exec(lines[other]!)?.[1] ?? 'gone'
  return [
    ...lines,
    line.replace(/"parentUuid":(?:"\w+"|null)/, `"parentUuid":"${parent}"`).replace(/"uuid":"(\w+)"/, '"uuid":"$1b"'),
  ]
}

async function sendableOrRefused(conversations: Conversations, file: string): Promise<void> {
  const conversation = await conversations.import(file, settings).catch((error: unknown) => {
    assert.equal((error as Error).name, 'ContentError', String(error))
  })
  await conversation?.send('And?')
}

function assertNotes({ notes }: ImportReport, patterns: readonly RegExp[]): void {
  const told = notes.map(({ line: at, kind, reason }) => `${at} ${kind} ${reason}`)
  assert.equal(told.length, patterns.length, told.join('\n'))
  for (const [index, pattern] of patterns.entries()) assert.match(told[index]!, pattern)
}

describe('import() of model messages of the AI SDK', () => {
  const call = (toolCallId: string, more: object): object => ({
    type: 'tool-call',
    toolCallId,
    toolName: 'Read',
    ...more,
  })
  const result = (toolCallId: string, more: object): object => ({ ...call(toolCallId, more), type: 'tool-result' })
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const list = [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'hi' },
        { type: 'image', image: `data:image/png;base64,${png}` },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'r', providerOptions: { anthropic: { signature: 'c2ln' } } },
        call('c1', { input: { a: 1 } }),
        call('c2', { args: {} }),
      ],
    },
    {
      role: 'tool',
      content: [
        result('c1', { output: { type: 'json', value: { b: 2 } } }),
        result('c2', { result: '2', isError: true }),
      ],
    },
    { role: 'assistant', content: [{ type: 'text', text: 'done' }] },
    {
      role: 'user',
      content: [
        { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0xLjQK' },
        { type: 'image', image: png },
      ],
    },
    { role: 'assistant', content: 'seen' },
  ]
  const sent = [
    'user: hi+image',
    'assistant: thinking+c1+c2',
    'user: c1+c2',
    'assistant: done',
    'user: document+image',
    'assistant: seen',
  ]

  for (const [name, file] of [
    ['a list', JSON.stringify(list)],
    ['one message a line', list.map((message) => JSON.stringify(message)).join('\n')],
    ['an object with messages', JSON.stringify({ messages: list })],
  ] as const)
    test(`reads ${name}`, async () => {
      const imported = await importAndSend(file)
      assert.deepEqual(imported.sent, sent)
      assert.equal(imported.report.format, 'ai-sdk')
      assertNotes(imported.report, [])
    })

  for (const [name, output, content, isError] of [
    ['text', { type: 'text', value: 'a' }, 'a', undefined],
    ['JSON', { type: 'json', value: [1] }, '[1]', undefined],
    ['an error', { type: 'error-json', value: { code: 5 } }, '{"code":5}', true],
    ['a denial', { type: 'execution-denied', reason: 'not now' }, 'not now', true],
    [
      'several parts',
      { type: 'content', value: [{ type: 'text', text: 'a' }] },
      [{ type: 'text', text: 'a' }],
      undefined,
    ],
  ] as const)
    test(`reads a result that is ${name}`, async () => {
      const conversation = await openConversations({ client, cacheMarks: false }).import(
        JSON.stringify([
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: [call('c1', { input: {} })] },
          { role: 'tool', content: [result('c1', { output })] },
          { role: 'assistant', content: 'done' },
        ]),
        settings,
      )
      const [, , { content: results } = { content: '' }] = conversation.preview('And?').messages
      const { content: found, is_error } = (results as { content: unknown; is_error?: boolean }[])[0]!
      assert.deepEqual([found, is_error], [content, isError])
    })
})

describe('import() of messages of the Chat Completions API', () => {
  const called = { id: 'c1', type: 'function', function: { name: 'Read', arguments: '{"a":1}' } }
  const list = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: null, tool_calls: [called, { ...called, id: 'c2' }] },
    { role: 'tool', tool_call_id: 'c1', content: '1' },
    { role: 'tool', tool_call_id: 'c2', content: '2' },
    { role: 'assistant', content: 'done' },
  ]
  const sent = ['user: hi', 'assistant: c1+c2', 'user: c1+c2', 'assistant: done']

  for (const [name, file] of [
    ['a list', JSON.stringify(list)],
    ['one message a line', list.map((message) => JSON.stringify(message)).join('\n')],
    ['a saved request', JSON.stringify({ model: 'gpt-5', messages: list })],
  ] as const)
    test(`reads ${name}`, async () => {
      const imported = await importAndSend(file)
      assert.deepEqual(imported.sent, sent)
      assert.equal(imported.report.format, 'chat-completions')
      assertNotes(imported.report, [])
    })

  test('reads calls of functions from before there were tools', async () => {
    const imported = await importAndSend(
      JSON.stringify([
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: null, function_call: { name: 'Read', arguments: '{}' } },
        { role: 'function', name: 'Read', content: '1' },
        { role: 'assistant', content: 'done' },
      ]),
    )
    assert.deepEqual(imported.sent, ['user: hi', 'assistant: call_1', 'user: call_1', 'assistant: done'])
  })

  test('adds a conversation for each line of a file for fine-tuning', async () => {
    const conversations = openConversations({ client, cacheMarks: false })
    const file = [list, [list[1], { role: 'assistant', content: 'b' }]].map((messages) => JSON.stringify({ messages }))
    const imported = await conversations.importAll(file.join('\n'), settings)
    assert.deepEqual(
      imported.map(({ report }) => [report.format, report.messages]),
      [
        ['chat-completions', 4],
        ['messages', 2],
      ],
    )
  })
})

test('import() reads times in seconds, in milliseconds and as text, and takes now for others', async () => {
  const start = Date.now()
  const timeOf = async (file: unknown): Promise<number> => {
    const { messages } = await openConversations({ client }).import(JSON.stringify(file), settings)
    return messages[0]!.createdAt.getTime()
  }
  const author = { role: 'user' }
  const time = 1_700_000_000_500
  for (const written of [time, time / 1000, String(time), String(time / 1000), new Date(time).toISOString()]) {
    const message = { author, create_time: written, content: { parts: ['a'] } }
    assert.equal(await timeOf({ mapping: { a: { message, parent: null } } }), time, String(written))
    assert.equal(await timeOf({ chat_messages: [{ sender: 'human', text: 'a', created_at: written }] }), time)
    assert.equal(await timeOf([{ role: 'user', parts: [text('a')], createdAt: written }]), time)
  }
  for (const written of [undefined, null, -5, 0, 1e300, '', 'soon', {}, []])
    assert.ok((await timeOf([{ role: 'user', parts: [text('a')], createdAt: written }])) >= start, String(written))
  assert.ok((await timeOf([{ type: 'human', content: 'a' }])) >= start)
})

test('import() keeps calls of tools that llm logs as text', async () => {
  const logs = [
    { prompt: 'a', response: 'b', tool_calls: [{ name: 'find', arguments: { q: 1 } }] },
    { prompt: '', response: 'c', tool_results: [{ name: 'find', output: '5' }] },
  ]
  const { sent } = await importAndSend(JSON.stringify(logs.map((each) => ({ conversation_id: 'x', ...each }))))
  const called = 'find:\n```json\n{"q":1}\n```'
  assert.deepEqual(sent, ['user: a', `assistant: b+${called}`, 'assistant: ```\n5\n```+c'])
})

test('import() reads the fragments of prompts that llm logs', async () => {
  const fragments = {
    prompt_fragments: [{ hash: 'f', content: 'A file' }],
    system_fragments: [{ content: 'Be brief.' }],
  }
  const log = { conversation_id: 'x', prompt: 'Sum up', response: 'b', system: 'Be kind.', ...fragments }
  const conversation = await openConversations({ client }).import(JSON.stringify([log]), settings)
  assert.equal(namesIn(conversation.messages[0]!.content as never), 'A file+Sum up')
  assert.equal(conversation.settings.system, 'Be brief.\n\nBe kind.')
})

test('import() reads what llm logs, each conversation by itself', async () => {
  const logged = (conversation_id: string, prompt: string, response: string): object => ({
    conversation_id,
    prompt,
    response,
    model: 'gpt-4',
    conversation_name: `About ${conversation_id}`,
    system: 'Be brief.',
    datetime_utc: '2026-01-02T03:04:05.678+00:00',
  })
  const conversations = openConversations({ client, cacheMarks: false })
  const logs = [logged('a', '1', 'one'), logged('b', '2', 'two'), logged('a', '3', 'three')]
  const imported = await conversations.importAll(JSON.stringify(logs), settings)
  assert.deepEqual(
    imported.map(({ title }) => title),
    ['About a', 'About b'],
  )
  const first = await conversations.open(imported[0]!.id)
  assert.deepEqual(
    first.messages.map(({ content }) => namesIn(content as never)),
    ['1', 'one', '3', 'three'],
  )
  assert.equal(first.settings.system, 'Be brief.')
  assert.equal(first.messages[1]!.createdAt.toISOString(), '2026-01-02T03:04:05.678Z')
  await first.send('And?')
})

describe('import() of messages in the API form', () => {
  const hi = { role: 'user', content: 'hi' }
  const use = (id: string): object => ({ role: 'assistant', content: [call(id)] })
  const back = (id: string): object => ({ role: 'user', content: [result(id)] })
  const response = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-6',
    content: [text('ok')],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const reply = (...content: object[]): object => ({ role: 'assistant', content })
  const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } }
  const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
  const cases: [name: string, messages: object[], sent: string[]][] = [
    ['whole responses', [hi, response], ['user: hi', 'assistant: ok']],
    ['a system message first', [{ role: 'system', content: 'Be brief.' }, hi, response], ['user: hi', 'assistant: ok']],
    ['an empty text block in a reply', [hi, { role: 'assistant', content: [text('')] }], ['user: hi']],
    ['a blank reply', [hi, { role: 'assistant', content: '  ' }], ['user: hi']],
    [
      'thinking without a signature',
      [hi, { role: 'assistant', content: [{ type: 'thinking', thinking: 'x' }, text('a')] }],
      ['user: hi', 'assistant: a'],
    ],
    [
      'one id for two calls',
      [hi, use('t1'), back('t1'), use('t1'), back('t1'), response],
      ['user: hi', 'assistant: t1', 'user: t1', 'assistant: t1_2', 'user: t1_2', 'assistant: ok'],
    ],
    [
      'ids and names of calls of other providers',
      [
        hi,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call:1', name: 'files.read', input: {} }] },
        { role: 'user', content: [result('call:1')] },
        response,
      ],
      ['user: hi', 'assistant: call_1', 'user: call_1', 'assistant: ok'],
    ],
    [
      'an error result without content',
      [
        hi,
        use('t1'),
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', is_error: true }] },
        response,
      ],
      ['user: hi', 'assistant: t1', 'user: t1', 'assistant: ok'],
    ],
    [
      'a block of a type that the API does not have in a reply',
      [hi, { role: 'assistant', content: [{ type: 'chart', data: 'x' }, text('a')] }],
      ['user: hi', 'assistant: a'],
    ],
    [
      'a server tool call without its result',
      [
        hi,
        {
          role: 'assistant',
          content: [{ type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }, text('a')],
        },
      ],
      ['user: hi', 'assistant: a'],
    ],
    [
      'a search of another API, whose ids the API refuses',
      [
        hi,
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 'call_1', name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: 'call_1', content: [] },
            text('a'),
          ],
        },
      ],
      ['user: hi', 'assistant: a'],
    ],
    [
      'a server tool call whose result is in the next reply',
      [hi, reply(text('a'), search), reply(found, text('b'))],
      ['user: hi', 'assistant: a+srvtoolu_1', 'assistant: srvtoolu_1+b'],
    ],
    [
      'a server tool call whose result comes after two pauses',
      [hi, reply(search), reply(text('a')), reply(found, text('b'))],
      ['user: hi', 'assistant: srvtoolu_1', 'assistant: a', 'assistant: srvtoolu_1+b'],
    ],
    [
      'a server tool call whose result comes after those of other tools',
      [hi, reply(search, call('t1')), { role: 'user', content: [result('t1')] }, reply(found, text('b'))],
      ['user: hi', 'assistant: srvtoolu_1+t1', 'user: t1', 'assistant: srvtoolu_1+b'],
    ],
    [
      'a server tool call whose result comes after those of other tools and a question',
      [
        hi,
        reply(search, call('t1')),
        { role: 'user', content: [result('t1')] },
        { role: 'user', content: 'and?' },
        reply(found, text('b')),
      ],
      ['user: hi', 'assistant: srvtoolu_1+t1', 'user: t1', 'user: and?', 'assistant: srvtoolu_1+b'],
    ],
    [
      'a server tool result that comes after a message of the user',
      [hi, reply(text('a'), search), { role: 'user', content: 'and?' }, reply(found, text('b'))],
      ['user: hi', 'assistant: a', 'user: and?', 'assistant: b'],
    ],
  ]
  for (const [name, messages, sent] of cases) {
    test(`takes ${name}`, async () => {
      const file = JSON.stringify(messages)
      assert.deepEqual((await importAndSend(file)).sent, sent)
      assert.deepEqual((await importAndSend(`\ufeff${file}`)).sent, sent)
    })
  }

  test('continues a reply that has paused', async () => {
    const file = JSON.stringify([hi, { ...response, content: [search], stop_reason: 'pause_turn' }])
    const conversation = await openConversations({ client, cacheMarks: false }).import(file, settings)
    assert.deepEqual(conversation.report.notes, [])
    assert.equal(conversation.preview().messages.length, 2)
  })

  test('makes the first system message the system prompt', async () => {
    const file = JSON.stringify([{ role: 'system', content: 'Be brief.' }, hi])
    const conversation = await openConversations({ client }).import(file, settings)
    assert.equal(conversation.settings.system, 'Be brief.')
  })

  test('takes the settings of a saved request', async () => {
    const file = JSON.stringify(
      { model: 'claude-opus-4-6', max_tokens: 50, system: 'Be brief.', messages: [hi] },
      null,
      2,
    )
    const conversation = await openConversations({ client }).import(file)
    assert.deepEqual([conversation.settings.system, conversation.settings.max_tokens], ['Be brief.', 50])
    assert.equal((await conversation.send('And?')).stopReason, 'end_turn')
  })

  test('names the line of what it left out', async () => {
    const file = JSON.stringify([hi, { role: 'assistant', content: [text(''), text('a')], note: 1 }], null, 2)
    const { report } = await importAndSend(file)
    assertNotes(report, [/^6 repaired left out: note/, /^6 repaired .*without a visible character/])
  })
})

describe('import() of exports of other programs', () => {
  const node = (parent: string | null, message: object | null, children: string[] = []): object => ({
    parent,
    message,
    children,
  })
  const said = (role: string, parts: unknown[], more: object = {}): object => ({
    author: { role },
    create_time: 1_763_600_000.5,
    content: { content_type: 'text', parts },
    metadata: {},
    recipient: 'all',
    ...more,
  })
  const chatGpt = {
    title: 'Trip',
    current_node: 'e',
    mapping: {
      root: node(null, null, ['s']),
      s: node(
        'root',
        said('system', ['You are ChatGPT'], { metadata: { is_visually_hidden_from_conversation: true } }),
        ['a'],
      ),
      a: node('s', said('user', ['Plan a trip']), ['b', 'x']),
      x: node('a', said('assistant', ['Another reply'])),
      b: node(
        'a',
        said('assistant', [], {
          content: { content_type: 'code', language: 'python', text: 'print(1)' },
          recipient: 'python',
        }),
        ['c'],
      ),
      c: node(
        'b',
        { author: { role: 'tool', name: 'python' }, content: { content_type: 'execution_output', text: '1' } },
        ['d'],
      ),
      d: node('c', said('assistant', ['To Kyoto'], { metadata: { model_slug: 'gpt-5' } }), ['e']),
      e: node(
        'd',
        said('user', [{ content_type: 'image_asset_pointer', asset_pointer: 'file://1' }, 'Here?'], {
          content: { content_type: 'multimodal_text', parts: [{ content_type: 'image_asset_pointer' }, 'Here?'] },
        }),
      ),
    },
  }

  test('ChatGPT: the active path, its tools as text, other replies as branches', async () => {
    const imported = await importAndSend(JSON.stringify([chatGpt]))
    assert.deepEqual(imported.sent, [
      'user: Plan a trip',
      'assistant: ```python\nprint(1)\n```',
      'assistant: ```\n1\n```',
      'assistant: To Kyoto',
      'user: [image_asset_pointer]+Here?',
    ])
    assert.deepEqual([imported.report.format, imported.title], ['chatgpt', 'Trip'])
    const conversation = await openConversations({ client }).import(JSON.stringify(chatGpt), settings)
    assert.equal((await conversation.branches()).length, 2)
  })

  test('a web chat that was pinned, starred or archived is so here', async () => {
    const message = { messageId: 'a', parentMessageId: null, isCreatedByUser: true, text: 'Hello' }
    const openWebUi = { chat: { history: { messages: { a: { role: 'user', content: 'Hello' } } } } }
    const claude = { chat_messages: [{ sender: 'human', text: 'Hello' }] }
    const files: [object, string | undefined][] = [
      [{ ...chatGpt, is_archived: true, is_starred: null }, 'archived'],
      [{ ...chatGpt, is_archived: false, pinned_time: 1_763_600_000 }, 'pinned'],
      [{ ...chatGpt, is_archived: false, is_starred: false, pinned_time: null }, undefined],
      [{ ...claude, is_starred: true }, 'pinned'],
      [{ conversationId: 'b', messages: [message], isArchived: true }, 'archived'],
      [{ ...openWebUi, pinned: true, archived: false }, 'pinned'],
      [{ ...openWebUi, pinned: true, archived: true }, 'archived'],
    ]
    const conversations = openConversations({ client })
    const imported = await conversations.importAll(JSON.stringify(files.map(([file]) => file)), settings)
    const opened = await Promise.all(imported.map(({ id }) => conversations.open(id)))
    assert.deepEqual(
      opened.map(({ shelf }) => shelf),
      files.map(([, shelf]) => shelf),
    )
  })

  test('ChatGPT: links and names in place of marks, and the words of a recording', async () => {
    const cite = '\ue200cite\ue202turn0search1\ue201'
    const entity = '\ue200entity\ue202["city","Rome"]\ue201'
    const references = [
      { matched_text: cite, alt: '([meteo](https://meteo.test))' },
      { matched_text: '【4†source】', alt: '[map](https://map.test)' },
      null,
      { matched_text: ' ', alt: 'x' },
    ]
    const spoken = [{ content_type: 'audio_transcription', text: 'And now?' }, { content_type: 'audio_asset_pointer' }]
    const mapping = {
      a: node(null, said('user', ['Where does the sun shine?']), ['b']),
      b: node(
        'a',
        said('assistant', [`In ${entity} ${cite}.\ue200navlist\ue202turn0news1\ue201 【4†source】【5†source】`], {
          metadata: { content_references: references },
        }),
        ['c'],
      ),
      c: node('b', said('user', spoken)),
    }
    const imported = await importAndSend(JSON.stringify({ mapping, current_node: 'c' }))
    assert.deepEqual(imported.sent, [
      'user: Where does the sun shine?',
      'assistant: In Rome ([meteo](https://meteo.test)). [map](https://map.test)【5†source】',
      'user: And now?',
    ])
  })

  const claudeAi = {
    uuid: 'c1',
    name: 'Notes',
    chat_messages: [
      {
        uuid: 'm1',
        sender: 'human',
        text: 'Read this',
        created_at: '2026-01-01T00:00:00Z',
        attachments: [{ file_name: 'a.txt', extracted_content: 'Hello' }],
        files: [{ file_name: 'b.png' }],
      },
      {
        uuid: 'm2',
        sender: 'assistant',
        text: '',
        created_at: '2026-01-01T00:00:01Z',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'It says hello' },
          { type: 'tool_use', name: 'artifacts', input: { title: 'x' } },
          { type: 'tool_result', content: [{ type: 'text', text: 'OK' }] },
          { type: 'tool_result', content: [{ type: 'knowledge', title: 'Kyoto', url: 'https://a.example', text: '' }] },
        ],
      },
      null,
    ],
  }

  test('Claude.ai: attachments as documents, its tools as text, what is missing noted', async () => {
    const imported = await importAndSend(JSON.stringify([claudeAi]))
    assert.deepEqual(imported.sent, [
      'user: document+Read this',
      'assistant: It says hello+artifacts:\n```json\n{"title":"x"}\n```+OK+Kyoto\nhttps://a.example',
    ])
    assert.deepEqual([imported.report.format, imported.title], ['claude-ai', 'Notes'])
    assertNotes(imported.report, [/b\.png is not in the export/, /thinking part/, /without a sender or text/])
  })

  test('Claude.ai: a conversation as its page loads it, with its active path and edited first messages', async () => {
    const message = (uuid: string, parent: string | null, sender: string): object => {
      return { uuid, parent_message_uuid: parent, sender, text: uuid, content: [{ type: 'text', text: uuid }] }
    }
    const file = {
      name: 'Edited',
      current_leaf_message_uuid: 'b2',
      chat_messages: [
        message('a1', null, 'human'),
        message('a2', 'a1', 'assistant'),
        message('b1', null, 'human'),
        message('b2', 'b1', 'assistant'),
        message('b3', 'b1', 'assistant'),
      ],
    }
    const { sent, report } = await importAndSend(JSON.stringify(file))
    assert.deepEqual([sent, report.notes], [['user: b1', 'assistant: b2'], []])
    const copy = await openConversations({ client }).import(JSON.stringify({ conversations: [file] }), settings)
    assert.equal((await copy.branches()).length, 3)
  })

  test('LibreChat: a list or a tree of messages, with the instructions, tools as text and branches', async () => {
    const root = '00000000-0000-0000-0000-000000000000'
    const said = (messageId: string, parentMessageId: string, more: object): object => {
      return { messageId, parentMessageId, createdAt: '2026-01-01T00:00:00Z', isCreatedByUser: false, ...more }
    }
    const question = said('a', root, { isCreatedByUser: true, text: 'Plan a trip', files: [{ filename: 'map.pdf' }] })
    const content = [
      { type: 'think', think: 'hm' },
      { type: 'tool_call', tool_call: { name: 'search', args: '{"q":"Kyoto"}', output: 'Found' } },
      { type: 'text', text: 'To Kyoto' },
    ]
    const replies = [
      said('b', 'a', { text: 'Something failed', error: true }),
      said('c', 'a', { text: 'Another reply', model: 'gpt-5' }),
      said('d', 'a', { content, model: 'gpt-5' }),
    ]
    const about = { conversationId: 'x', title: 'Trip', options: { promptPrefix: 'Be brief.' } }
    for (const file of [
      { ...about, messages: [...replies, question] },
      { ...about, messages: [{ ...question, children: replies }] },
      { ...about, messagesTree: [{ ...question, children: replies }] },
    ]) {
      const { sent, report, title } = await importAndSend(JSON.stringify(file))
      const reply = 'search:\n```json\n{"q":"Kyoto"}\n```+Found+To Kyoto'
      assert.deepEqual(sent, ['user: Plan a trip', `assistant: ${reply}`])
      assert.deepEqual([report.format, title], ['librechat', 'Trip'])
      assertNotes(report, [/map\.pdf is not in the export/, /an error message/])
      const copy = await openConversations({ client }).import(JSON.stringify(file), settings)
      assert.deepEqual([(await copy.branches()).length, copy.settings.system], [2, 'Be brief.'])
    }
  })

  test('Open WebUI: the active path, without what is folded in a reply, and other replies as branches', async () => {
    const said = (parentId: string | null, role: string, content: string): object => {
      return { parentId, role, content, timestamp: 1_763_600_000, model: 'llama3.2' }
    }
    const folded = '<details type="reasoning" done="true">\n<summary>Thought</summary>\nhm</details>\n'
    const messages = {
      c: said('b', 'user', 'Here?'),
      b: said('a', 'assistant', `${folded}To Kyoto <details>by train</details>`),
      a: { ...said(null, 'user', 'Plan a trip'), files: [{ type: 'image', url: 'data:' }] },
      d: said('a', 'assistant', 'Another reply'),
    }
    const chat = { title: 'Trip', chat: { history: { currentId: 'c', messages }, params: { system: 'Be brief.' } } }
    const { sent, report, title } = await importAndSend(JSON.stringify([chat]))
    assert.deepEqual(sent, ['user: Plan a trip', 'assistant: To Kyoto <details>by train</details>', 'user: Here?'])
    assert.deepEqual([report.format, title], ['open-webui', 'Trip'])
    assertNotes(report, [/the file image is not imported/])
    const conversations = openConversations({ client })
    const copies = await conversations.importAll(JSON.stringify([chat, chat]), settings)
    assert.equal(copies.length, 2)
    const copy = await conversations.open(copies[1]!.id)
    assert.deepEqual([(await copy.branches()).length, copy.settings.system], [2, 'Be brief.'])
  })

  test('Open WebUI: the list of messages of an older version', async () => {
    const messages = [
      { role: 'user', content: 'Plan a trip' },
      { role: 'assistant', content: 'To Kyoto' },
    ]
    const chat = { title: 'Trip', chat: { history: { messages: {} }, messages, system: 'Be brief.' } }
    const conversation = await openConversations({ client, cacheMarks: false }).import(JSON.stringify([chat]), settings)
    assert.deepEqual([conversation.messages.length, conversation.settings.system], [2, 'Be brief.'])
    assertNotes(conversation.report, [])
    assert.equal((await conversation.branches()).length, 1)
  })

  test('ChatGPT: the output of every tool, or a note and a text for it', async () => {
    const output = (content: object): object => ({ author: { role: 'tool' }, content })
    const mapping = {
      a: node(null, said('user', ['Compute'])),
      b: node('a', output({ content_type: 'citable_code_output', output_str: '42' })),
      c: node('b', output({ content_type: 'computer_output', screenshot: {} })),
      d: node('c', output({ content_type: 'user_editable_context', user_profile: 'I am Ada' })),
      e: node('d', output({ content_type: 'text', parts: ['```js\n1\n```'] })),
    }
    const { sent, report } = await importAndSend(JSON.stringify({ mapping, current_node: 'e' }))
    assert.deepEqual(sent, [
      'user: Compute',
      'assistant: ```\n42\n```',
      'assistant: ```\n[computer_output]\n```',
      'assistant: ````\n```js\n1\n```\n````',
    ])
    assertNotes(report, [/computer_output is not in the file/])
  })

  test('ChatGPT: files that are attached are noted', async () => {
    const attachments = [
      { name: 'plan.pdf', mime_type: 'application/pdf' },
      { name: 'a.png', mime_type: 'image/png' },
      null,
    ]
    const mapping = { a: node(null, said('user', ['Read this'], { metadata: { attachments } })) }
    const { sent, report } = await importAndSend(JSON.stringify({ mapping }))
    assert.deepEqual(sent, ['user: Read this'])
    assertNotes(report, [/the file plan\.pdf is not in the export/, /the file nothing is not in the export/])
  })

  test('ChatGPT: times that no date holds, and content that is null', async () => {
    const start = Date.now()
    const node = (id: string, parent: string | null, message: object): object => ({ id, parent, message })
    const said = (time: number | string): object => {
      return { author: { role: 'user' }, create_time: time, content: { content_type: 'text', parts: [`at ${time}`] } }
    }
    const mapping = {
      a: node('a', null, said(1e300)),
      b: node('b', 'a', said('soon')),
      c: node('c', 'b', said(1.0005)),
      d: node('d', 'c', { author: null, create_time: 1, content: null }),
    }
    const conversations = openConversations({ client })
    const copy = await conversations.import(JSON.stringify({ title: 't', mapping, current_node: 'd' }), settings)
    const times = copy.messages.map(({ createdAt }) => createdAt.getTime())
    assert.ok(times[0]! >= start, String(times[0]))
    assert.deepEqual(times.slice(1), [times[0], 1000])
    assert.equal((await Array.fromAsync(conversations.export(copy.id))).length, 4)
  })

  // The same messages in the form of each program.
  const chats: Record<string, (messages: { id: string; parent: unknown; role: string; text: string }[]) => object> = {
    ChatGPT: (messages) => ({
      mapping: Object.fromEntries(
        messages.map(({ id, parent, role, text }) => [id, { parent, message: said(role, [text]) }]),
      ),
      current_node: 'm4',
    }),
    'Claude.ai': (messages) => ({
      chat_messages: messages.map(({ id, parent, role, text }) => ({
        uuid: id,
        parent_message_uuid: parent,
        sender: role === 'user' ? 'human' : role,
        text,
      })),
      current_leaf_message_uuid: 'm4',
    }),
    LibreChat: (messages) => ({
      conversationId: 'x',
      messages: messages.map(({ id, parent, role, text }) => ({
        messageId: id,
        parentMessageId: parent,
        isCreatedByUser: role === 'user',
        text,
      })),
    }),
    'Open WebUI': (messages) => ({
      chat: {
        history: {
          messages: Object.fromEntries(
            messages.map(({ id, parent, role, text }) => [id, { parentId: parent, role, content: text }]),
          ),
          currentId: 'm4',
        },
      },
    }),
  }
  for (const [name, chatOf] of Object.entries(chats)) {
    const messages = ['a', 'b', 'c', 'd'].map((text, index) => ({
      id: `m${index + 1}`,
      parent: index === 0 ? null : `m${index}`,
      role: index % 2 === 0 ? 'user' : 'assistant',
      text,
    }))

    test(`${name}: a parent that stands later in the file`, async () => {
      const { sent, report } = await importAndSend(JSON.stringify(chatOf([0, 2, 1, 3].map((at) => messages[at]!))))
      assert.deepEqual(sent, ['user: a', 'assistant: b', 'user: c', 'assistant: d'])
      assertNotes(report, [])
    })

    test(`${name}: a message whose parent is lost follows the one before it`, async () => {
      const { sent, report } = await importAndSend(JSON.stringify(chatOf(messages.toSpliced(1, 1))))
      assert.deepEqual(sent, ['user: a', 'user: c', 'assistant: d'])
      assertNotes(report, [/follows the one before it, as its parents are not in the file: m2$/])
    })

    test(`${name}: a circle of parents is broken`, async () => {
      const circle = messages.with(0, { ...messages[0]!, parent: 'm4' })
      const { report } = await importAndSend(JSON.stringify(chatOf(circle)))
      assert.equal(report.messages, 4)
      assertNotes(report, [/as its parents form a circle$/])
    })
  }

  test('importAll() adds every conversation of a file, import() refuses several', async () => {
    const conversations = openConversations({ client })
    const file = JSON.stringify([chatGpt, claudeAi, chatGpt], null, 1)
    await assert.rejects(conversations.import(file, settings), /found 3, importAll\(\) adds them all/)
    assert.equal((await conversations.list()).length, 0)
    const imported = await conversations.importAll(file, settings)
    assert.deepEqual(
      imported.map(({ title, report }) => [title, report.format]),
      [
        ['Trip', 'chatgpt'],
        ['Notes', 'claude-ai'],
        ['Trip', 'chatgpt'],
      ],
    )
    for (const { id } of imported) await (await conversations.open(id)).send('And?')
  })

  test('importAll() adds each conversation once, also after an import that was interrupted', async () => {
    for (const store of [memoryStore(), sqliteStore(join(folder, 'again.db'))]) {
      let room = 1
      const create = store.create.bind(store)
      store.create = (step) => (room-- > 0 ? create(step) : Promise.reject(new Error('no room')))
      const conversations = openConversations({ client, store })
      const file = JSON.stringify([chatGpt, claudeAi, chatGpt])
      await assert.rejects(conversations.importAll(file, settings), /no room/)
      room = Infinity
      const [first, ...others] = await conversations.importAll(file, settings)
      assert.deepEqual(
        [first?.title, first?.existed, others.map(({ existed }) => existed)],
        ['Trip', true, [false, false]],
      )
      assert.equal((await conversations.list()).length, 3)
      for (const given of [
        { ...settings, max_tokens: 99 },
        { ...settings, owner: 'ada' },
      ]) {
        const [copy] = await conversations.importAll(JSON.stringify([chatGpt]), given)
        assert.equal(copy?.existed, false)
      }
      await conversations.delete(first!.id)
      const again = await conversations.importAll(file, settings)
      assert.deepEqual(
        again.map(({ id, existed }) => [id === first!.id, existed]),
        [
          [true, false],
          [false, true],
          [false, true],
        ],
      )
      await conversations.close()
    }
  })

  test('importAll() adds each conversation once when another process imports the same file', async () => {
    const store = memoryStore()
    const create = store.create.bind(store)
    store.create = async (step) => {
      await create(step) // by the other process, at this moment
      return create(step)
    }
    const conversations = openConversations({ client, store })
    const imported = await conversations.importAll(JSON.stringify([chatGpt, claudeAi, chatGpt]), settings)
    assert.deepEqual(
      imported.map(({ title, existed }) => [title, existed]),
      [
        ['Trip', true],
        ['Notes', true],
        ['Trip', true],
      ],
    )
    assert.equal((await conversations.list()).length, 3)
  })

  test('import() dates a conversation by its messages, or now if the file has no times', async () => {
    const dated = (from: number, to: number): object => ({
      ...claudeAi,
      chat_messages: [from, to].map((year) => ({
        sender: 'human',
        text: `${year}`,
        created_at: `${year}-05-06T00:00:00Z`,
      })),
    })
    const begin = Date.now()
    for (const store of [memoryStore(), sqliteStore(':memory:')]) {
      const conversations = openConversations({ client, store })
      await conversations.importAll(JSON.stringify([dated(2024, 2025), dated(2022, 2023), dated(2021, 2999)]), settings)
      await conversations.import('{"role":"user","content":"no time"}', settings)
      const [undated, ...others] = await conversations.list()
      assert.ok(undated!.createdAt.getTime() >= begin && undated!.updatedAt.getTime() >= begin)
      const years = others.map(({ createdAt, updatedAt }) => [createdAt.getFullYear(), updatedAt.getFullYear()])
      assert.deepEqual(years, [
        [2024, 2025],
        [2022, 2023],
        [2021, 2021],
      ])
      const exported = async (id: string): Promise<string> => {
        const lines = await Array.fromAsync(conversations.export(id))
        return lines.join('\n').replace(id, '').replaceAll(',"unpaid":true', '')
      }
      const chat = await conversations.open(others[0]!.id)
      await chat.undo()
      await chat.send('Continue.')
      const copy = await conversations.import(await exported(chat.id))
      assert.equal(await exported(copy.id), await exported(chat.id))
      await conversations.close()
    }
  })

  test('importAll() adds nothing of a file with a mistake, however long it is', async () => {
    const padding = 'word '.repeat(300_000)
    const long = [
      claudeAi,
      ...Array.from({ length: 6 }, () => ({ chat_messages: [{ sender: 'human', text: padding }] })),
    ]
    const header = (given: object): string => JSON.stringify({ type: 'conversation', head: null, settings: given })
    for (const file of [
      `${JSON.stringify(long).slice(0, -1)},{"chat_messages":[}]`,
      JSON.stringify([...long, { other: 1 }]),
      [header(settings), header({ ...settings, max_tokens: 0 })].join('\n'),
    ]) {
      const conversations = openConversations({ client })
      await assert.rejects(conversations.importAll(file, { defaults: settings }), {
        name: /ContentError|AnthropicError/,
      })
      assert.equal((await conversations.list()).length, 0)
    }
    const conversations = openConversations({ client })
    const imported = await conversations.importAll(JSON.stringify(long), settings)
    assert.deepEqual(
      imported.map(({ report }) => report.messages),
      [2, 1, 1, 1, 1, 1, 1],
    )
  })

  test('AI SDK: a message whose role no model has is left out', async () => {
    const part = (value: string): object => ({ parts: [{ type: 'text', text: value }] })
    const file = [
      { role: 'user', ...part('hi') },
      { role: 'data', ...part('x') },
    ]
    const copy = await openConversations({ client }).import(JSON.stringify(file), settings)
    assertNotes(copy.report, [/^1 skipped a message with the role data/])
    assert.equal(copy.messages.length, 1)
  })

  test('AI SDK: the steps of a message become replies with calls and their results', async () => {
    const { sent, report } = await importAndSend(
      JSON.stringify([
        { id: '0', role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
        {
          id: '1',
          role: 'user',
          parts: [
            { type: 'text', text: 'Read a' },
            {
              type: 'file',
              mediaType: 'image/png',
              url: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
            },
          ],
        },
        {
          id: '2',
          role: 'assistant',
          parts: [
            { type: 'step-start' },
            { type: 'reasoning', text: 'hm', providerMetadata: { anthropic: { signature: 'c2ln' } } },
            { type: 'text', text: 'Let me look' },
            {
              type: 'tool-Read',
              toolCallId: 't1',
              state: 'output-available',
              input: { path: 'a' },
              output: { lines: 1 },
            },
            {
              type: 'dynamic-tool',
              toolName: 'Read',
              toolCallId: 't2',
              state: 'output-error',
              input: {},
              errorText: 'gone',
            },
            { type: 'step-start' },
            { type: 'text', text: 'One line' },
            { type: 'data-weather', data: {} },
          ],
        },
        { id: '3', role: 'user', content: 'Thanks' },
      ]),
    )
    assert.equal(report.format, 'ai-sdk')
    assert.deepEqual(sent, [
      'user: Read a+image',
      'assistant: thinking+Let me look+t1+t2',
      'user: t1+t2',
      'assistant: One line',
      'user: Thanks',
    ])
  })

  const langChain = [
    {
      lc: 1,
      type: 'constructor',
      id: ['langchain_core', 'messages', 'SystemMessage'],
      kwargs: { content: 'Be brief.' },
    },
    { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'HumanMessage'], kwargs: { content: 'Read a' } },
    {
      lc: 1,
      type: 'constructor',
      id: ['langchain_core', 'messages', 'AIMessage'],
      kwargs: {
        content: [text('Look'), { type: 'tool_use', id: 't1', name: 'Read', input: '{"a":1}', index: 1 }],
        tool_calls: [
          { id: 't1', name: 'Read', args: { a: 1 } },
          { id: 't2', name: 'Read', args: {} },
        ],
        response_metadata: { model_name: 'claude-opus-4-6' },
      },
    },
    {
      lc: 1,
      type: 'constructor',
      id: ['langchain_core', 'messages', 'ToolMessage'],
      kwargs: { content: 'one', tool_call_id: 't1' },
    },
    {
      lc: 1,
      type: 'constructor',
      id: ['langchain_core', 'messages', 'ToolMessage'],
      kwargs: { content: 'two', tool_call_id: 't2', status: 'error' },
    },
    { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'AIMessage'], kwargs: { content: 'Done' } },
  ]
  const names: Record<string, string> = {
    SystemMessage: 'system',
    HumanMessage: 'human',
    AIMessage: 'ai',
    ToolMessage: 'tool',
  }
  const typed = langChain.map(({ id, kwargs }) => ({ type: names[id.at(-1)!], data: kwargs }))
  for (const [name, list] of [
    ['serialized', langChain],
    ['as dictionaries', typed],
    ['as plain fields', typed.map(({ type, data }) => ({ type, ...data }))],
  ] as const) {
    test(`LangChain messages ${name}`, async () => {
      for (const file of [
        JSON.stringify(list),
        list.map((each) => JSON.stringify(each)).join('\n'),
        JSON.stringify({ messages: list }, null, 2),
      ]) {
        const { sent, report } = await importAndSend(file)
        assert.equal(report.format, 'langchain')
        assert.deepEqual(sent, ['user: Read a', 'assistant: Look+t1+t2', 'user: t1+t2', 'assistant: Done'])
      }
    })
  }
})

describe('import() of blocks as other libraries store them', () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }
  const plain = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Hé' }, title: 'a.txt' }
  const base64 = 'SMOp'
  const called = { type: 'tool_use', id: 't1', name: 'Read', input: { a: 1 } }
  const answered = (content: unknown): object => ({ type: 'tool_result', tool_use_id: 't1', content })

  /** The content of each message that the next request sends. */
  async function contents(messages: unknown, notes: readonly RegExp[] = []): Promise<unknown[]> {
    const conversation = await openConversations({ client, cacheMarks: false }).import(
      JSON.stringify(messages),
      settings,
    )
    const sent = conversation.preview('And?').messages.slice(0, -1)
    await conversation.send('And?')
    assertNotes(conversation.report, notes)
    return sent.map(({ content }) => content)
  }

  test('members that the API does not know are left out, and marks of a request', async () => {
    const mark = { cache_control: { type: 'ephemeral' } }
    const list = [
      { role: 'user', content: [{ ...text('a'), ...mark, id: 'p1' }] },
      {
        role: 'assistant',
        content: [
          { ...text('b'), annotations: [] },
          { ...called, index: 1 },
        ],
      },
      { role: 'user', content: [{ ...answered([{ ...text('c'), meta: 1 }]), artifact: {} }] },
      { role: 'assistant', content: [text('d')] },
    ]
    const sent = await contents(list, [
      /cache_control, id of a text block$/,
      /annotations of a text block; index of a tool_use block$/,
      /artifact of a tool_result block; meta of a text block$/,
    ])
    assert.deepEqual(sent, [[text('a')], [text('b'), called], [answered([text('c')])], [text('d')]])
    const given = { type: 'text' as const, text: 'a', cache_control: { type: 'ephemeral' as const } }
    const copy = await openConversations({ client }).create({
      ...settings,
      messages: [{ role: 'user', content: [given] }],
    })
    assert.deepEqual(copy.messages[0]?.content, [given])
  })

  test('LangChain: files of all kinds, results with pictures, and the input of streamed calls', async () => {
    const files = [
      { type: 'image_url', image_url: `data:image/png;base64,${png}` },
      { type: 'media', mime_type: 'image/png', data: png },
      { type: 'text-plain', mime_type: 'text/plain', text: 'Hé', title: 'a.txt' },
      { type: 'file', mime_type: 'text/markdown', base64, title: 'a.txt' },
    ]
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search' }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    const list = [
      { type: 'human', content: files },
      { type: 'ai', content: [{ ...called, input: {}, index: 0, partial_json: '{"a":1}' }] },
      { type: 'tool', tool_call_id: 't1', content: [files[0]] },
      { type: 'ai', content: [{ ...search, input: {}, partial_json: '{"query":"x"}' }, found, text('d')] },
      { type: 'human', content: 'e' },
      { type: 'ai', content: [{ ...called, id: 't2' }] },
      { type: 'tool', tool_call_id: 't2', content: [{ rows: 1 }] },
    ]
    assert.deepEqual(await contents(list), [
      [image, image, plain, plain],
      [called],
      [answered([image])],
      [{ ...search, input: { query: 'x' } }, found, text('d')],
      [text('e')],
      [{ ...called, id: 't2' }],
      [{ ...answered('[{"rows":1}]'), tool_use_id: 't2' }],
    ])
  })

  test('AI SDK: texts, results with pictures, and calls that the user denied', async () => {
    const part = { toolCallId: 't1', toolName: 'Read', input: { a: 1 } }
    const media = [
      { type: 'media', mediaType: 'image/png', data: png },
      { type: 'image-data', mediaType: 'image/png', data: png },
      { type: 'image-url', url: 'https://a.test/b.png' },
      { type: 'file-data', mediaType: 'text/plain', data: base64, filename: 'a.txt' },
    ]
    const models = [
      { role: 'user', content: [{ type: 'file', mediaType: 'text/plain', data: base64, filename: 'a.txt' }] },
      { role: 'assistant', content: [{ type: 'tool-call', ...part }] },
      { role: 'tool', content: [{ type: 'tool-result', ...part, output: { type: 'content', value: media } }] },
    ]
    const atUrl = { type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } }
    assert.deepEqual(await contents(models), [[plain], [called], [answered([image, image, atUrl, plain])]])
    const denied = { ...part, type: 'tool-Read', state: 'output-denied', approval: { approved: false, reason: 'no' } }
    const file = { type: 'file', mediaType: 'text/plain', url: `data:text/plain;base64,${base64}`, filename: 'a.txt' }
    const shown = [
      { role: 'user', parts: [file] },
      { role: 'assistant', parts: [denied] },
    ]
    assert.deepEqual(await contents(shown), [[plain], [called], [{ ...answered('no'), is_error: true }]])
  })

  test('AI SDK: thinking of version 4, with its parts', async () => {
    const details = [
      { type: 'text', text: 'Let me see', signature: 'c2ln' },
      { type: 'redacted', data: 'aGlkZGVu' },
    ]
    const shown = [
      { role: 'user', content: 'a', parts: [text('a')] },
      { role: 'assistant', content: 'b', parts: [{ type: 'reasoning', reasoning: 'Let me see', details }, text('b')] },
    ]
    assert.deepEqual(await contents(shown), [
      [text('a')],
      [
        { type: 'thinking', thinking: 'Let me see', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'aGlkZGVu' },
        text('b'),
      ],
    ])
  })

  test('AI SDK: searches of the API as its own blocks, other calls of a provider as text', async () => {
    const found = {
      type: 'web_search_result',
      url: 'https://a.test',
      title: 'A',
      pageAge: null,
      encryptedContent: 'ZQ',
    }
    const search = { toolCallId: 'srvtoolu_1', toolName: 'web_search', input: { query: 'a' }, providerExecuted: true }
    const other = { toolCallId: 'ci_1', toolName: 'code', input: { code: '1' }, providerExecuted: true }
    const blocks = [
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'a' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [
          { type: 'web_search_result', url: 'https://a.test', title: 'A', encrypted_content: 'ZQ', page_age: null },
        ],
      },
      text('code:\n```json\n{"code":"1"}\n```'),
      text('```\n{"sum":1}\n```'),
      text('b'),
    ]
    const models = [
      { role: 'user', content: 'a' },
      {
        role: 'assistant',
        content: [
          { type: 'tool-call', ...search },
          { type: 'tool-result', ...search, output: { type: 'json', value: [found] } },
          { type: 'tool-call', ...other },
          { type: 'tool-result', ...other, output: { type: 'json', value: { sum: 1 } } },
          text('b'),
        ],
      },
    ]
    assert.deepEqual(await contents(models), [[text('a')], blocks])
    const done = { state: 'output-available' }
    const shown = [
      { role: 'user', parts: [text('a')] },
      {
        role: 'assistant',
        parts: [
          { type: 'tool-web_search', ...search, ...done, output: [found] },
          { type: 'dynamic-tool', ...other, ...done, output: { sum: 1 } },
          text('b'),
        ],
      },
    ]
    assert.deepEqual(await contents(shown), [[text('a')], blocks])
  })

  test('AI SDK: a picture that another model made stays out of the reply that is sent', async () => {
    const made = { type: 'file', mediaType: 'image/png', url: `data:image/png;base64,${png}` }
    const shown = [
      { role: 'user', parts: [text('Draw a cat')] },
      { role: 'assistant', parts: [text('Here'), made] },
    ]
    assert.deepEqual(await contents(shown, [/a block of type image in a reply$/]), [
      [text('Draw a cat')],
      [text('Here')],
    ])
  })

  test('Chat Completions: files, speech, and the tools of a saved request', async () => {
    const file = { type: 'file', file: { filename: 'a.txt', file_data: `data:text/plain;base64,${base64}` } }
    const list = [
      { role: 'user', content: [file] },
      { role: 'assistant', content: null, audio: { id: 'a1', transcript: 'b' } },
    ]
    assert.deepEqual(await contents(list), [[plain], [text('b')]])
    const custom = { type: 'custom', custom: { name: 'Read', description: 'Reads', format: { type: 'text' } } }
    const uses = [
      { role: 'user', content: 'a' },
      { role: 'assistant', tool_calls: [{ id: 't1', type: 'custom', custom: { name: 'Read', input: 'x = 1' } }] },
      { role: 'tool', tool_call_id: 't1', content: 'ok' },
    ]
    const use = { ...called, input: { input: 'x = 1' } }
    const request = { model: 'claude-opus-4-6', max_tokens: 200, tools: [custom], messages: uses }
    const written = await openConversations({ client }).import(JSON.stringify(request))
    assert.deepEqual(
      written.messages.map(({ content }) => content),
      [[text('a')], [use], [answered('ok')]],
    )
    const input_schema = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
    assert.deepEqual(written.settings.tools, [{ name: 'Read', description: 'Reads', input_schema }])
    await written.send('And?')
    const tools = [{ type: 'function', function: { name: 'Read', description: 'Reads', parameters: {} } }]
    for (const [choice, taken] of [
      ['required', { type: 'any' }],
      ['auto', { type: 'auto' }],
      [
        { type: 'function', function: { name: 'Read' } },
        { type: 'tool', name: 'Read' },
      ],
    ]) {
      const request = { model: 'claude-opus-4-6', max_tokens: 200, tools, tool_choice: choice, messages: list }
      const copy = await openConversations({ client }).import(JSON.stringify(request))
      assert.deepEqual([copy.settings.tools, copy.settings.tool_choice], [settings.tools, taken])
      await copy.send('And?')
    }
  })
})

describe('import() of a file with a conversation on each line', () => {
  const chat = { title: 'Trip', mapping: { a: { message: { author: { role: 'user' }, content: { parts: ['a'] } } } } }
  const logged = { conversation_id: 'c', conversation_name: 'Trip', prompt: 'a', response: 'b' }
  const shown = { role: 'user', parts: [text('a')] }
  for (const [name, file, format, title] of [
    ['chats of ChatGPT', [chat, chat], 'chatgpt', 'Trip'],
    ['chats of the AI SDK', [{ title: 'Trip', messages: [shown] }], 'ai-sdk', 'Trip'],
    ['messages of the AI SDK', [shown, shown], 'ai-sdk', 'a'],
    ['responses that llm logged', [logged, logged], 'llm', 'Trip'],
  ] as const) {
    test(`reads ${name}`, async () => {
      const lines = file.map((each) => JSON.stringify(each)).join('\n')
      const [first] = await openConversations({ client }).importAll(lines, settings)
      assert.deepEqual([first?.report.format, first?.title], [format, title])
    })
  }

  test('notes a line that is cut', async () => {
    const line = JSON.stringify({ messages: [{ role: 'user', content: 'a', name: 'x' }] })
    const { report } = await importAndSend(`{"messa\n${line}`)
    assertNotes(report, [/^1 skipped not a JSON object, or cut/, /^2 repaired left out: name/])
  })
})

describe('import() of a file that it cannot read', () => {
  for (const [file, message] of [
    ['PK\u0003\u0004abc', /looks like a ZIP archive/],
    ['<!doctype html><p>', /looks like an HTML/],
    ['# My chat\n\nHello', /looks like Markdown/],
    ['name,role\nAda,user\n', /comma-separated/],
    ['SQLite format 3\0', /a SQLite database/],
    ['just text', /text that is not JSON/],
    ['{"foo":1,"bar":2}', /found JSON with the members "foo", "bar"/],
    ['[]', /^Cannot import a conversation: found an empty list, so there is nothing to import$/],
    ['{"messages":[]}', /found an empty list, so there is nothing to import$/],
    ['5', /^Cannot import a conversation: found 5$/],
    ['[1,2]', /^Cannot import message 1: it has no role, found 1$/],
    ['[null]', /^Cannot import message 1: it has no role, found null$/],
    ['[{"role":"model","parts":[{"text":"hi"}]}]', /^Cannot import line 1: a message with the role model$/],
    ['[{"mapping":null,"title":"t"}]', /it has no role, found an object with the members "mapping", "title"$/],
    [
      '[{"role":"user","content":"a"}',
      /^Cannot import the list: a part of it is missing: download or copy the file again$/,
    ],
    ['[{"role":"user","content":"a', /^Cannot import the list: a part of it is missing/],
    ['[{"role":"user","content":"a"},]', /^Cannot import the list: Unexpected token/],
    ['{"title":"t","mapping":{"a":{"mes', /: a part of its JSON is missing: download or copy the file again$/],
  ] as const) {
    test(`${JSON.stringify(file)} is named`, async () => {
      const conversations = openConversations({ client })
      await assert.rejects(conversations.importAll(file, settings), { name: 'ContentError', message })
      await assert.rejects(conversations.import(file, settings), { name: 'ContentError', message })
      assert.deepEqual(await conversations.list(), [])
    })
  }
})

describe('import() of a damaged export', () => {
  test('is usable or a ContentError, the same in every store', async () => {
    const from = openConversations({ client })
    const conversation = await from.create(settings)
    await conversation.send('hello')
    await conversation.send('again')
    const lines = await Array.fromAsync(from.export(conversation.id))
    const stores = [memoryStore(), sqliteStore(join(folder, 'damaged.db'))]
    const odd = fc.constantFrom<unknown>(null, 5, 'x', [], {}, { toString: 1 }, true, '-1', undefined)
    const path = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.nat(lines.length - 1), path, odd, async (at, way, value) => {
        const damaged = JSON.parse(lines[at]!) as object
        replaceIn(damaged, way, value)
        const file = lines.with(at, JSON.stringify(damaged)).join('\n')
        const outcomes = await Promise.all(
          stores.map(async (store) => {
            try {
              const copy = await openConversations({ client, store }).import(file)
              await (await openConversations({ client, store }).open(copy.id)).send('go on')
              return 'usable'
            } catch (error) {
              assert.ok(
                ['ContentError', 'AnthropicError', 'RangeError', 'BadRequestError', 'NotFoundError'].includes(
                  (error as Error).name,
                ),
                String((error as Error).stack),
              )
              return (error as Error).name
            }
          }),
        )
        assert.equal(outcomes[0], outcomes[1])
      }),
      { numRuns: process.env['COLLOQUY_FUZZ'] ? 1_500 : 75 },
    )
    await Promise.all(stores.map((store) => store.close()))
  })

  test('takes lines in any order', async () => {
    for (const store of [memoryStore(), sqliteStore(':memory:')]) {
      const from = openConversations({ client, store })
      const conversation = await from.create(settings)
      await conversation.send('hello')
      await conversation.send('again')
      const [header, ...lines] = await Array.fromAsync(from.export(conversation.id))
      const copy = await from.import([header, ...lines.toReversed()].join('\n'))
      assertNotes(copy.report, [])
      const contents = (of: Pick<typeof copy, 'messages'>): unknown[] => of.messages.map(({ content }) => content)
      assert.deepEqual(contents(copy), contents(conversation))
      await copy.send('go on')
      assert.equal(copy.messages.length, 6)
      await from.close()
    }
  })

  const message = { role: 'user', content: 'hi' }
  const counted = { input_tokens: 1, output_tokens: 1 }
  for (const [odd, found] of [
    [{ id: '9007199254740991' }, 'its id is "9007199254740991"'],
    [{ id: '0x2' }, 'its id is "0x2"'],
    [{ message: { ...message, content: '' } }, 'its message.content is empty'],
    [{ message: { ...message, content: [] } }, 'its message.content is empty'],
    [{ reply: { cost_pico_usd: -1 } }, 'its reply.cost_pico_usd is -1'],
    [{ reply: { message: { model: 'm', usage: { ...counted, input_tokens: -5 } } } }, /its reply.message has no usage/],
    [
      { reply: { message: { model: 'm', usage: { ...counted, output_tokens: 1e300 } } } },
      /its reply.message has no usage/,
    ],
    [{ reply: { message: { model: 'm', usage: { ...counted, cache_read_input_tokens: 'x' } } } }, /has no usage/],
    [{ reply: { message: { model: 5, usage: counted } } }, 'its reply.message has no model'],
    [{ reply: { error: 5 } }, 'its reply.error is 5'],
    [{ reply: { trace: 'x' } }, 'its reply.trace is "x"'],
  ] as const) {
    test(`refuses ${JSON.stringify(odd)}`, async () => {
      const conversations = openConversations({ client })
      const line = { type: 'message', id: '1', parentId: null, message, ...odd }
      const file = `{"type":"conversation","head":null}\n${JSON.stringify(line)}`
      const expected = typeof found === 'string' ? `Cannot import line 2: ${found}` : found
      await assert.rejects(conversations.import(file, settings), { name: 'ContentError', message: expected })
      assert.deepEqual(await conversations.list(), [])
    })
  }

  test('leaves out a server tool result whose call was on a line that is lost', async () => {
    const from = openConversations({ client, cacheMarks: false })
    const reply = { role: 'assistant', model: 'claude-opus-4-6', usage: { input_tokens: 1, output_tokens: 1 } }
    const call = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    const paused = { ...reply, content: [call], stop_reason: 'pause_turn' }
    const messages = [message, paused, { ...reply, content: [found, text('a')] }]
    const conversation = await from.import(JSON.stringify(messages), settings)
    const lines = await Array.fromAsync(from.export(conversation.id))
    assert.equal((await importAndSend(lines.join('\n'))).sent.length, 3)
    const { sent, report } = await importAndSend(lines.toSpliced(2, 1).join('\n'))
    assert.deepEqual(sent, ['user: hi', 'assistant: a'])
    assertNotes(report, [/^3 repaired its parent 2/, /^3 repaired left out: web_search_tool_result/])
  })

  test('skips a line that is cut and reports it', async () => {
    const from = openConversations({ client })
    const conversation = await from.create(settings)
    await conversation.send('hello')
    const lines = await Array.fromAsync(from.export(conversation.id))
    const copy = await from.import(lines.with(2, lines[2]!.slice(0, 50)).join('\n'))
    assertNotes(copy.report, [/^1 repaired its head 2 is not in the file/, /^3 skipped not a JSON object/])
    await copy.send('go on')
  })
})

/** Replaces the value that the way leads to, each step choosing a member by its place. */
function replaceIn(root: object, way: readonly number[], value: unknown): void {
  let at = root as Record<string, unknown>
  for (const [step, choice] of way.entries()) {
    const keys = Object.keys(at)
    const key = keys[choice % Math.max(1, keys.length)]
    if (key === undefined) return
    const next = at[key]
    if (step === way.length - 1 || typeof next !== 'object' || next === null) {
      at[key] = value
      return
    }
    at = next as Record<string, unknown>
  }
}
