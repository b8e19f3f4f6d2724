import assert from 'node:assert/strict'
import { afterEach, describe, mock, test } from 'node:test'
import { script } from '../../engines/script.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { type Conversation, memoryStore, openConversations } from '../index.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } }

function said({ messages }: Conversation): string[] {
  return messages.map(({ role, content }) => `${role}: ${textOf(content)}`)
}

function sent(conversation: Conversation): string[] {
  return conversation.preview().messages.map(({ role, content }) => `${role}: ${textOf(content)}`)
}

function textOf(content: MessageParam['content']): string {
  if (typeof content === 'string') return content
  return content.map((block) => (block.type === 'text' ? block.text : block.type)).join('+')
}

describe('export() and import()', () => {
  test('importAll() reads several exports from one file, which import() refuses', async () => {
    const conversations = openConversations({ engine: script(['r1', 'r2', 'r3']), store: memoryStore() })
    const originals: Conversation[] = []
    const lines: string[] = []
    for (const text of ['one', 'two', 'three']) {
      const conversation = await conversations.create(settings)
      await conversation.send(text)
      originals.push(conversation)
      lines.push(...(await Array.fromAsync(conversations.export(conversation.id))))
    }
    const file = lines.join('\n')
    const imported = await conversations.importAll(file)
    const copies = await Promise.all(imported.map(({ id }) => conversations.open(id)))
    assert.deepEqual(copies.map(said), originals.map(said))
    assert.ok(imported.every(({ report }) => report.format === 'colloquy' && report.notes.length === 0))
    await assert.rejects(conversations.import(file), /found 3, importAll\(\) adds them all/)
  })

  test('import() skips lines and keeps members that a newer version has added', async () => {
    const conversations = openConversations({ engine: script(['r1']) })
    const { id } = await conversations.create(settings)
    await (await conversations.open(id)).send('one')
    const [about, ...lines] = (await Array.fromAsync(conversations.export(id))).map((line) => ({
      ...(JSON.parse(line) as { settings?: object }),
      later: { a: 1 },
    }))
    const newer = [{ ...about, settings: { ...about!.settings, later: 1 } }, ...lines, { type: 'bookmark', id: '1' }]
    const copy = await conversations.import(newer.map((line) => JSON.stringify(line)).join('\n'))
    assert.deepEqual(said(copy), ['user: one', 'assistant: r1'])
    assert.deepEqual({ ...copy.settings }, { ...settings, later: 1 })
    assert.deepEqual(copy.report.notes, [{ line: 4, kind: 'skipped', reason: 'its type is not known: "bookmark"' }])
  })

  test('export() and import() keep every message of every branch exactly', async () => {
    const store = memoryStore()
    const conversations = openConversations({
      engine: script([
        'r1',
        { reply: 'one two three four five', after: 3, cut: 'reset' },
        'r3',
        { content: [call] },
        { error: { type: 'api_error' } },
      ]),
      store,
    })
    const conversation = await conversations.create({ ...settings, title: 'A “title”', system: 'Be brief.' })
    await conversation.send('a')
    await assert.rejects(conversation.send('b'))
    await conversation.edit('1', 'c')
    await conversation.send('d')
    await assert.rejects(conversation.send([{ type: 'tool_result', tool_use_id: 'toolu_1' }]))
    const lines = await Array.fromAsync(conversations.export(conversation.id))
    const copy = await conversations.import(lines.join('\n'))

    assert.notEqual(copy.id, conversation.id)
    assert.deepEqual([copy.title, copy.settings], [conversation.title, conversation.settings])
    assert.deepEqual(said(copy), said(conversation))
    assert.deepEqual(copy.preview(), conversation.preview())
    assert.equal(copy.head, conversation.head)
    const [before, after] = await Promise.all(
      [conversation, copy].map(async ({ id }) => Array.fromAsync(store.messages(id))),
    )
    assert.deepEqual(
      after!.map(({ reply: _, ...message }) => message),
      before!.map(({ reply: _, ...message }) => message),
    )
    // The copy costs nothing.
    assert.equal(copy.usage.calls, 0)
    assert.deepEqual(
      copy.messages.map(({ usage }) => usage),
      conversation.messages.map(({ usage }) => usage),
    )
    const again = await Array.fromAsync(conversations.export(copy.id))
    assert.deepEqual(again.slice(1).map(withoutReply), lines.slice(1).map(withoutReply))
  })

  test('export() writes a line for each message, in the form of the API', async () => {
    const conversations = openConversations({ engine: script(['r1']) })
    const conversation = await conversations.create(settings)
    await conversation.send('a')
    const [first, second, third] = (await Array.fromAsync(conversations.export(conversation.id))).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    )
    assert.deepEqual(
      [first?.type, first?.id, first?.title, first?.settings, first?.head],
      ['conversation', conversation.id, 'a', settings, '2'],
    )
    assert.deepEqual(
      [second?.type, second?.id, second?.parentId, second?.message],
      ['message', '1', null, { role: 'user', content: 'a' }],
    )
    assert.deepEqual(
      [third?.parentId, third?.state, third?.message],
      ['1', 'committed', { role: 'assistant', content: [{ type: 'text', text: 'r1', citations: null }] }],
    )
  })

  test('export() throws ConversationNotFoundError for an unknown id', async () => {
    const conversations = openConversations({ engine: script([]) })
    await assert.rejects(Array.fromAsync(conversations.export('nowhere')), { name: 'ConversationNotFoundError' })
  })

  const history: MessageParam[] = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: [{ type: 'text', text: 'look' }, call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' }] },
  ]

  test('import() and create() take messages in the form of the API', async () => {
    const engine = script([{ reply: 'blue it is', times: 3 }])
    const conversations = openConversations({ engine, cacheMarks: false })
    for (const conversation of [
      await conversations.import(JSON.stringify(history, null, 2), settings),
      await conversations.import(history.map((message) => JSON.stringify(message)).join('\n'), settings),
      await conversations.create({ ...settings, messages: history }),
    ]) {
      assert.deepEqual(said(conversation), ['user: a', 'assistant: look+tool_use', 'user: tool_result'])
      assert.equal(conversation.title, 'a')
      await conversation.retry()
      assert.deepEqual(engine.requests.at(-1)?.params.messages, history)
    }
  })

  test('import() keeps numbers and the order of keys', async () => {
    const store = memoryStore()
    const json =
      '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{ "10":1.0,"2":12345678901234567890 }}]}'
    const conversation = await openConversations({ engine: script([]), store }).import(
      `{"role":"user","content":"a"}\n${json}`,
      settings,
    )
    assert.equal((await store.open(conversation.id))?.messages[1]?.json, json)
  })

  for (const [text, message] of [
    ['', 'Cannot import a conversation: the text is empty'],
    ['[{"role":"user"}]', /^Cannot import message 1: Cannot send content: .* found undefined$/],
    ['[{"role":"narrator","content":"a"}]', 'Cannot import message 1: its role is "narrator"'],
    ['{"role":"user","content":"a"}\nhello', /^Cannot import line 2: Unexpected token/],
    [
      '{"role":"user","content":"a"}\n{"role":"assistant","content":""}',
      /^Cannot import message 2: its content must be/,
    ],
    [
      JSON.stringify([...history.slice(0, 2), { role: 'user', content: 'and?' }]),
      /^Cannot import message 3: .*results of toolu_1/,
    ],
    [
      '{"type":"conversation","head":null}\n{"id":"2","parentId":"3"}',
      'Cannot import line 2: its parent comes after it',
    ],
    ['{"type":"conversation","head":null}\n{"id":2}', 'Cannot import line 2: its id is 2'],
  ] as const) {
    test(`import() refuses ${JSON.stringify(text).slice(0, 60)} and adds nothing`, async () => {
      const conversations = openConversations({ engine: script([]) })
      await assert.rejects(conversations.import(text, settings), { name: 'ContentError', message })
      assert.deepEqual(await conversations.list(), [])
    })
  }

  test('import() gives the conversation an id, and throws if it is taken', async () => {
    const conversations = openConversations({ engine: script(['reply']), store: memoryStore() })
    const text = '{"role":"user","content":"My name is Ada."}'
    const imported = await conversations.import(text, { ...settings, id: 'thread-1' })
    assert.equal(imported.id, 'thread-1')
    assert.deepEqual((await conversations.open('thread-1')).messages.length, 1)
    await assert.rejects(conversations.import(text, { ...settings, id: 'thread-1' }), {
      name: 'ConversationExistsError',
    })
    assert.equal((await conversations.list()).length, 1)
  })

  test('import() fills in defaults, which neither the file nor the options replace', async () => {
    const conversations = openConversations({ engine: script([]) })
    const defaults = { model: 'claude-haiku-4-5', max_tokens: 5, system: 'Be brief.' }
    const message = '{"role":"user","content":"a"}'
    assert.deepEqual((await conversations.import(message, { defaults })).settings, defaults)
    const request = JSON.stringify({ model: 'claude-sonnet-4-6', system: 'Rhyme.', messages: [JSON.parse(message)] })
    const own = await conversations.import(request, { max_tokens: 7, defaults })
    assert.deepEqual({ ...own.settings }, { model: 'claude-sonnet-4-6', max_tokens: 7, system: 'Rhyme.' })
    await assert.rejects(conversations.import(message, { defaults: { modle: 'x' } as never }), /modle/)
  })

  test('import() needs the settings that are not in the text', async () => {
    const conversations = openConversations({ engine: script([]) })
    await assert.rejects(
      conversations.import('{"role":"user","content":"a"}'),
      /Cannot set the model of a conversation: found undefined/,
    )
    assert.deepEqual(await conversations.list(), [])
  })
})

