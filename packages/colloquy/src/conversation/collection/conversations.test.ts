import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, mock, test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { script } from '../../engines/script.ts'
import type { ContentBlock, ToolUseBlock } from '../../protocol/types/message.ts'
import type { ToolResultBlockParam } from '../../protocol/types/params.ts'
import { tool } from '../../tools/tool.ts'
import { openConversations } from '../index.ts'
import { memoryStore } from '../stores/memory/store.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }

describe('create()', () => {
  test('takes an id, an owner and metadata', async () => {
    const conversations = openConversations({ engine: script(['hi']) })
    const metadata = { user_id: 'u-1', project: { id: 7 }, tags: ['a'] }
    const created = await conversations.create({ ...settings, id: 'ticket 1', owner: 'ada', metadata })
    for (const each of [created, await conversations.open('ticket 1')]) {
      assert.deepEqual([each.id, each.owner, each.metadata], ['ticket 1', 'ada', { project: { id: 7 }, tags: ['a'] }])
      assert.deepEqual(each.settings.metadata, { user_id: 'u-1' })
    }
  })

  test('sends no metadata but the user_id', async () => {
    const engine = script(['a', 'b'])
    const conversations = openConversations({ engine })
    await (await conversations.create({ ...settings, metadata: { project: 7 } })).send('hello')
    await (await conversations.create({ ...settings, metadata: { user_id: 'u', project: 7 } })).send('hello')
    assert.deepEqual(
      engine.requests.map(({ params }) => params.metadata),
      [undefined, { user_id: 'u' }],
    )
  })

  test('throws ConversationExistsError if the id is taken', async () => {
    const conversations = openConversations({ engine: script([]) })
    await conversations.create({ ...settings, id: 'one', title: 'First' })
    await assert.rejects(conversations.create({ ...settings, id: 'one' }), {
      name: 'ConversationExistsError',
      conversationId: 'one',
      message: 'Cannot create conversation one: the store has one with this id',
    })
    assert.equal((await conversations.open('one')).title, 'First')
  })

  test('refuses metadata that is not an object or is too long', async () => {
    const conversations = openConversations({ engine: script([]) })
    const create = (metadata: unknown): Promise<unknown> => conversations.create({ ...settings, metadata } as never)
    const long = { text: 'x'.repeat(65_526) }
    await assert.rejects(create(long), /at most 65536 characters: it has 65537/)
    await create({ text: 'x'.repeat(65_525) })
    const conversation = await conversations.create(settings)
    await assert.rejects(conversation.update({ metadata: [1] as never }), /must be an object: found \[1\]/)
    assert.equal(conversation.metadata, undefined)
  })
})

describe('openOrCreate()', () => {
  test('creates a conversation once and then opens it', async () => {
    const conversations = openConversations({ engine: script(['hi']) })
    const first = await conversations.openOrCreate({ ...settings, id: 'one', title: 'First' })
    await first.send('hello')
    const second = await conversations.openOrCreate({ ...settings, id: 'one', title: 'Second' })
    assert.deepEqual([second.title, second.messages.length], ['First', 2])
  })

  test('creates one conversation when called many times at once', async () => {
    const conversations = openConversations({ engine: script([]) })
    const options = { ...settings, id: 'one', owner: 'ada' }
    const opened = await Promise.all(Array.from({ length: 5 }, () => conversations.openOrCreate(options)))
    assert.deepEqual(new Set(opened.map(({ id }) => id)), new Set(['one']))
    assert.equal((await conversations.list()).length, 1)
  })

  test("throws ConversationNotFoundError for another owner's conversation", async () => {
    const conversations = openConversations({ engine: script([]) })
    await conversations.create({ ...settings, id: 'one', owner: 'ada' })
    for (const work of [
      conversations.openOrCreate({ ...settings, id: 'one', owner: 'bob' }),
      conversations.open('one', { owner: 'bob' }),
    ]) {
      await assert.rejects(work, { name: 'ConversationNotFoundError', conversationId: 'one' })
    }
    assert.equal((await conversations.open('one', { owner: 'ada' })).id, 'one')
    assert.equal((await conversations.openOrCreate({ ...settings, id: 'one' })).owner, 'ada')
  })
})

