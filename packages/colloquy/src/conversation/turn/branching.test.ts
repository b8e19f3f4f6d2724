import assert from 'node:assert/strict'
import { test } from 'node:test'
import { script } from '../../engines/script.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { BeginStep, ConversationStore } from '../stores/store.ts'
import type { Turn } from './turn.ts'

const turns: Record<string, (conversation: Conversation) => Turn> = {
  'retry()': (conversation) => conversation.retry('1', { onConflict: 'branch' }),
  'send()': (conversation) => conversation.send('Next', { onConflict: 'branch' }),
}

for (const [name, take] of Object.entries(turns)) {
  test(`${name} that branches off sends only its own branch when another turn ends meanwhile`, async () => {
    const store = memoryStore()
    const arrive = Promise.withResolvers<void>()
    const requests: MessageCreateParams[] = []
    async function* engine(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
      requests.push(structuredClone(params))
      if (requests.length === 2) await arrive.promise
      yield* script([`Reply ${requests.length}`])(params, context)
    }
    const taken: Turn[] = []
    let begins = 0
    async function begin(step: BeginStep): ReturnType<ConversationStore['begin']> {
      // The slow turn ends while the other one begins.
      if (++begins === 3) {
        arrive.resolve()
        await taken[0]
      }
      return store.begin(step)
    }
    const watched = new Proxy(store, {
      get: (target, key) => {
        const value: unknown = key === 'begin' ? begin : Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const conversations = openConversations({ engine, store: watched, cacheMarks: false })
    const conversation = await conversations.create({ model: 'claude-opus-5-5', max_tokens: 100 })
    await conversation.send('First')
    taken.push(conversation.retry())
    for await (const event of taken[0]!.stream) if (event.type === 'step_start') break
    const reply = await take(conversation)
    const sent = requests[2]!.messages.map(({ role, content }) => [role, content])
    const path = (await conversation.path(reply.messageId)).slice(0, -1)
    assert.deepEqual(
      sent,
      path.map(({ role, content }) => [role, content]),
    )
    const shown = conversation.messages.map(({ content }) => content)
    const again = await conversations.open(conversation.id)
    assert.deepEqual(
      again.messages.map(({ content }) => content),
      shown,
    )
  })
}

test('edit() without a new reply keeps what follows a reply that failed', async () => {
  const engine = script(['One', { error: { type: 'overloaded_error' } }, 'Three'])
  const conversation = await openConversations({ engine }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  await conversation.send('1')
  await assert.rejects(conversation.send('2'), { type: 'overloaded_error' })
  await conversation.send('3')
  const sent = (): string[] => conversation.preview().messages.map(({ content }) => JSON.stringify(content))
  const [, ...following] = sent()
  await conversation.edit('1', 'one', { rerun: false })
  assert.deepEqual(sent(), ['"one"', ...following])
  assert.equal(engine.requests.length, 3)
})

test('edit() without a new reply keeps the last question if it has no reply', async () => {
  const engine = script(['One', { error: { type: 'overloaded_error' } }, 'Two'])
  const conversations = openConversations({ engine })
  const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  await conversation.send('1')
  await assert.rejects(conversation.send('2'), { type: 'overloaded_error' })
  const reply = await conversation.edit('1', 'one', { rerun: false })
  assert.equal(reply.text, 'One')
  for (const { messages } of [conversation, await conversations.open(conversation.id)])
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['one', reply.message.content, '2'],
    )
  assert.equal((await conversation.retry()).text, 'Two')
  assert.deepEqual(
    conversation.messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'assistant'],
  )
})

test('edit() that keeps a thousand replies lets other work run', async () => {
  const messages = Array.from({ length: 2_000 }, (_, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: `message ${index}`,
  }))
  const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
  const conversation = await openConversations({ engine: script([]) }).create({ ...settings, messages })
  let turns = 0
  let next = setImmediate(function count() {
    turns++
    next = setImmediate(count)
  })
  await conversation.edit('1', 'changed', { rerun: false })
  clearImmediate(next)
  assert.equal(conversation.messages.length, messages.length)
  assert.ok(turns > 0)
})