describe('what the caller changes after the call', () => {
  afterEach(() => mock.restoreAll())
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`)
  const messages = (): MessageParam[] =>
    texts.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }))
  const tools = (): { name: string; input_schema: { type: 'object' } }[] => [
    { name: 'look', input_schema: { type: 'object' } },
  ]

  /** Lets other work run after each ten looks at the clock. */
  function cutIntoSlices(): void {
    let now = 0
    mock.method(performance, 'now', () => now++)
  }

  function change(given: { tools: { name: string }[]; metadata: { place: string } }): void {
    given.tools[0]!.name = 'changed'
    given.tools.push({ name: 'added' })
    given.metadata.place = 'changed'
  }

  test('is not seen by create()', async () => {
    cutIntoSlices()
    const conversations = openConversations({ engine: script([]) })
    const given = { ...settings, tools: tools(), metadata: { place: 'here' }, messages: messages() }
    const created = conversations.create(given)
    change(given)
    for (const message of given.messages.splice(1)) message.content = 'changed'
    const { messages: found, metadata, settings: kept } = await conversations.open((await created).id)
    assert.deepEqual(
      found.map(({ content }) => textOf(content)),
      texts,
    )
    assert.deepEqual([metadata, kept.tools], [{ place: 'here' }, tools()])
  })

  test('is not seen by import()', async () => {
    cutIntoSlices()
    const conversations = openConversations({ engine: script([]) })
    const given = { ...settings, tools: tools(), metadata: { place: 'here' } }
    const imported = conversations.import(JSON.stringify(messages()), given)
    change(given)
    const { messages: found, metadata, settings: kept } = await imported
    assert.deepEqual([found.length, metadata, kept.tools], [40, { place: 'here' }, tools()])
  })

  test('is not seen by fork()', async () => {
    const conversations = openConversations({ engine: script(['reply']) })
    const conversation = await conversations.create({ ...settings, messages: messages() })
    cutIntoSlices()
    const fork = conversation.fork()
    await Promise.all([conversation.send('more'), fork])
    assert.deepEqual([conversation.messages.length, (await fork).messages.length], [42, 40])
  })
})

describe('import() of a Claude Code transcript', () => {
  const line = (fields: object): string =>
    JSON.stringify({ isSidechain: false, timestamp: '2026-11-20T10:00:00.000Z', ...fields })
  const user = (uuid: string, parentUuid: string | null, content: unknown, more = {}): string =>
    line({ type: 'user', uuid, parentUuid, message: { role: 'user', content }, ...more })
  const assistant = (uuid: string, parentUuid: string, id: string, block: object): string =>
    line({
      type: 'assistant',
      uuid,
      parentUuid,
      message: {
        id,
        type: 'message',
        role: 'assistant',
        model: 'claude-opus-5-5',
        content: [block],
        usage: { input_tokens: 5, output_tokens: 2 },
      },
    })
  const result = (id: string): object => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })
  const use = (id: string): object => ({ type: 'tool_use', id, name: 'Read', input: {} })

  test('joins the lines of a reply and of parallel results', async () => {
    const text = [
      line({ type: 'summary', summary: 'Reading files', leafUuid: 'x' }),
      user('1', null, 'Read both files'),
      user('s', '1', 'a side conversation', { isSidechain: true }),
      assistant('2', '1', 'msg_1', { type: 'thinking', thinking: 'hm', signature: 's' }),
      assistant('3', '2', 'msg_1', { type: 'text', text: 'Reading' }),
      assistant('4', '3', 'msg_1', use('t1')),
      assistant('5', '4', 'msg_1', use('t2')),
      user('6', '4', [result('t1')]),
      user('7', '5', [result('t2')]),
      line({ type: 'system', uuid: '8', parentUuid: '7', content: 'a notice' }),
      assistant('9', '8', 'msg_2', { type: 'text', text: 'Both say ok' }),
    ].join('\n')
    const conversation = await openConversations({ engine: script(['more']) }).import(text, { max_tokens: 500 })
    assert.deepEqual(said(conversation), [
      'user: Read both files',
      'assistant: thinking+Reading+tool_use+tool_use',
      'user: tool_result+tool_result',
      'assistant: Both say ok',
    ])
    assert.deepEqual([conversation.title, conversation.settings.model], ['Reading files', 'claude-opus-5-5'])
    assert.equal(conversation.messages[1]?.usage?.input_tokens, 5)
    assert.equal((await conversation.send('go on')).text, 'more')
  })

  test('does not send calls without results or results without calls', async () => {
    const text = [
      user('1', null, 'Read'),
      assistant('2', '1', 'msg_1', { type: 'text', text: 'Reading' }),
      assistant('3', '2', 'msg_1', use('t1')),
      user('4', '3', '[Request interrupted by user]'),
      assistant('5', '4', 'msg_2', use('t2')),
      user('6', '5', 'no, wait'),
      user('7', '6', [result('t9'), { type: 'text', text: 'and this' }]),
    ].join('\n')
    const conversation = await openConversations({ engine: script(['fine']) }).import(text, { max_tokens: 500 })
    assert.deepEqual(said(conversation).slice(1, 4), [
      'assistant: Reading+tool_use',
      'user: [Request interrupted by user]',
      'assistant: tool_use',
    ])
    assert.deepEqual(sent(conversation), [
      'user: Read',
      'assistant: Reading',
      'user: [Request interrupted by user]',
      'user: no, wait',
      'user: and this',
    ])
    assert.equal((await conversation.send('go on')).text, 'fine')
  })
})

describe('fork()', () => {
  test('copies a conversation into an independent one', async () => {
    const conversations = openConversations({ engine: script(['r1', 'r2', 'r3', 'r4']) })
    const conversation = await conversations.create({ ...settings, system: 'Be brief.' })
    await conversation.send('a')
    await conversation.retry()
    await conversation.send('b')
    const fork = await conversation.fork(conversation.messages[1]!.id)
    assert.deepEqual(
      [said(fork), fork.title, fork.settings],
      [['user: a', 'assistant: r2'], 'a', conversation.settings],
    )
    assert.equal(fork.usage.calls, 0)
    await fork.send('c')
    assert.deepEqual(said(fork), ['user: a', 'assistant: r2', 'user: c', 'assistant: r4'])
    assert.deepEqual(said(await conversations.open(fork.id)), said(fork))
    assert.deepEqual(said(conversation), ['user: a', 'assistant: r2', 'user: b', 'assistant: r3'])
    assert.equal((await conversation.fork()).messages.length, 4)
    await assert.rejects(conversation.fork('99'), { name: 'ConversationNotFoundError' })
  })
})

function withoutReply(line: string): string {
  return line.replace(/,"reply":\{.*?\}\}?(?=,"(received|message)"|\}$)/, '')
}