test('list() and search() take an owner', async () => {
  const conversations = openConversations({ engine: script([]) })
  for (const owner of ['ada', 'bob']) await conversations.create({ ...settings, owner, messages: [said(owner)] })
  await conversations.create({ ...settings, messages: [said('everyone')] })
  assert.deepEqual(
    (await conversations.list({ owner: 'ada' })).map(({ owner, title }) => [owner, title]),
    [['ada', 'sunny says ada']],
  )
  assert.equal((await conversations.list()).length, 3)
  assert.deepEqual(
    (await conversations.search('sunny', { owner: 'bob' })).map(({ excerpt }) => excerpt),
    ['sunny says bob'],
  )
  assert.equal((await conversations.search('sunny')).length, 3)
})

test('list() has the calls, tokens and cost of each conversation', async () => {
  const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const conversations = openConversations({
    engine: script([
      { content: 'a', usage },
      { content: 'b', usage },
    ]),
  })
  const conversation = await conversations.create(settings)
  await conversation.send('hello')
  await conversation.retry()
  const [listed] = await conversations.list()
  assert.deepEqual([listed?.messages, listed?.calls, listed?.tokens], [3, 2, 30])
  assert.deepEqual(listed?.cost, conversation.cost)
  assert.ok(listed.cost.picoUsd > 0n)
})

test('update() changes the title, the owner and the metadata, or removes them', async () => {
  const conversations = openConversations({ engine: script([]) })
  const conversation = await conversations.create({ ...settings, owner: 'ada', metadata: { a: 1 } })
  await conversation.update({ metadata: { b: 2 } })
  assert.deepEqual([conversation.owner, conversation.metadata], ['ada', { b: 2 }])
  await conversation.update({ owner: null, metadata: null, title: 'T' })
  const reopened = await conversations.open(conversation.id)
  assert.deepEqual([reopened.owner, reopened.metadata, reopened.title], [undefined, undefined, 'T'])
})

test('update() pins and archives without a change of updatedAt, for list() and for exports', async () => {
  const conversations = openConversations({ engine: script(['hi']) })
  const first = await conversations.create({ ...settings, id: 'first' })
  await first.send('hello')
  const [usedAt] = [first.updatedAt, await conversations.create({ ...settings, id: 'second' })]
  await first.update({ shelf: 'archived' })
  assert.deepEqual([first.shelf, first.updatedAt], ['archived', usedAt])
  const listed = async (shelf: 'pinned' | 'archived' | 'none'): Promise<string[]> =>
    (await conversations.list({ shelf })).map(({ id }) => id)
  assert.deepEqual(
    [await listed('archived'), await listed('none'), await listed('pinned')],
    [['first'], ['second'], []],
  )
  assert.equal((await first.fork()).shelf, undefined)
  const exported = (await Array.fromAsync(conversations.export('first'))).join('\n')
  assert.equal((await conversations.import(exported)).shelf, 'archived')
  await assert.rejects(conversations.import(exported.replace('"archived"', '"lost"')), /line 1: its shelf is "lost"/)
  await first.update({ shelf: null })
  assert.deepEqual([first.shelf, (await conversations.open('first')).shelf], [undefined, undefined])
  const message = /shelf must be pinned or archived: found "lost"$/
  await assert.rejects(first.update({ shelf: 'lost' as never }), message)
  await assert.rejects(conversations.list({ shelf: 'lost' as never }), message)
})

