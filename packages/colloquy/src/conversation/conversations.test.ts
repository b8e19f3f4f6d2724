import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { script } from '../engines/script.ts'
import { openConversations } from './index.ts'

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

function said(text: string): { role: 'user'; content: string } {
  return { role: 'user', content: `sunny says ${text}` }
}
