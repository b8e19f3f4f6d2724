import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { script } from 'colloquy/engines'
import { tool } from 'colloquy/tools'
import { Interruption } from '../../../../test/interrupted.ts'
import { type Conversations, openConversations } from './collection/conversations.ts'
import type { Conversation } from './conversation.ts'
import { memoryStore } from './stores/memory/store.ts'
import type { BegunTurn, ConversationStore, FinishStep } from './stores/store.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }

// Another process may act between any two calls of the store: what this one has read is then of different moments.
describe('another process acts between two calls of the store', () => {
  const meanwhile = new Interruption()
  let store: ConversationStore
  let here: Conversations
  let there: Conversations

  beforeEach(() => {
    meanwhile.arm()
    store = memoryStore()
    const replies = Array.from({ length: 99 }, () => 'A reply.')
    here = openConversations({ engine: script(replies), store: meanwhile.inCallsOf(store) })
    there = openConversations({ engine: script(replies), store })
  })

  /** Two turns: the messages 1 and 2, then 3 and 4. */
  async function talk(id: string): Promise<Conversation> {
    const chat = await there.create({ ...settings, id })
    await chat.send('first')
    await chat.send('second', { key: 'k' })
    return chat
  }

  const operations: Record<string, (chat: Conversation) => unknown> = {
    'open()': ({ id }) => here.open(id),
    'export()': async ({ id }) => here.import((await Array.fromAsync(here.export(id))).join('\n'), settings),
    'check()': async ({ id }) => assert.deepEqual(await Array.fromAsync(here.check(id)), []),
    'follow()': ({ id }) => Array.fromAsync(here.follow(id, { after: '2.0.0' })),
    'send()': (chat) => chat.send('third', { onConflict: 'queue' }),
    'send() with a key': (chat) => chat.send('second', { key: 'k', onConflict: 'queue' }),
    'edit() without a request': (chat) => chat.edit('1', 'changed', { rerun: false, onConflict: 'queue' }),
    'versions()': (chat) => chat.versions('2'),
    'switchTo()': (chat) => chat.switchTo('2'),
  }
  const actions: Record<string, (chat: Conversation) => PromiseLike<unknown>> = {
    'takes a turn': (chat) => chat.send('between'),
    'erases the last turn': (chat) => chat.erase('3'),
    'erases all turns': (chat) => chat.erase('1'),
    'deletes the conversation': ({ id }) => there.delete(id),
  }

  for (const [name, operation] of Object.entries(operations)) {
    test(`${name} damages nothing, and fails with a conflict or because something is gone`, async () => {
      for (const [doing, action] of Object.entries(actions)) {
        for (let at = 2; ; at++) {
          const other = await talk(`${doing} ${at}`)
          meanwhile.arm()
          const chat = await here.open(other.id)
          meanwhile.arm(at, async () => action(other))
          try {
            await operation(chat)
          } catch (error) {
            const expected = ['ConversationConflictError', 'ConversationNotFoundError']
            assert.ok(expected.includes((error as Error).name), `${doing} before call ${at}: ${(error as Error).stack}`)
          }
          if (meanwhile.steps < at) break
          assert.deepEqual(await Array.fromAsync(there.check(other.id)), [], `${doing} before call ${at}`)
        }
      }
    })
  }

  test('edit() without a request copies the replies one after the other', async () => {
    const other = await talk('one')
    const chat = await here.open('one')
    // After the first copy.
    meanwhile.arm(3, () => other.refresh().then(() => other.send('between')))
    await chat.edit('1', 'changed', { rerun: false, onConflict: 'queue' })
    assert.equal(meanwhile.steps > 3, true)
    assert.deepEqual(
      chat.messages.map(({ content }) => (typeof content === 'string' ? content : 'A reply.')),
      ['changed', 'A reply.', 'second', 'A reply.'],
    )
  })

  test('deleteUnusedSince() keeps a conversation that is used again, and does not mind one that is gone', async () => {
    for (const id of ['deleted', 'used', 'unused']) await there.create({ ...settings, id })
    const time = new Date(Date.now() + 60_000)
    for (let at = 2; at <= 3; at++) {
      meanwhile.arm(at, async () => {
        await store.delete('deleted')
        await store.update('used', at - 1, { title: 'Used', at: time.getTime() })
      })
      await here.deleteUnusedSince(time)
      const left = await store.list({ limit: 9 })
      assert.deepEqual(
        left.map(({ id }) => id),
        ['used'],
      )
    }
  })

  describe('and ends a turn with tools', () => {
    const city = tool({
      name: 'city',
      inputSchema: { type: 'object', properties: {} },
      run: () => Promise.reject(new Error('The tool of the other process ran here')),
    })
    const calls = [{ type: 'tool_use', id: 't1', name: 'city', input: {} }]
    const results = [{ type: 'tool_result', tool_use_id: 't1', content: 'Kyoto' }]

    async function begin(version: number, parent: number, content: unknown, key?: string): Promise<BegunTurn> {
      const messages = [{ role: 'user', json: JSON.stringify({ role: 'user', content }) }]
      return (await store.begin({ id: 'one', version, parent, messages, key, at: 1 })) as BegunTurn
    }

    async function end({ handle }: BegunTurn, content: unknown[], continues = false): Promise<void> {
      const usage = { input_tokens: 1, output_tokens: 1 }
      const about = { id: 'm', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn' }
      const reply = JSON.stringify({
        message: { ...about, stop_sequence: null, usage },
        ...(continues && { continues }),
      })
      const json = JSON.stringify({ role: 'assistant', content })
      const step: FinishStep = { id: 'one', handle, state: 'committed', json, received: null, reply, at: 1, continues }
      await store.finish(step)
    }

    test('follow() follows the turn, and not one of another branch', async () => {
      await here.create({ ...settings, id: 'one' })
      const first = await begin(1, 0, 'Which?')
      await end(first, calls, true)
      meanwhile.arm(4, async () => {
        const branch = await begin(first.version, 0, 'Another branch')
        await end(branch, [{ type: 'text', text: 'Of the branch' }])
        const second = await begin(branch.version, first.reply, results)
        await end(second, [{ type: 'text', text: 'Kyoto' }])
        await store.update('one', second.version, { head: branch.reply, at: 1 })
        await store.release(first.handle)
      })
      const events = await Array.fromAsync(here.follow('one'))
      const messages = events.flatMap((event) => (event.type === 'step_end' ? [event.message] : []))
      assert.deepEqual(
        messages.map(({ id }) => id),
        ['2', '6'],
      )
    })

    for (const onConflict of ['queue', 'branch', 'fail'] as const) {
      test(`send() with its key does not send it again, with onConflict ${onConflict}`, async () => {
        for (let at = 1; at < 10; at++) {
          await here.create({ ...settings, id: 'one' })
          const first = await begin(1, 0, 'Which?', 'k')
          await end(first, calls, true)
          const chat = await here.open('one')
          meanwhile.arm(at, async () => {
            const second = await begin(first.version, first.reply, results)
            await end(second, [{ type: 'text', text: 'Kyoto' }])
            await store.release(first.handle)
          })
          const sending = chat.send('Which?', { key: 'k', tools: [city], onConflict })
          if (onConflict === 'queue') assert.equal((await sending).text, 'Kyoto')
          else await sending.catch((error: unknown) => assert.equal((error as Error).name, 'ConversationConflictError'))
          meanwhile.arm()
          assert.ok((await store.tree('one')).length <= 4)
          await here.delete('one')
        }
      })
    }
  })
})