test('close() stops turns, whose replies are kept and no longer busy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const path = join(folder, 'chats.db')
  try {
    const conversations = openConversations({ engine: offline({ wordsPerSecond: 10 }), store: sqliteStore(path) })
    const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 500 })
    const turn = conversation.send('Count to 400')
    for await (const event of turn) if (event.type === 'content_block_delta') break
    const outcome = assert.rejects(turn, { name: 'APIUserAbortError' })
    await conversations.close()
    await outcome
    const reopened = openConversations({ engine: script(['On we go.']), store: sqliteStore(path) })
    const again = await reopened.open(conversation.id)
    assert.deepEqual(
      [again.receiving, again.messages.map(({ state }) => state)],
      [undefined, ['committed', 'interrupted']],
    )
    // Readers tell it from a reply that the user stopped.
    const closed = { name: 'APIUserAbortError', message: 'The conversations were closed.' }
    assert.deepEqual(again.messages.at(-1)?.error, closed)
    assert.equal((await again.send('Hello')).text, 'On we go.')
    await reopened.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('fork() keeps the owner and the metadata, import() only the metadata', async () => {
  const conversations = openConversations({ engine: script([]) })
  const original = await conversations.create({ ...settings, owner: 'ada', metadata: { a: 1 }, messages: [said('hi')] })
  const fork = await original.fork()
  assert.deepEqual([fork.owner, fork.metadata], ['ada', { a: 1 }])
  const lines = (await Array.fromAsync(conversations.export(original.id))).join('\n')
  const copy = await conversations.import(lines)
  assert.deepEqual([copy.owner, copy.metadata], [undefined, { a: 1 }])
  const given = await conversations.import(lines, { owner: 'bob', metadata: { user_id: 'u', c: 3 } })
  assert.deepEqual([given.owner, given.metadata, given.settings.metadata], ['bob', { c: 3 }, { user_id: 'u' }])
})

