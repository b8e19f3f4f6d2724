import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { script, type ScriptEngine, type ScriptedMessage, type ScriptedReply, type Step } from '../../engines/script.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import { tool } from '../../tools/tool.ts'
import type { Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import { memoryStore } from '../stores/memory/store.ts'
import { storePlaces } from '../../../../../test/stores.ts'
import type { OnConflict } from './conflict.ts'
import type { Reply } from './reply.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { ConversationNotFoundError } from '../errors.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const policies: readonly OnConflict[] = ['fail', 'queue', 'branch']

function call(id: string, input: object = {}): ScriptedMessage {
  const block: ContentBlock = { type: 'tool_use', id, name: 'order', input }
  return { stop_reason: 'tool_use', content: [block] }
}

/** A tool that counts its runs. While `stop` is set, it aborts the turn in the middle of a run. */
function orders(repeatable = false) {
  const counter = { runs: 0, stop: undefined as (() => void) | undefined }
  const order = tool({
    name: 'order',
    inputSchema: { type: 'object', properties: {} },
    repeatable,
    run: () => {
      counter.runs++
      counter.stop?.()
      return 'ordered'
    },
  })
  return { counter, order }
}

async function start(steps: ReadonlyArray<ScriptedReply | Step>): Promise<{
  conversation: Conversation
  engine: ScriptEngine
  reopen: () => Promise<Conversation>
}> {
  const engine = script(steps)
  const store = memoryStore()
  const conversations = openConversations({ engine, store })
  const conversation = await conversations.create(settings)
  // Another process has a state of its own.
  const reopen = (): Promise<Conversation> => openConversations({ engine, store }).open(conversation.id)
  return { conversation, engine, reopen }
}

const half: Step = { reply: 'Half a reply', cut: 'reset', after: 3 }

/** The last message that the user sent, and the roles of the active path. */
function roles({ messages }: Conversation): string {
  return messages.map(({ role }) => role[0]).join('')
}

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))

for (const [name, makePlace] of Object.entries(storePlaces())) {
  test(`send() keeps the keys of further attempts in ${name}`, async () => {
    const store = makePlace(folder, { leaseMs: 30_000, now: Date.now })()
    const conversations = openConversations({ engine: script([half, 'Bob.', half, 'Cy.', 'Ada.']), store })
    const conversation = await conversations.create(settings)
    await assert.rejects(conversation.send('a', { key: 'k' }))
    await conversation.send('hello')
    await assert.rejects(conversation.send('a', { key: 'k' }))
    await conversation.send('hi')
    const { messageId, text } = await conversation.send('a', { key: 'k' })
    assert.equal(text, 'Ada.')
    assert.equal((await conversation.send('a', { key: 'k' })).messageId, messageId)
    assert.equal(roles(conversation), 'uauauauaua')
    await conversations.close()
  })
}