describe('halves of surrogate pairs', () => {
  // The API answers a request that has one with an error, now and at every later turn.
  test('are replaced in everything that a program sends', async () => {
    const engine = script(['one', 'two', 'three'])
    const conversations = openConversations({ engine, cacheMarks: false })
    const conversation = await conversations.create({
      ...settings,
      system: 'Be \ud800.',
      messages: [
        { role: 'user', content: 'a\udc00' },
        { role: 'assistant', content: 'b\ud800' },
      ],
    })
    await conversation.send('and \ud83d?')
    await conversation.edit(conversation.messages.at(-1)!.id, 'c\ud800')
    await conversation.configure({ system: 'Still \ud800.' })
    assert.deepEqual(conversation.preview([{ type: 'text', text: '\ud83d' }]).messages.at(-1)?.content, [
      { type: 'text', text: '\ufffd' },
    ])
    await conversation.send([{ type: 'text', text: '😀\ud83d' }])
    const [first, second] = engine.requests.map(({ params }) => params)
    assert.deepEqual([first?.system, second?.system], ['Be \ufffd.', 'Still \ufffd.'])
    assert.deepEqual(
      second?.messages.map(({ content }) => (typeof content === 'string' ? content : content[0])),
      [
        'a\ufffd',
        'b\ufffd',
        'and \ufffd?',
        { type: 'text', text: 'c\ufffd', citations: null },
        { type: 'text', text: '😀\ufffd' },
      ],
    )
  })

  test('are replaced in the results of tools', async () => {
    const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
    const engine = script([{ content: [call] }, 'fine'])
    const conversation = await openConversations({ engine }).create(settings)
    const inputSchema = { type: 'object', properties: {} } as const
    const weather = tool({ name: 'weather', description: 'w', inputSchema, run: () => 'sunny 🌤'.slice(0, 7) })
    await conversation.send('Weather?', { tools: [weather] })
    const [result] = engine.requests[1]!.params.messages.at(-1)!.content as ToolResultBlockParam[]
    assert.equal(result?.content, 'sunny \ufffd')
  })

  test('are replaced in what the model wrote when it is sent back', async () => {
    const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Lis\ud83d' } }
    const engine = script([{ content: [call] }, 'fine'])
    const conversation = await openConversations({ engine }).create(settings)
    await conversation.send('Weather?')
    await conversation.send([{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' }])
    const [sent] = engine.requests[1]!.params.messages[1]!.content as ToolUseBlock[]
    assert.deepEqual(sent?.input, { city: 'Lis\ufffd' })
    const [received] = conversation.messages[1]!.content as ToolUseBlock[]
    assert.deepEqual(received?.input, { city: 'Lis\ud83d' })
  })
})

test('titles are one line, and are cut between graphemes', async () => {
  const conversations = openConversations({ engine: script(['hi', 'hi']) })
  const family = '👨‍👩‍👧‍👦'
  const title = async (content: string): Promise<string | undefined> => {
    return (await conversations.create({ ...settings, messages: [{ role: 'user', content }] })).title
  }
  assert.equal(await title(`${'x'.repeat(55)}${family}abc`), `${'x'.repeat(55)}…`)
  assert.equal(await title('\r\n Plan\ta trip\u0085to\u2028Kyoto'), 'Plan a trip to')
  assert.equal(await title('e\u0301'.repeat(60)), `${'e\u0301'.repeat(29)}…`)
  const named = await conversations.create({ ...settings, title: ' two\nlines \0 \ud800 ' })
  assert.equal(named.title, 'two lines \ufffd \ufffd')
  await named.rename('x'.repeat(300))
  assert.equal(named.title, `${'x'.repeat(199)}…`)
  await named.rename(' \n')
  assert.equal(named.title, undefined)
})

test('ids, keys, owners and searches may have any character', async () => {
  const conversations = openConversations({ engine: script(['hi', 'ho']) })
  const conversation = await conversations.create({ ...settings, id: 'a\0', owner: '\ud800' })
  await conversation.send('x\0y', { key: 'k\0', metadata: { user_id: 'u\0' } })
  await conversation.send('x\0y', { key: 'k\0' })
  assert.equal(conversation.messages.length, 2)
  assert.equal((await conversations.open('a\0', { owner: '\ud800' })).messages.length, 2)
  assert.equal((await conversations.search('x\0y')).length, 1)
  assert.deepEqual(await conversations.search('\0'), [])
})

for (const [kind, open] of Object.entries({ memory: memoryStore, sqlite: () => sqliteStore(':memory:') })) {
  test(`${kind}: an id, a key and a text of a wrong type are refused by name`, async () => {
    const conversations = openConversations({ engine: script([]), store: open() })
    const conversation = await conversations.create(settings)
    for (const [value, found] of [
      ...[undefined, null, 0, true, 1n, Symbol('id')].map((value) => [value, String(value)] as const),
      ...[[], [[]]].map((value) => [value, 'a list'] as const),
      ...[{}, new Date(0)].map((value) => [value, 'an object'] as const),
      [() => 'id', 'a function'],
    ] as const) {
      const wrong = value as never
      const mustBeText = (name: string): object => ({
        name: 'AnthropicError',
        message: `Cannot use the ${name} as it must be text: found ${found}`,
      })
      const calls: Record<string, (() => PromiseLike<unknown>)[]> = {
        id: [
          () => conversations.open(wrong),
          () => conversations.delete(wrong),
          () => conversations.resume(wrong),
          () => conversations.stop(wrong),
          () => Array.fromAsync(conversations.follow(wrong)),
          () => Array.fromAsync(conversations.export(wrong)),
        ],
        import: [() => conversations.import(wrong), () => conversations.importAll(wrong)],
      }
      // These may be left out.
      if (value !== undefined) {
        calls['id']!.push(() => conversations.create({ ...settings, id: wrong }))
        calls['key'] = [() => conversation.send('hello', { key: wrong })]
      }
      for (const [name, all] of Object.entries(calls)) {
        for (const call of all) await assert.rejects(Promise.resolve(call()), mustBeText(name))
      }
    }
    assert.equal(conversation.messages.length, 0)
    await conversations.close()
  })
}

test('values of a wrong type are refused by name, and change nothing', async () => {
  const conversations = openConversations({ engine: script([]) })
  const conversation = await conversations.create({ ...settings, title: 'kept', metadata: { kept: 1 } })
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const mustBeText = { message: 'Cannot set the title of a conversation as it must be text: found 5' }
  const mustBeJson = {
    name: 'AnthropicError',
    message: /^Cannot set the metadata of a conversation: JSON must be able/,
  }
  const mustBeObject = {
    name: 'AnthropicError',
    message: /^Cannot set the metadata of a conversation as it must be an object/,
  }
  for (const options of [undefined, null, 'x', 5]) {
    await assert.rejects(conversations.create(options as never), {
      name: 'AnthropicError',
      message: `Cannot use create() as its options must be an object: found ${options === 'x' ? '"x"' : options}`,
    })
  }
  for (const [options, expected] of [
    [{ title: 5 }, mustBeText],
    [{ metadata: circle }, mustBeJson],
    [{ metadata: { price: 1n } }, mustBeJson],
    [{ metadata: ['a'] }, mustBeObject],
    [{ metadata: 'a' }, mustBeObject],
  ] as const) {
    await assert.rejects(conversations.create({ ...settings, ...options } as never), expected)
    await assert.rejects(conversation.update(options as never), expected)
  }
  for (const [messages, message] of [
    ['a', 'Cannot create a conversation as its messages must be a list: found "a"'],
    [7, 'Cannot create a conversation as its messages must be a list: found 7'],
    [[undefined], 'Cannot import message 1: it has no role, found null'],
    [[() => 'a'], 'Cannot import message 1: it has no role, found null'],
    [[{ role: 'user', content: 1n }], /^Cannot import message 1: JSON must be able to hold it: .*BigInt$/],
    [[circle], 'Cannot copy what was given: it contains itself, or is nested more than 1000 levels deep'],
  ] as const) {
    await assert.rejects(conversations.create({ ...settings, messages: messages as never }), { message })
  }
  await assert.rejects(conversations.search(5 as never), {
    message: 'Cannot search as the query must be text: found 5',
  })
  assert.deepEqual([conversation.title, conversation.metadata], ['kept', { kept: 1 }])
  assert.equal((await conversations.list({ limit: 1e15 })).length, 1)
})

test('a message that does not exist is named, whatever the id is', async () => {
  const conversations = openConversations({ engine: script(['a', 'b']) })
  const conversation = await conversations.create(settings)
  await conversation.send('one')
  await conversation.send('two')
  await conversation.erase('3')
  for (const id of ['3', '4', '0', '-1', '1.5', '1e0', '2147483648', '9007199254740993', '', 'x', undefined, 1.5]) {
    const expected = { name: 'ConversationNotFoundError', message: new RegExp(`^Cannot find message ${id}: `) }
    for (const use of ['switchTo', 'erase', 'versions', 'exchange'] as const) {
      await assert.rejects(async () => conversation[use](id as string), expected)
    }
    await assert.rejects(async () => conversation.edit(id as string, 'again'), expected)
  }
  assert.equal(conversation.messages.length, 2)
})

function said(text: string): { role: 'user'; content: string } {
  return { role: 'user', content: `sunny says ${text}` }
}

test('an error shows the beginning of an id that is long', async () => {
  const conversations = openConversations({ engine: script([]) })
  const id = 'x'.repeat(10_000)
  const isShort = ({ message }: Error): boolean => message.length < 300 && message.includes('xxx…')
  await assert.rejects(conversations.open(id), isShort)
  const conversation = await conversations.create(settings)
  await assert.rejects(conversation.switchTo(id), isShort)
})

test('importAll() and deleteUnusedSince() let other work run between many conversations', async () => {
  const conversations = openConversations({ engine: script(['hi']), limits: {} })
  await (await conversations.create(settings)).send('hello')
  assert.ok((await conversations.spending()).tokens > 0n)
  const file = JSON.stringify(Array.from({ length: 60 }, () => ({ chat_messages: [{ sender: 'human', text: 'a' }] })))
  const deleteAll = (): Promise<number> => conversations.deleteUnusedSince(new Date(8.64e15))
  for (const work of [() => conversations.importAll(file, settings), deleteAll]) {
    // Each look at the clock takes a millisecond, so other work may run after ten of them.
    let now = 0
    const clock = mock.method(performance, 'now', () => now++)
    let tasks = 0
    let isOver = false
    function otherWork(): void {
      tasks++
      if (!isOver) setImmediate(otherWork)
    }
    setImmediate(otherWork)
    await work()
    isOver = true
    clock.mock.restore()
    assert.ok(tasks >= 5, String(tasks))
  }
  assert.equal((await conversations.list()).length, 0)
  assert.equal((await conversations.spending()).tokens, 0n)
})