describe('send() with a key', () => {
  for (const onConflict of policies) {
    for (const between of [false, true]) {
      const title = `${onConflict}${between ? ', after another message' : ''}`
      test(`returns the finished turn with its tools (${title})`, async () => {
        const { counter, order } = orders()
        const { conversation, engine, reopen } = await start([call('toolu_1'), 'Ordered.', 'Reply to Bob.', 'Wrong.'])
        const options = { key: 'k', tools: [order], onConflict }
        const first = await conversation.send('order one', options)
        if (between) await conversation.send('hello', { key: 'b', tools: [order], onConflict })
        for (const each of [conversation, await reopen()]) {
          const turn = each.send('order one', options)
          assert.equal((await Array.fromAsync(turn.text)).join(''), 'Ordered.')
          const again = await turn
          assert.deepEqual([again.messageId, again.message], [first.messageId, first.message])
          assert.deepEqual([again.usage, again.cost?.picoUsd], [first.usage, first.cost?.picoUsd])
          assert.deepEqual(
            again.steps.map(({ messageId }) => messageId),
            ['2', '4'],
          )
        }
        assert.deepEqual([counter.runs, engine.requests.length], [1, between ? 3 : 2])
        assert.equal(roles(conversation), between ? 'uauaua' : 'uaua')
      })
    }

    for (const repeatable of [false, true]) {
      test(`completes a turn that was aborted in its tool (${onConflict}${repeatable ? ', repeatable' : ''})`, async () => {
        const { counter, order } = orders(repeatable)
        const { conversation, engine, reopen } = await start([call('toolu_1'), 'Ordered.'])
        const options = { key: 'k', tools: [order], onConflict }
        const turn = conversation.send('order one', options)
        counter.stop = () => turn.abort()
        await assert.rejects(turn, { name: 'APIUserAbortError' })
        counter.stop = undefined
        const other = await reopen()
        assert.equal((await other.send('order one', options)).text, 'Ordered.')
        assert.equal(counter.runs, repeatable ? 2 : 1)
        assert.match(
          JSON.stringify(engine.requests[1]!.params.messages.at(-1)),
          repeatable ? /"ordered"/ : /interrupted/,
        )
        assert.equal(roles(other), 'uaua')
      })
    }

    test(`completes a turn whose second reply was cut off (${onConflict})`, async () => {
      const { counter, order } = orders()
      const { conversation, engine } = await start([call('toolu_1'), half, 'Ordered.'])
      const options = { key: 'k', tools: [order], onConflict }
      await assert.rejects(conversation.send('order one', options))
      const reply = await conversation.send('order one', options)
      assert.equal(reply.text, 'Ordered.')
      assert.deepEqual(engine.requests[2]!.params.messages, engine.requests[1]!.params.messages)
      assert.deepEqual([counter.runs, reply.steps.length], [1, 2])
    })

    for (const [where, steps] of [
      ['its tool', [call('toolu_1'), 'Reply to Bob.', 'Reply to Ada.']],
      ['its second reply', [call('toolu_1'), half, 'Reply to Bob.', 'Reply to Ada.']],
      ['its first reply', [half, 'Reply to Bob.', 'Reply to Ada.']],
      ['nothing', [{ error: { type: 'overloaded_error' } }, 'Reply to Bob.', 'Reply to Ada.']],
    ] as const) {
      test(`completes a turn that ended in ${where}, after another message (${onConflict})`, async () => {
        const { counter, order } = orders()
        const { conversation, engine, reopen } = await start(steps)
        const options = { key: 'k', tools: [order], onConflict }
        const turn = conversation.send('Ada: order one', options)
        if (where === 'its tool') counter.stop = () => turn.abort()
        await assert.rejects(turn)
        counter.stop = undefined
        await conversation.send('Bob: hello', { tools: [order], onConflict })
        const runs = counter.runs
        const reply = await conversation.send('Ada: order one', options)
        assert.equal(reply.text, 'Reply to Ada.')
        assert.equal(counter.runs, runs)
        // Only a branch leaves the message of the other user.
        assert.equal(JSON.stringify(conversation.messages).includes('Bob: hello'), onConflict !== 'branch')
        const requests = engine.requests.length
        for (const each of [conversation, await reopen()]) {
          assert.equal((await each.send('Ada: order one', options)).messageId, reply.messageId)
        }
        assert.equal(engine.requests.length, requests)
      })
    }
  }

  test('does not run a tool again for the same call of another attempt', async () => {
    const { counter, order } = orders()
    const again = call('toolu_2', { size: 1 })
    const { conversation, engine } = await start([
      call('toolu_1', { size: 1 }),
      'Bob.',
      again,
      call('toolu_3', { size: 2 }),
      'Ada.',
    ])
    const turn = conversation.send('order one', { key: 'k', tools: [order] })
    counter.stop = () => turn.abort()
    await assert.rejects(turn)
    counter.stop = undefined
    await conversation.send('Bob: hello')
    assert.equal((await conversation.send('order one', { key: 'k', tools: [order] })).text, 'Ada.')
    assert.match(JSON.stringify(engine.requests[3]!.params.messages.at(-1)), /"toolu_2".*interrupted/)
    assert.equal(counter.runs, 2)
  })

  test('throws the conflict once if another process has continued the conversation', async () => {
    const { conversation, reopen } = await start([half, 'Bob.', 'Ada.'])
    await assert.rejects(conversation.send('a', { key: 'k' }))
    const other = await reopen()
    await (await reopen()).send('hello')
    await assert.rejects(other.send('a', { key: 'k' }), { name: 'ConversationConflictError', reason: 'moved' })
    assert.equal((await other.send('a', { key: 'k' })).text, 'Ada.')
    assert.equal(roles(other), 'uauaua')
  })

  test('finds the last message of its own turn in another process', async () => {
    const { conversation, reopen } = await start([call('toolu_1'), half, 'Ordered.'])
    const other = await reopen()
    const { order } = orders()
    await assert.rejects(conversation.send('order one', { key: 'k', tools: [order] }))
    assert.equal((await other.send('order one', { key: 'k', tools: [order] })).text, 'Ordered.')
    assert.equal(roles(other), 'uaua')
  })

  test('returns the calls that the caller answers, and not what followed', async () => {
    const { conversation } = await start([call('toolu_1'), 'Ordered.'])
    const first = await conversation.send('order one', { key: 'k' })
    const results = [{ type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'ordered' }]
    await conversation.send(results, { key: 'r' })
    assert.equal((await conversation.send('order one', { key: 'k' })).messageId, first.messageId)
    assert.equal((await conversation.send(results, { key: 'r' })).text, 'Ordered.')
  })

  test('waits for its reply with queue, and throws busy with fail', async () => {
    const { conversation, engine, reopen } = await start([{ reply: 'one two three', eventDelayMs: 3 }])
    const turn = conversation.send('a', { key: 'k' })
    for await (const _ of turn.text) break
    const other = await reopen()
    await assert.rejects(other.send('a', { key: 'k' }), { name: 'ConversationConflictError', reason: 'busy' })
    const queued = await other.send('a', { key: 'k', onConflict: 'queue' })
    assert.equal(queued.messageId, (await turn).messageId)
    assert.equal(engine.requests.length, 1)
  })

  test('completes a turn whose process died while it received the reply', async () => {
    let now = Date.now()
    const store = memoryStore({ now: () => now })
    const stalled = script([{ reply: 'Half a reply', after: 3, stall: true }])
    const conversation = await openConversations({ engine: stalled, store, journalMs: 0 }).create(settings)
    const turn = conversation.send('a', { key: 'k' })
    for await (const _ of turn.text) break
    const other = await openConversations({ engine: script(['A reply.']), store }).open(conversation.id)
    await assert.rejects(other.send('a', { key: 'k' }), { name: 'ConversationConflictError', reason: 'busy' })
    now += 60_000
    assert.equal((await other.send('a', { key: 'k' })).text, 'A reply.')
    assert.equal((await other.versions('2')).length, 2)
    turn.abort()
    await assert.rejects(turn)
    assert.equal((await other.send('a', { key: 'k' })).text, 'A reply.')
  })

  for (const onConflict of policies) {
    test(`does not complete a turn whose tool runs in the same process (${onConflict})`, async () => {
      const engine = script([call('toolu_1'), 'Ordered.', 'Wrong.'])
      const conversations = openConversations({ engine, store: memoryStore() })
      const conversation = await conversations.create(settings)
      const other = await conversations.open(conversation.id)
      let second: Promise<Reply> | undefined
      let runs = 0
      const order = tool({
        name: 'order',
        inputSchema: { type: 'object', properties: {} },
        run: async () => {
          runs++
          second = other.send('order one', options)
          await (onConflict === 'queue' ? new Promise((resolve) => setTimeout(resolve, 5)) : second.catch(() => {}))
          return 'ordered'
        },
      })
      const options = { key: 'k', tools: [order], onConflict }
      const reply = await conversation.send('order one', options)
      if (onConflict === 'queue') assert.equal((await second)?.messageId, reply.messageId)
      else await assert.rejects(second!, { name: 'ConversationConflictError', reason: 'busy' })
      assert.deepEqual([runs, engine.requests.length], [1, 2])
      assert.equal((await other.send('order one', options)).messageId, reply.messageId)
    })
  }

  for (const same of [true, false]) {
    test(`sends one request for two sends at once, in ${same ? 'one process' : 'two processes'}`, async () => {
      const { conversation, engine, reopen } = await start([{ reply: 'Once.', eventDelayMs: 2 }])
      const other = same ? conversation : await reopen()
      const options = { key: 'k', onConflict: 'queue' } as const
      const replies = await Promise.all([conversation.send('a', options), other.send('a', options)])
      assert.deepEqual(
        replies.map(({ text, messageId }) => [text, messageId]),
        [
          ['Once.', '2'],
          ['Once.', '2'],
        ],
      )
      assert.equal(engine.requests.length, 1)
    })
  }

  test('makes each effect once, whatever ends early and whatever is sent in between', async () => {
    const ends = fc.constantFrom('no', 'abort', 'cut', 'error')
    const round = fc.record({ ends, between: fc.boolean(), reopened: fc.boolean() })
    const plans = fc.record({ rounds: fc.array(round, { maxLength: 4 }), onConflict: fc.constantFrom(...policies) })
    await fc.assert(
      fc.asyncProperty(plans, async ({ rounds, onConflict }) => {
        const { counter, order } = orders()
        let fault: (typeof rounds)[number]['ends'] = 'no'
        const isAda = (text: string): boolean => text.includes('Ada')
        let paid = 0
        // Ada's turn calls the tool once, however often the model is asked; Bob's turns are only text.
        async function* engine(...[params]: Parameters<ScriptEngine>): AsyncGenerator<never> {
          const last = JSON.stringify(params.messages.at(-1))
          const isResult = last.includes('"tool_result"') && !last.includes('Bob')
          const reply = isResult ? 'done' : isAda(last) ? call(`toolu_${++paid}`) : 'hello Bob'
          const step: Step =
            fault === 'cut'
              ? { reply, cut: 'reset', after: 2 }
              : fault === 'error'
                ? { error: { type: 'api_error' } }
                : { reply }
          yield* script([step])(params) as AsyncIterable<never>
        }
        const store = memoryStore()
        const open = async (id: string): Promise<Conversation> => openConversations({ engine, store }).open(id)
        let conversation = await openConversations({ engine, store }).create(settings)
        const options = { key: 'k', tools: [order], onConflict }
        const send = async (): Promise<Reply | undefined> => {
          const turn = conversation.send('Ada: order', options)
          counter.stop = fault === 'abort' ? () => turn.abort() : undefined
          return turn.then(
            (reply) => reply,
            () => undefined,
          )
        }
        let first: Reply | undefined
        for (const { ends: how, between, reopened } of [
          ...rounds,
          { ends: 'no', between: false, reopened: false },
        ] as const) {
          if (reopened) conversation = await open(conversation.id)
          fault = how
          const reply = await send()
          fault = 'no'
          counter.stop = undefined
          if (first !== undefined) assert.equal(reply?.messageId, first.messageId)
          first ??= reply
          if (between) await conversation.send('Bob: hello', { onConflict })
        }
        assert.equal(first?.text, 'done')
        assert.ok(counter.runs <= 1, `the tool ran ${counter.runs} times`)
      }),
      { numRuns: 60 },
    )
  })
})

test('a turn follows one whose question was erased while its reply arrived', async () => {
  const store = memoryStore()
  const erased = Promise.withResolvers<void>()
  let requests = 0
  async function* engine(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
    if (++requests === 2) await erased.promise
    yield* script([`Reply ${requests}`])(params, context)
  }
  const conversations = openConversations({ engine, store })
  const conversation = await conversations.create({ model: 'claude-opus-5-5', max_tokens: 100 })
  await conversation.send('First')
  const turn = conversation.send('Second')
  for await (const event of turn.stream) if (event.type === 'step_start') break
  const { conversation: found } = (await store.open(conversation.id))!
  await store.prune(conversation.id, found.version, 3)
  erased.resolve()
  await assert.rejects(async () => turn, ConversationNotFoundError)
  assert.equal((await conversation.send('Third')).text, 'Reply 3')
  assert.deepEqual(
    conversation.messages.map(({ content }) => content).filter((content) => typeof content === 'string'),
    ['First', 'Third'],
  )
})
