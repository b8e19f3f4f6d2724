import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ScriptEngine, type ScriptedReply, type Step, offline, script } from '../engines/index.ts'
import type { Engine } from '../protocol/types/engine.ts'
import { APIUserAbortError } from '../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { ContentBlock } from '../protocol/types/message.ts'
import { type Conversation, type ConversationSettings, memoryStore, openConversations, StoreError } from './index.ts'
import { sqliteStore } from './stores/sqlite/store.ts'
import type { ConversationStore } from './stores/store.ts'
import { until } from '../../../../test/until.ts'

type EngineEvent = MessageStreamEvent | PingEvent

const settings: ConversationSettings = { model: 'claude-sonnet-4-6', max_tokens: 300 }

async function start(
  steps: Engine | ReadonlyArray<ScriptedReply | Step>,
  { store = memoryStore(), ...more }: { store?: ConversationStore } & Partial<ConversationSettings> = {},
): Promise<{ conversation: Conversation; engine: ScriptEngine; again: () => Promise<Conversation> }> {
  const engine = (typeof steps === 'function' ? steps : script(steps)) as ScriptEngine
  const conversations = openConversations({ engine, store })
  const conversation = await conversations.create({ ...settings, ...more })
  return { conversation, engine, again: () => conversations.open(conversation.id) }
}

/** The text of each message, with the state of replies that are not complete. */
function said({ messages }: Conversation): string[] {
  return messages.map(({ content, state }) => `${textOf(content)}${state === 'committed' ? '' : ` (${state})`}`)
}

function textOf(content: string | readonly { type: string; text?: unknown }[]): string {
  return typeof content === 'string' ? content : content.map((block) => String(block.text ?? block.type)).join('+')
}

/** The messages of the last request. */
function sent({ requests }: ScriptEngine): unknown {
  return requests.at(-1)?.params.messages.map(({ role, content }) => `${role}: ${textOf(content)}`)
}

const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } }
const secondCall: ContentBlock = { type: 'tool_use', id: 'toolu_2', name: 'look', input: {} }

describe('send()', () => {
  test('resolves to the reply when awaited', async () => {
    const { conversation } = await start(['Hello there.'])
    const reply = await conversation.send('Hello')
    assert.deepEqual(
      [reply.text, reply.stopReason, reply.messageId, reply.parentId],
      ['Hello there.', 'end_turn', '2', '1'],
    )
    assert.deepEqual(reply.message.content, [{ type: 'text', text: 'Hello there.', citations: null }])
    assert.deepEqual(reply.usage, reply.message.usage)
  })

  test('streams the text, whether the turn is awaited before, after or never', async () => {
    const { conversation } = await start(['one two three', 'four five six', 'seven'])
    const first = conversation.send('a')
    assert.equal((await Array.fromAsync(first.text)).join(''), 'one two three')
    assert.equal((await first).text, 'one two three')

    const second = conversation.send('b')
    assert.equal((await second).text, 'four five six')
    assert.equal((await Array.fromAsync(second.text)).join(''), 'four five six')
    assert.equal((await Array.fromAsync(second.text)).join(''), 'four five six')

    assert.equal((await Array.fromAsync(conversation.send('c').text)).join(''), 'seven')
    assert.deepEqual(said(conversation), ['a', 'one two three', 'b', 'four five six', 'c', 'seven'])
  })

  test('streams the events', async () => {
    const { conversation } = await start(['Hi'])
    const turn = conversation.send('Hello')
    const events = await Array.fromAsync(turn)
    assert.deepEqual(
      events.map(({ type }) => type),
      [
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ],
    )
    assert.deepEqual(await Array.fromAsync(turn.events), events)
  })

  test('leaving the loop early does not stop the turn', async () => {
    const { conversation } = await start(['one two three'])
    const turn = conversation.send('a')
    for await (const _ of turn.text) break
    assert.equal((await turn).text, 'one two three')
  })

  test('sends the whole history and the settings', async () => {
    const { conversation, engine } = await start(['r1', 'r2', 'r3'], {
      system: 'Be brief.',
      betas: ['b-1'],
      version: '2023-06-01',
    })
    await conversation.send('a')
    await conversation.send([{ type: 'text', text: 'b' }])
    await conversation.send('c')
    assert.deepEqual(sent(engine), ['user: a', 'assistant: r1', 'user: b', 'assistant: r2', 'user: c'])
    const { params, context } = engine.requests[2]!
    const { messages, ...rest } = params
    assert.deepEqual(rest, { ...settings, system: 'Be brief.' })
    assert.deepEqual([context.betas, context.version], [['b-1'], '2023-06-01'])
    assert.equal(messages.length, 5)
  })

  test('copies its arguments', async () => {
    const { conversation, engine } = await start(['r1', 'r2', 'r3'])
    const content = [{ type: 'text' as const, text: 'first' }]
    const system = [{ type: 'text' as const, text: 'Be brief.' }]
    for (const begin of [
      () => conversation.send(content, { system }),
      () => conversation.send(content, { system, key: 'k' }),
      () => conversation.edit('1', content, { system }),
    ]) {
      content[0]!.text = 'first'
      system[0]!.text = 'Be brief.'
      const turn = begin()
      content[0]!.text = 'changed'
      system[0]!.text = 'changed'
      await turn
      const { messages, system: sentSystem } = engine.requests.at(-1)!.params
      assert.match(JSON.stringify([messages.at(-1), sentSystem]), /"first".*"Be brief\."/)
    }
    assert.doesNotMatch(JSON.stringify(conversation.messages), /changed/)
  })

  for (const [name, options] of [
    ['onconflict', { onconflict: 'queue' }],
    ['idempotencyKey', { idempotencyKey: 'x' }],
    ['maxTokens', { maxTokens: 5 }],
    ['toolOptions.maxRound', { toolOptions: { maxRound: 1 } }],
    ['budget.dollars', { budget: { dollars: 1 } }],
    ['window.policies', { window: { policy: 'drop', policies: 1 } }],
    ['onConflict', { onConflict: 'wait' }],
  ] as const) {
    test(`refuses the option ${name}, and writes nothing`, async () => {
      const { conversation, engine, again } = await start([])
      await assert.rejects(conversation.send('a', options as never), {
        name: 'AnthropicError',
        message: /^Cannot (use|set)/,
      })
      assert.equal(engine.requests.length, 0)
      assert.deepEqual((await again()).messages, [])
    })
  }

  test('takes settings for one turn only', async () => {
    const { conversation, engine } = await start(['r1', 'r2'])
    await conversation.send('a', { model: 'claude-opus-5-5', max_tokens: 7 })
    await conversation.send('b')
    assert.deepEqual(
      engine.requests.map(({ params }) => [params.model, params.max_tokens]),
      [
        ['claude-opus-5-5', 7],
        ['claude-sonnet-4-6', 300],
      ],
    )
  })

  test('records the message before it sends the request', async () => {
    const store = memoryStore()
    let seen: unknown
    async function* watching(...[params, context]: Parameters<Engine>): AsyncGenerator<EngineEvent> {
      const [listed] = await store.list({ limit: 1 })
      seen = (await store.open(listed!.id))!.messages.map(({ state, json }) => [state, json])
      yield* offline()(params, context)
    }
    const { conversation } = await start(watching, { store })
    await conversation.send('Hello')
    assert.deepEqual(seen, [
      ['committed', '{"role":"user","content":"Hello"}'],
      ['pending', ''],
    ])
  })

  test('keeps the question when the engine fails, and sends it along with the next one', async () => {
    const { conversation, engine, again } = await start([{ error: { type: 'overloaded_error' } }, 'r2'])
    await assert.rejects(conversation.send('hello'), { name: 'OverloadedError', type: 'overloaded_error' })
    assert.deepEqual(said(conversation), ['hello'])
    assert.deepEqual(said(await again()), ['hello'])
    await conversation.send('are you there?')
    assert.deepEqual(sent(engine), ['user: hello', 'user: are you there?'])
    assert.deepEqual(said(conversation), ['hello', 'are you there?', 'r2'])
  })

  test('keeps, marks and sends a partial reply when the engine fails', async () => {
    const { conversation, engine, again } = await start([
      { reply: 'one two three four five six seven', after: 3, cut: 'reset' },
      'r2',
    ])
    const turn = conversation.send('hello')
    await assert.rejects(turn, { name: 'WireFault' })
    const arrived = (await arrivedText(turn.text)).text
    assert.ok(arrived.length > 0 && arrived.length < 30, arrived)
    assert.deepEqual(said(conversation), ['hello', `${arrived} (interrupted)`])
    const reopened = await again()
    assert.deepEqual(reopened.messages, conversation.messages)
    assert.equal(reopened.messages[1]?.error?.name, 'WireFault')
    await conversation.send('go on')
    const note = '(Your previous message was interrupted and is incomplete.)'
    assert.deepEqual(sent(engine), ['user: hello', `assistant: ${arrived}`, `user: ${note}+go on`])
    assert.equal(conversation.messages[2]?.content, 'go on')
  })

  test('fails when the stream ends without message_stop', async () => {
    async function* silent(...[params]: Parameters<Engine>): AsyncGenerator<EngineEvent> {
      for await (const event of script(['one two three'])(params)) if (event.type !== 'message_stop') yield event
    }
    const { conversation } = await start(silent)
    await assert.rejects(conversation.send('hello'), { name: 'APIConnectionError' })
    assert.deepEqual(said(conversation), ['hello', 'one two three (interrupted)'])
  })

  test('does not reject unhandled if the failure is recorded', async (context) => {
    const unhandled = context.mock.fn()
    process.on('unhandledRejection', unhandled)
    context.after(() => process.off('unhandledRejection', unhandled))
    const { conversation, again } = await start([{ error: { type: 'overloaded_error' } }])
    conversation.send('hello')
    await until(async () => (await (await again()).branches()).length > 0)
    await until(async () => (await (await again()).versions('2'))[0]?.state === 'failed')
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(unhandled.mock.callCount(), 0)
  })

  test('rejects unhandled if neither recorded nor awaited', async (context) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.once('unhandledRejection', resolve)
    context.after(() => listeners.forEach((listener) => process.on('unhandledRejection', listener)))
    const { conversation } = await start([])
    conversation.send('')
    assert.match(String(await promise), /Cannot send content: found no visible character in it/)
  })

  for (const [content, message] of [
    ['', 'Cannot send content: found no visible character in it'],
    [' \n', 'Cannot send content: found no visible character in it'],
    [[], 'Cannot send content: it must be text or a list of blocks, found an empty list'],
    [[{ type: 'text', text: '' }], 'Cannot send content.0.text: found no visible character in it'],
    [[{ type: 'text', text: 'a' }, call], 'Cannot send content.1: only the model writes tool_use blocks'],
    [[{ text: 'a' }], 'Cannot send content.0: it must be a block with a type, found an object'],
    [
      [{ type: 'tool_result', tool_use_id: 'toolu_9' }],
      'Cannot send the result of toolu_9: no call with this id waits for one',
    ],
    [7, 'Cannot send content: it must be text or a list of blocks, found 7'],
    [
      [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true }],
      'Cannot send content.0: the result of a tool call that failed needs content',
    ],
    [
      [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: ' ' }],
      'Cannot send content.0: the result of a tool call that failed needs content',
    ],
    [
      [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: [] }],
      'Cannot send content.0: the result of a tool call that failed needs content',
    ],
    [
      [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '' }] }],
      'Cannot send content.0.content.0.text: found no visible character in it',
    ],
  ] as const) {
    test(`refuses ${JSON.stringify(content)}, and writes and sends nothing`, async () => {
      const { conversation, engine, again } = await start(['r1'])
      await assert.rejects(conversation.send(content as never), { name: 'ContentError', message })
      assert.equal(engine.requests.length, 0)
      assert.deepEqual((await again()).messages, [])
    })
  }

  test('ends the reply when the engine throws at once', async () => {
    function broken(): never {
      throw new TypeError('broken')
    }
    const { conversation } = await start(broken)
    await assert.rejects(conversation.send('a'), { name: 'TypeError', message: 'broken' })
    await assert.rejects(conversation.send('b'), { name: 'TypeError', message: 'broken' })
    assert.deepEqual(said(conversation), ['a', 'b'])
  })

  test('refuses settings of a wrong type, wherever they are given', async () => {
    const { conversation } = await start(['r1'])
    const conversations = openConversations({ engine: offline() })
    const wrong = { system: [5, {}, [null], true], tools: [5, null, '', {}, [1]], betas: [5, null, 'a', [1], {}] }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const given = { [name]: value } as object
        const error = {
          name: 'AnthropicError',
          message: new RegExp(`^Cannot set ${name} of a conversation as it must be`),
        }
        await assert.rejects(conversation.send('a', given), error)
        await assert.rejects(conversation.configure(given), error)
        await assert.rejects(conversations.create({ ...settings, ...given }), error)
        assert.throws(() => conversation.preview('a', given), error)
      }
    }
    assert.equal(conversation.preview('a', { max_tokens: 7 }).max_tokens, 7)
    await conversation.send('a')
  })

  test('settings that JSON cannot hold are one clear error', async () => {
    const { conversation } = await start(['r1'])
    const circle: { type: string; self?: object } = { type: 'text' }
    circle.self = circle
    for (const given of [{ max_tokens: 10n }, { metadata: circle }] as object[]) {
      const message = /^Cannot (set the settings of a conversation: JSON must|copy what was given: it contains itself)/
      const error = { name: 'AnthropicError', message }
      await assert.rejects(conversation.configure(given), error)
      await assert.rejects(async () => conversation.send('a', given), error)
      assert.throws(() => conversation.preview('a', given), error)
    }
    await assert.rejects(async () => conversation.send([circle] as never), { name: 'AnthropicError' })
    await conversation.send('a')
  })

  test('preview() refuses content that is neither text nor blocks, and takes an empty draft', async () => {
    const { conversation } = await start([])
    for (const content of [5, null, true, {}, [null], [5], [{ type: 5 }]])
      assert.throws(() => conversation.preview(content as never), { name: 'ContentError' }, JSON.stringify(content))
    for (const content of ['', [], 'a']) conversation.preview(content)
  })

  test('refuses invalid settings, and writes nothing', async () => {
    const { conversation, again } = await start(['r1'])
    await assert.rejects(conversation.send('a', { max_tokens: 0 }), /Cannot set max_tokens .* found 0/)
    assert.deepEqual((await again()).messages, [])
    await conversation.send('a')
  })
})

describe('abort()', () => {
  test('stops the turn and keeps what has arrived', async () => {
    const { conversation, again } = await start([{ reply: 'one two three four five', after: 3, stall: true }])
    const turn = conversation.send('hello')
    const { text } = await firstText(turn.text)
    turn.abort()
    await assert.rejects(turn, APIUserAbortError)
    assert.deepEqual(said(conversation), ['hello', `${text} (interrupted)`])
    assert.deepEqual((await again()).messages, conversation.messages)
  })

  test('is what an aborted signal does, with its reason as the cause', async () => {
    const { conversation } = await start([{ stall: true, after: 0 }, 'r2'])
    const controller = new AbortController()
    const turn = conversation.send('hello', { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('enough')), 5)
    await assert.rejects(
      turn,
      (error: Error) => error instanceof APIUserAbortError && (error.cause as Error).message !== '',
    )
    assert.deepEqual(said(conversation), ['hello'])
    assert.equal((await conversation.retry()).text, 'r2')
  })

  test('does not wait for an engine that ignores the signal', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] })
    const reached = Promise.withResolvers<void>()
    async function* deaf(...[params]: Parameters<Engine>): AsyncGenerator<EngineEvent> {
      let events = 0
      for await (const event of script(['one two three'])(params)) {
        yield event
        if (++events < 3) continue
        reached.resolve()
        await new Promise(() => {})
      }
    }
    const { conversation } = await start(deaf)
    const turn = conversation.send('hello')
    await reached.promise
    turn.abort()
    context.mock.timers.tick(1000)
    await assert.rejects(turn, APIUserAbortError)
    assert.match(said(conversation)[1]!, /^one.* \(interrupted\)$/)
  })

  test('writes nothing if the turn has not begun', async () => {
    const { conversation, engine } = await start(['r1'])
    const turn = conversation.send('hello')
    turn.abort()
    await assert.rejects(turn, APIUserAbortError)
    await assert.rejects(conversation.send('hello', { signal: AbortSignal.abort() }), APIUserAbortError)
    assert.deepEqual(conversation.messages, [])
    assert.equal(engine.requests.length, 0)
  })
})

describe('the request after', () => {
  test('an interrupted reply has no incomplete thinking and no tool calls', async () => {
    const thinking = { type: 'thinking' as const, thinking: 'hm', signature: 's' }
    const content = [thinking, { type: 'text' as const, text: 'Looking', citations: null }, call, secondCall]
    const events = await Array.fromAsync(script([{ content }])({ ...settings, messages: [] }))
    const lastDelta = events.findLastIndex(({ type }) => type === 'content_block_delta')
    const { conversation, engine, again } = await start([{ reply: { content }, after: lastDelta, cut: 'reset' }, 'ok'])
    await assert.rejects(conversation.send('a'))
    assert.equal(said(await again())[1], 'thinking+Looking+tool_use+tool_use (interrupted)')
    await conversation.send('b')
    assert.deepEqual(engine.requests[1]?.params.messages[1]?.content, content.slice(0, 2))
  })

  for (const [content, sentAs] of [
    ['go on', '[{"type":"text","text":NOTE},{"type":"text","text":"go on"}]'],
    ['"quoted" \u00e9', '[{"type":"text","text":NOTE},{"type":"text","text":"\\"quoted\\" \u00e9"}]'],
    [[{ type: 'text', text: 'go on' }], '[{"type":"text","text":NOTE},{"type":"text","text":"go on"}]'],
  ] as const) {
    test(`an interrupted reply has a note before ${JSON.stringify(content)}, in every later request`, async () => {
      const { conversation, engine, again } = await start([
        { reply: 'one two three', after: 3, cut: 'reset' },
        'ok',
        'ok',
      ])
      await assert.rejects(conversation.send('a'))
      const preview = conversation.preview(content as never)
      await conversation.send(content as never)
      await (await again()).send('b')
      const note = JSON.stringify('(Your previous message was interrupted and is incomplete.)')
      for (const { params } of engine.requests.slice(1)) {
        const messages = JSON.parse(JSON.stringify(params.messages)) as { content: { cache_control?: unknown }[] }[]
        for (const block of messages[2]!.content) delete block.cache_control
        assert.equal(JSON.stringify(messages[2]!.content), sentAs.replace('NOTE', note))
      }
      assert.deepEqual(engine.requests[1]?.params, preview)
      assert.deepEqual(conversation.messages[2]?.content, content)
    })
  }

  test('a reply that failed, and one that is continued, have no note', async () => {
    const { conversation, engine } = await start([
      { error: { type: 'api_error' } },
      { reply: 'one two three', after: 3, cut: 'reset' },
      'four',
      'ok',
    ])
    await assert.rejects(conversation.send('a'))
    await assert.rejects(conversation.send('b'))
    await conversation.continue()
    await conversation.send('c')
    assert.doesNotMatch(JSON.stringify(engine.requests.map(({ params }) => params.messages)), /was interrupted/)
  })

  test('a server tool that waits for a client tool keeps its call', async () => {
    const search: ContentBlock = {
      type: 'server_tool_use',
      id: 'srvtoolu_1',
      name: 'web_search',
      input: { query: 'x' },
    }
    const { conversation, engine } = await start([{ content: [search, call], stop_reason: 'tool_use' }, 'done'])
    await conversation.send('a')
    await conversation.send([{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' }])
    assert.deepEqual(engine.requests[1]?.params.messages[1]?.content, [search, call])
  })

  test('a reply of unfinished thinking does not contain that reply', async () => {
    const content = [{ type: 'thinking' as const, thinking: 'hm hm hm hm hm hm hm hm hm', signature: 's' }]
    const { conversation, engine } = await start([{ reply: { content }, after: 3, cut: 'reset' }, 'ok'])
    await assert.rejects(conversation.send('a'))
    await conversation.send('b')
    assert.deepEqual(sent(engine), ['user: a', 'user: b'])
    assert.deepEqual(said(conversation), ['a', 'thinking (interrupted)', 'b', 'ok'])
  })

  test('a refusal contains only the question', async () => {
    const { conversation, engine } = await start([{ content: 'Well, I', stop_reason: 'refusal' }, 'ok'])
    assert.equal((await conversation.send('a')).stopReason, 'refusal')
    await conversation.send('b')
    assert.deepEqual(sent(engine), ['user: a', 'user: b'])
    assert.equal(conversation.messages[1]?.stopReason, 'refusal')
  })

  test('max_tokens in the middle of a tool call leaves the call out', async () => {
    const content: ContentBlock[] = [{ type: 'text', text: 'Looking', citations: null }, call]
    const { conversation, engine } = await start([{ content, stop_reason: 'max_tokens' }, 'ok'])
    await conversation.send('a')
    await conversation.send('b')
    assert.deepEqual(sent(engine), ['user: a', 'assistant: Looking', 'user: b'])
  })

  test('tool calls must have all their results, once each, first', async () => {
    const { conversation, engine } = await start([{ content: [call, secondCall], stop_reason: 'tool_use' }, 'done'])
    await conversation.send('a')
    const result = (id: string) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'blue' })
    const text = { type: 'text' as const, text: 'and?' }
    await assert.rejects(conversation.send('b'), {
      message: /without the results of toolu_1, toolu_2: the last reply waits for them. Send them, or undo the turn$/,
      waitingCalls: ['toolu_1', 'toolu_2'],
    })
    await assert.rejects(conversation.continue(), { waitingCalls: ['toolu_1', 'toolu_2'] })
    await assert.rejects(conversation.send([result('toolu_1')]), { waitingCalls: ['toolu_2'] })
    await assert.rejects(
      conversation.send([text, result('toolu_1'), result('toolu_2')]),
      /content.2: tool results come before/,
    )
    await assert.rejects(conversation.send([result('toolu_1'), result('toolu_1')]), /the result of toolu_1 twice/)
    assert.equal(engine.requests.length, 1)
    assert.deepEqual(conversation.waitingCalls, ['toolu_1', 'toolu_2'])
    assert.equal((await conversation.send([result('toolu_2'), result('toolu_1'), text])).text, 'done')
    assert.deepEqual(conversation.waitingCalls, [])
    await conversation.undo()
    assert.deepEqual(said(conversation), [])
  })
})

describe('continue()', () => {
  const cut = { reply: 'one two three four five six seven', after: 3, cut: 'reset' } as const

  test('continues the same message on a model with prefill', async () => {
    const { conversation, engine } = await start([cut, ' and more'], { model: 'claude-sonnet-4-5' })
    await assert.rejects(conversation.send('count'))
    const [, { content }] = conversation.messages as [unknown, { content: string }]
    const begun = textOf(content)
    const reply = await conversation.continue()
    assert.deepEqual(sent(engine), ['user: count', `assistant: ${begun.trimEnd()}`])
    assert.equal(reply.text, `${begun.trimEnd()} and more`)
    assert.deepEqual(said(conversation), ['count', reply.text])
    assert.equal((await conversation.versions(reply.messageId)).length, 2)
  })

  test('asks other models to continue, in a message of its own', async () => {
    const { conversation, engine } = await start([cut, 'and more'])
    await assert.rejects(conversation.send('count'))
    const begun = textOf(conversation.messages[1]!.content)
    assert.equal((await conversation.continue()).text, 'and more')
    assert.match(String((sent(engine) as string[])[2]), /^user: Your last message was cut off\. Continue it exactly/)
    assert.equal((sent(engine) as string[])[1], `assistant: ${begun}`)
    assert.equal(conversation.messages.length, 4)
  })

  test('sends a paused reply back unchanged', async () => {
    const { conversation, engine } = await start([{ content: 'Searching', stop_reason: 'pause_turn' }, 'found'])
    await assert.rejects(conversation.send('a', { toolOptions: { maxRounds: 1 } }))
    await conversation.continue()
    assert.deepEqual(sent(engine), ['user: a', 'assistant: Searching'])
    assert.deepEqual(said(conversation), ['a', 'Searching', 'found'])
  })

  test('retries an empty reply, and continues one that max_tokens cut', async () => {
    const { conversation, engine } = await start([
      { error: { type: 'api_error' } },
      { content: 'one two', stop_reason: 'max_tokens' },
      'three',
    ])
    await assert.rejects(conversation.send('count'))
    assert.equal((await conversation.continue()).text, 'one two')
    assert.deepEqual(sent(engine), ['user: count'])
    assert.equal((await conversation.continue()).text, 'three')
    await assert.rejects(conversation.continue(), /Cannot continue message \d+: it ended by itself \(end_turn\)/)
  })

  test('asks the model to continue after an empty end_turn', async () => {
    const { conversation, engine } = await start([{ content: [] }, 'more'])
    await conversation.send('a')
    await conversation.continue()
    assert.deepEqual(sent(engine), ['user: a', 'user: Please continue.'])
  })
})

describe('the tree', () => {
  test('retry() adds a sibling, also of another model and of an earlier reply', async () => {
    const { conversation, engine } = await start(['r1', 'r2', 'r1b', 'r2b'])
    const first = await conversation.send('a')
    const second = await conversation.send('b')
    const other = await conversation.retry(first.messageId, { model: 'claude-opus-5-5' })
    assert.deepEqual(said(conversation), ['a', 'r1b'])
    assert.equal(engine.requests[2]?.params.model, 'claude-opus-5-5')
    await conversation.switchTo(second.messageId)
    assert.deepEqual(said(conversation), ['a', 'r1', 'b', 'r2'])
    await conversation.retry()
    assert.deepEqual(said(conversation), ['a', 'r1', 'b', 'r2b'])
    assert.deepEqual(sent(engine), ['user: a', 'assistant: r1', 'user: b'])
    assert.deepEqual(
      (await conversation.versions(other.messageId)).map(({ id }) => id),
      ['2', '5'],
    )
    assert.deepEqual(
      (await conversation.versions(second.messageId)).map(({ content }) => textOf(content)),
      ['r2', 'r2b'],
    )
  })

  test('edit() of a user message adds a sibling with a reply', async () => {
    const { conversation, engine, again } = await start(['r1', 'r2', 'r3'])
    await conversation.send('a')
    await conversation.send('b')
    const reply = await conversation.edit('3', 'b, better')
    assert.deepEqual(said(conversation), ['a', 'r1', 'b, better', 'r3'])
    assert.deepEqual(sent(engine), ['user: a', 'assistant: r1', 'user: b, better'])
    assert.deepEqual(
      (await conversation.versions(reply.parentId!)).map(({ content }) => content),
      ['b', 'b, better'],
    )
    assert.deepEqual(said(await again()), said(conversation))
  })

  test('edit() of the first message adds a second beginning', async () => {
    const { conversation } = await start(['r1', 'r2'])
    await conversation.send('a')
    await conversation.edit('1', 'b')
    assert.deepEqual(said(conversation), ['b', 'r2'])
    await conversation.switchTo('2')
    assert.deepEqual(said(conversation), ['a', 'r1'])
  })

  test('edit() of a reply sends no request', async () => {
    const { conversation, engine } = await start(['r1', 'r2'])
    const { messageId } = await conversation.send('a')
    const { cost, usage } = conversation
    const reply = await conversation.edit(messageId, 'what it should have said')
    assert.deepEqual([reply.text, reply.usage.output_tokens], ['what it should have said', 0])
    assert.equal(engine.requests.length, 1)
    assert.deepEqual([conversation.cost, conversation.usage], [cost, usage])
    await conversation.send('b')
    assert.deepEqual(sent(engine), ['user: a', 'assistant: what it should have said', 'user: b'])
  })

  test('undo() takes turns back and returns them', async () => {
    const { conversation, engine, again } = await start(['r1', 'r2', 'r3', 'r4'])
    for (const text of ['a', 'b', 'c']) await conversation.send(text)
    const undone = await conversation.undo(2)
    assert.deepEqual(
      undone.map(({ content }) => textOf(content)),
      ['b', 'r2', 'c', 'r3'],
    )
    assert.deepEqual(said(await again()), ['a', 'r1'])
    await conversation.send('d')
    assert.deepEqual(sent(engine), ['user: a', 'assistant: r1', 'user: d'])
    await assert.rejects(conversation.undo(3), /Cannot undo 3 turns: the conversation has fewer/)
    await assert.rejects(conversation.undo(0), RangeError)
  })

  test('branches() lists all paths through the tree', async () => {
    const { conversation } = await start(['r1', 'r2', 'r3'])
    await conversation.send('a')
    await conversation.retry()
    await conversation.send('b')
    const branches = await conversation.branches()
    assert.deepEqual(
      branches.map(({ messageId, isActive, length, usage }) => [messageId, isActive, length, usage.calls]),
      [
        ['5', true, 4, 2],
        ['2', false, 2, 1],
      ],
    )
  })

  test('erase() removes a message and what follows it', async () => {
    const { conversation, again } = await start(['r1', 'r2'])
    await conversation.send('a')
    await conversation.send('b')
    await conversation.erase('3')
    assert.deepEqual(said(conversation), ['a', 'r1'])
    assert.deepEqual(said(await again()), ['a', 'r1'])
    assert.equal((await conversation.branches()).length, 1)
  })

  test('erase() leaves no title that is the first line of an erased message', async () => {
    const { conversation } = await start(['r1', 'r2', 'r3', 'r4'])
    await conversation.send('a')
    await conversation.edit('1', 'b')
    const titles = [conversation.title]
    await conversation.erase('1')
    titles.push(conversation.title)
    await conversation.erase('4')
    titles.push(conversation.title)
    await conversation.erase('3')
    titles.push(conversation.title)
    await conversation.send('c')
    await conversation.rename('Mine')
    await conversation.erase('5')
    titles.push(conversation.title)
    assert.deepEqual(titles, ['a', 'b', 'b', undefined, 'Mine'])
  })

  test('erase() shows that messages are erased if the store cannot be read afterwards', async () => {
    const store = memoryStore()
    const conversations = openConversations({ engine: script(['r1', 'r2', 'r3']), store })
    const conversation = await conversations.create(settings)
    await conversation.send('a')
    await conversation.send('b')
    const open = store.open.bind(store)
    store.open = async () => {
      throw new StoreError('failed', 'Cannot open the conversation: the database is away')
    }
    await conversation.erase('3')
    assert.deepEqual(said(conversation), ['a', 'r1'])
    store.open = open
    await conversation.send('c')
    assert.deepEqual(said(conversation), ['a', 'r1', 'c', 'r3'])
    assert.equal(conversation.usage.calls, 3)
  })

  test('names a message that does not exist', async () => {
    const { conversation, engine } = await start(['r1'])
    await conversation.send('a')
    for (const id of ['9', '0', 'x', '', '1.5', '-1']) {
      const name = { name: 'ConversationNotFoundError' }
      await assert.rejects(async () => conversation.edit(id, 'b'), name)
      await assert.rejects(async () => conversation.retry(id), name)
      await assert.rejects(conversation.switchTo(id), name)
      await assert.rejects(conversation.versions(id), name)
      await assert.rejects(conversation.erase(id), name)
    }
    assert.equal(engine.requests.length, 1)
  })
})

describe('a key', () => {
  test('makes a repeated send return the first reply, also after reopening', async () => {
    const { conversation, engine, again } = await start(['r1', 'r2'])
    const first = await conversation.send('a', { key: 'k' })
    await conversation.send('b')
    const turn = (await again()).send('a', { key: 'k' })
    assert.equal((await Array.fromAsync(turn.text)).join(''), 'r1')
    const repeated = await turn
    assert.deepEqual(repeated.message, first.message)
    assert.deepEqual(repeated.messageId, first.messageId)
    assert.equal(engine.requests.length, 2)
    assert.deepEqual(said(await again()), ['a', 'r1', 'b', 'r2'])
  })

  test('requests a reply that was not completed once more', async () => {
    const { conversation, engine } = await start([{ error: { type: 'api_error' } }, 'r1'])
    await assert.rejects(conversation.send('a', { key: 'k' }))
    assert.equal((await conversation.send('a', { key: 'k' })).text, 'r1')
    assert.deepEqual(sent(engine), ['user: a'])
    assert.deepEqual(said(conversation), ['a', 'r1'])
  })

  test('finds tool results that were sent before', async () => {
    const { conversation } = await start([{ content: [call], stop_reason: 'tool_use' }, 'done'])
    await conversation.send('a')
    const results = [{ type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'blue' }]
    await conversation.send(results, { key: 'k' })
    assert.equal((await conversation.send(results, { key: 'k' })).text, 'done')
  })
})

for (const kind of ['memoryStore', 'sqliteStore']) {
  describe(`two writers on one conversation in ${kind}`, () => {
    let folder: string
    let files = 0
    before(() => (folder = mkdtempSync(join(tmpdir(), 'colloquy-'))))
    after(() => rmSync(folder, { recursive: true }))
    const newStore = (): ConversationStore =>
      kind === 'memoryStore' ? memoryStore() : sqliteStore(join(folder, `${++files}.db`))

    test('the second writer gets a conflict, and nothing of it is written', async () => {
      const { conversation, again } = await start(['r1', 'r2', 'r3'], { store: newStore() })
      const other = await again()
      await conversation.send('a')
      await assert.rejects(other.send('b'), { name: 'ConversationConflictError', reason: 'moved', head: '2' })
      assert.deepEqual(said(other), ['a', 'r1'])
      assert.equal((await other.send('b')).text, 'r2')
      await assert.rejects(conversation.configure({ max_tokens: 5 }), { name: 'ConversationConflictError' })
      await conversation.configure({ max_tokens: 5 })
      assert.deepEqual(said(await again()), ['a', 'r1', 'b', 'r2'])
    })

    test('a writer gets a conflict while a reply is being received', async () => {
      const { conversation, again } = await start([{ reply: 'one two three', eventDelayMs: 5 }], { store: newStore() })
      const turn = conversation.send('a')
      await firstText(turn.text)
      const other = await again()
      await assert.rejects(other.send('b'), { name: 'ConversationConflictError', reason: 'busy', head: '2' })
      await assert.rejects(conversation.send('b'), { name: 'ConversationConflictError', reason: 'busy' })
      await assert.rejects(other.undo(), { name: 'ConversationConflictError', reason: 'busy' })
      assert.equal((await turn).text, 'one two three')
    })

    test('a queued turn waits and continues after the others', async () => {
      const { conversation, engine, again } = await start([{ reply: 'one two three', eventDelayMs: 2 }, 'r2', 'r3'], {
        store: newStore(),
      })
      const other = await again()
      const turns = [
        conversation.send('a'),
        conversation.send('b', { onConflict: 'queue' }),
        other.send('c', { onConflict: 'queue' }),
      ]
      await Promise.all(turns)
      assert.equal(engine.requests.length, 3)
      const texts = said(await again())
      assert.deepEqual([texts.length, texts.slice(0, 2)], [6, ['a', 'one two three']])
      assert.deepEqual(new Set([texts[2], texts[4]]), new Set(['b', 'c']))
    })

    test('a queued turn can be aborted', async () => {
      const { conversation, again } = await start([{ stall: true, after: 0 }], { store: newStore() })
      const turn = conversation.send('a')
      const waiting = [conversation, await again()].map((each) =>
        each.send('b', { onConflict: 'queue', signal: AbortSignal.timeout(20) }),
      )
      for (const each of waiting) await assert.rejects(each, APIUserAbortError)
      turn.abort()
      await assert.rejects(turn, APIUserAbortError)
      assert.deepEqual(said(await again()), ['a'])
    })

    test('a branching turn continues from what it saw, and both are kept', async () => {
      const { conversation, engine, again } = await start(
        ['r1', 'r2', { reply: 'one two three', eventDelayMs: 5 }, 'r4'],
        { store: newStore() },
      )
      await conversation.send('a')
      const other = await again()
      await conversation.send('b')
      const turn = conversation.send('c')
      await firstText(turn.text)
      assert.equal((await other.send('d', { onConflict: 'branch' })).text, 'r4')
      assert.deepEqual(sent(engine), ['user: a', 'assistant: r1', 'user: d'])
      assert.equal((await turn).text, 'one two three')
      const reopened = await again()
      assert.deepEqual(said(reopened), ['a', 'r1', 'd', 'r4'])
      await reopened.switchTo((await turn).messageId)
      assert.deepEqual(said(reopened), ['a', 'r1', 'b', 'r2', 'c', 'one two three'])
      await conversation.refresh()
      assert.deepEqual(said(conversation), said(reopened))
    })
  })
}

describe('money', () => {
  const usage = {
    input_tokens: 10,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    cache_read_input_tokens: 100,
    output_tokens: 5,
    server_tool_use: { web_search_requests: 2 },
  }

  test('usage and cost include retried replies', async () => {
    const { conversation, again } = await start([
      { content: 'a', usage },
      { content: 'b', usage },
    ])
    const { cost } = await conversation.send('a')
    // 10 × $3, 10 × $3.75, 20 × $6, 100 × $0.30 and 5 × $15 a million, and two searches at $10 a thousand.
    const picoUsd = 30_000_000n + 37_500_000n + 120_000_000n + 30_000_000n + 75_000_000n + 20_000_000_000n
    assert.deepEqual([cost?.picoUsd, cost?.estimated], [picoUsd, false])
    await conversation.retry()
    for (const each of [conversation, await again()]) {
      assert.deepEqual(each.usage, {
        calls: 2,
        input_tokens: 20,
        cache_creation_input_tokens: 60,
        cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 40 },
        cache_read_input_tokens: 200,
        output_tokens: 10,
        server_tool_use: { web_search_requests: 4, web_fetch_requests: 0 },
        cost: { picoUsd: 2n * picoUsd, estimated: false, unpriced: 0 },
      })
      assert.deepEqual(each.cost, each.usage.cost)
    }
  })

  test('replies, messages and totals can be written as JSON, with dollars beside picodollars', async () => {
    const { conversation } = await start([{ content: 'a', usage }])
    const reply = await conversation.send('a')
    const [, message] = JSON.parse(JSON.stringify(conversation.messages)) as { costUsd: string; costPicoUsd: string }[]
    assert.deepEqual([message?.costUsd, message?.costPicoUsd], ['0.0202925', '20292500000'])
    const { cost, steps } = JSON.parse(JSON.stringify(reply)) as { cost: object; steps: { cost: object }[] }
    assert.deepEqual(cost, { ...cost, usd: '0.0202925', picoUsd: '20292500000', estimated: false })
    assert.deepEqual(steps[0]?.cost, cost)
    assert.deepEqual(JSON.parse(JSON.stringify(conversation.usage.cost)), {
      picoUsd: '20292500000',
      usd: '0.0202925',
      estimated: false,
      unpriced: 0,
    })
    assert.doesNotThrow(() => JSON.stringify([conversation.usage, conversation.cost]))
  })

  test('branches, spending and refusals can be written as JSON', async () => {
    const conversations = openConversations({ engine: script([{ content: 'a', usage }]), limits: { usdPerDay: 1 } })
    const conversation = await conversations.create({ ...settings, budget: { usd: 0.021 } })
    await conversation.send('a')
    assert.match(JSON.stringify(await conversation.branches()), /"usd":"0\.0202925"/)
    assert.match(JSON.stringify(await conversations.spending()), /"usd":"0\.0202925"/)
    const error = await conversation.send('b').catch((error: unknown) => error)
    assert.match(JSON.stringify(error), /"name":"BudgetError".*"allowed":"21000000000".*"message":"Cannot send/)
  })

  test('a model without a price is counted apart', async () => {
    const { conversation } = await start([{ content: 'a', usage, model: 'llama' }], { model: 'llama' })
    assert.equal((await conversation.send('a')).cost, undefined)
    assert.deepEqual(conversation.cost, { picoUsd: 0n, estimated: false, unpriced: 1 })
  })

  test('an interrupted reply is counted by what arrived, and marked', async () => {
    const text = 'one two three four five six seven eight nine ten eleven twelve'
    const { conversation } = await start([
      { reply: { content: text, usage: { ...usage, output_tokens: 1 } }, after: 4, cut: 'reset' },
    ])
    await assert.rejects(conversation.send('a'))
    const [, reply] = conversation.messages
    assert.equal(reply?.estimated, true)
    assert.equal(reply?.usage?.input_tokens, 10)
    assert.ok(reply.usage.output_tokens > 1)
    assert.equal(conversation.cost.estimated, true)
    assert.equal(conversation.cost.picoUsd, reply.costPicoUsd)
  })
})

describe('conversations', () => {
  test('can be listed, searched, renamed, configured and deleted', async () => {
    const conversations = openConversations({ engine: script(['Kyoto is lovely.', 'r2']) })
    const one = await conversations.create({ ...settings, system: 'Plan.' })
    const two = await conversations.create({ ...settings, title: 'Two' })
    await new Promise((resolve) => setTimeout(resolve, 2))
    await one.send('Where to?\nSomewhere warm.')
    assert.equal(one.title, 'Where to?')
    assert.deepEqual(
      (await conversations.list()).map(({ id, title, messages }) => [id, title, messages]),
      [
        [one.id, 'Where to?', 2],
        [two.id, 'Two', 0],
      ],
    )
    assert.deepEqual(
      (await conversations.list({ before: one.id })).map(({ id }) => id),
      [two.id],
    )
    const [first] = await conversations.list({ limit: 1 })
    await one.configure({ max_tokens: 299 })
    assert.deepEqual(
      (await conversations.list({ before: first! })).map(({ id }) => id),
      [two.id],
    )
    const gone = { name: 'ConversationNotFoundError' }
    await assert.rejects(conversations.list({ before: 'nine' }), gone)
    const [hit] = await conversations.search('lovely kyoto')
    assert.deepEqual([hit?.conversationId, hit?.messageId, hit?.title], [one.id, '2', 'Where to?'])
    assert.deepEqual(await conversations.search(' '), [])
    await one.rename('Trip')
    await one.configure({ model: 'claude-opus-5-5', system: undefined })
    const reopened = await conversations.open(one.id)
    assert.deepEqual([reopened.title, reopened.settings], ['Trip', { model: 'claude-opus-5-5', max_tokens: 299 }])
    const moved = { name: 'ConversationConflictError', reason: 'moved' }
    await assert.rejects(conversations.delete(one.id, { usedBefore: reopened.updatedAt }), moved)
    await conversations.delete(one.id, { usedBefore: new Date(reopened.updatedAt.getTime() + 1) })
    await assert.rejects(conversations.open(one.id), { name: 'ConversationNotFoundError' })
    await assert.rejects(conversations.delete(one.id), { name: 'ConversationNotFoundError' })
  })

  test('need a client or an engine, a model and max_tokens', async () => {
    assert.throws(() => openConversations({}), /there must be a client or an engine: found neither/)
    const conversations = openConversations({ engine: offline() })
    await assert.rejects(conversations.create({ model: '', max_tokens: 1 }), /Cannot set the model .* found ""/)
    await assert.rejects(conversations.create({ model: 'm' } as never), /Cannot set max_tokens .* found undefined/)
    await assert.rejects(conversations.list({ limit: 0 }), RangeError)
  })

  for (const [title, create] of [
    ['openConversations({ cachemarks })', () => openConversations({ engine: offline(), cachemarks: true } as never)],
    ['limits', () => openConversations({ engine: offline(), limits: { usdPerUserPerDay: 1 } as never })],
    ['a store that is a path', () => openConversations({ engine: offline(), store: 'x.db' as never })],
  ] as const) {
    test(`refuse ${title}`, () => {
      assert.throws(create, {
        name: 'AnthropicError',
        message: /did you mean (cacheMarks|usdPerUserDay)|must be a store/,
      })
    })
  }

  for (const [title, act] of [
    ['create({ maxTokens })', (all) => all.create({ ...settings, maxTokens: 5 } as never)],
    ['create({ systemPrompt })', (all) => all.create({ ...settings, systemPrompt: 'x' } as never)],
    ['create({ budget: { dollars } })', (all) => all.create({ ...settings, budget: { dollars: 1 } } as never)],
    ['list({ limits })', (all) => all.list({ limits: 5 } as never)],
    ['search({ limits })', (all) => all.search('a', { limits: 5 } as never)],
    ['spending({ users })', (all) => all.spending({ users: 'a' } as never)],
    ['import({ modle })', (all) => all.import('[]', { modle: 'a' } as never)],
    ['configure({ modle })', async (all) => (await all.create(settings)).configure({ modle: 'a' } as never)],
  ] as [string, (all: ReturnType<typeof openConversations>) => Promise<unknown>][]) {
    test(`refuse ${title}, and name the nearest option`, async () => {
      const conversations = openConversations({ engine: offline() })
      await assert.rejects(act(conversations), /(did you mean|the options are)/)
    })
  }

  test('accept unknown settings along with betas', async () => {
    const { conversation, engine } = await start(['r1'], { betas: ['new-2027-01-01'], fresh_field: 1 } as never)
    await conversation.send('a')
    assert.equal((engine.requests[0]!.params as { fresh_field?: unknown }).fresh_field, 1)
  })

  test('need an engine that returns events', async () => {
    const conversation = await openConversations({ engine: (() => 'text') as never }).create(settings)
    await assert.rejects(conversation.send('a'), /the engine did not return events: found "text"/)
  })

  test('preview() is the request that would be sent', async () => {
    const { conversation, engine } = await start(['r1', 'r2'], { system: 'Be brief.' })
    await conversation.send('a')
    const preview = conversation.preview('b')
    assert.equal(engine.requests.length, 1)
    await conversation.send('b')
    assert.deepEqual(engine.requests[1]?.params, preview)
  })
})

/** The first piece of text; the turn continues. */
async function firstText(texts: AsyncIterable<string>): Promise<{ text: string }> {
  for await (const text of texts) return { text }
  return { text: '' }
}

/** The text that arrives before the failure. */
async function arrivedText(texts: AsyncIterable<string>): Promise<{ text: string }> {
  let text = ''
  try {
    for await (const piece of texts) text += piece
  } catch {}
  return { text }
}

test('deleteUnusedSince() erases only conversations not used since', async () => {
  const conversations = openConversations({ engine: script(['a', 'b', 'c']) })
  const [old, revived] = [await conversations.create(settings), await conversations.create(settings)]
  await old.send('Hello')
  await new Promise((resolve) => setTimeout(resolve, 5))
  const time = new Date()
  await new Promise((resolve) => setTimeout(resolve, 5))
  await revived.send('Hello again')
  const ids = async (options = {}): Promise<string[]> => (await conversations.list(options)).map(({ id }) => id)
  assert.deepEqual(await ids({ usedBefore: time }), [old.id])
  assert.equal(await conversations.deleteUnusedSince(time), 1)
  assert.deepEqual(await ids(), [revived.id])
  assert.equal(await conversations.deleteUnusedSince(time), 0)
})

test('deleteUnusedSince() keeps what was used while the clock of the machine was not set', async (context) => {
  const conversations = openConversations({ engine: script(['a', 'b']) })
  const old = await conversations.create(settings)
  context.mock.timers.enable({ apis: ['Date'], now: 1_000 })
  const chat = await conversations.create(settings)
  await old.send('Hello')
  context.mock.timers.reset()
  assert.equal(await conversations.deleteUnusedSince(new Date()), 0)
  assert.deepEqual(await conversations.list({ usedBefore: new Date() }), [])
  await chat.send('Hello')
  assert.equal((await conversations.list({ usedBefore: new Date(Date.now() + 1) }))[0]?.id, chat.id)
  assert.equal(await conversations.deleteUnusedSince(new Date(Date.now() + 1)), 1)
  await conversations.delete(old.id)
})

test('deleteUnusedSince() erases one conversation at a time', async () => {
  const store = memoryStore()
  const erase = store.delete.bind(store)
  let running = 0
  let most = 0
  store.delete = async (id) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve))
    running--
    return erase(id)
  }
  const conversations = openConversations({ engine: script([]), store })
  for (let count = 0; count < 5; count++) await conversations.create(settings)
  assert.equal(await conversations.deleteUnusedSince(new Date(Date.now() + 1_000)), 5)
  assert.equal(most, 1)
})

test('methods name options that are not an object, and write nothing', async () => {
  const store = memoryStore()
  const conversations = openConversations({ engine: offline(), store })
  const chat = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  const { parentId } = await chat.send('Hello')
  const before = await store.tree(chat.id)
  for (const wrong of [null, 5, 'x', [], ['x']] as never[]) {
    const calls: Record<string, () => unknown> = {
      'send()': () => chat.send('Hello', wrong),
      'edit()': () => chat.edit(parentId!, 'Hi', wrong),
      'retry()': () => chat.retry(undefined, wrong),
      'continue()': () => chat.continue(wrong),
      'update()': () => chat.update(wrong),
      'configure()': () => chat.configure(wrong),
      'preview()': () => chat.preview('Hi', wrong),
      'create()': () => conversations.create(wrong),
      'list()': () => conversations.list(wrong),
      'search()': () => conversations.search('Hello', wrong),
      'openConversations()': () => openConversations(wrong),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(
        async () => call(),
        (error: Error) => {
          assert.equal(error.name, 'AnthropicError', `${name} with ${JSON.stringify(wrong)}: ${error.message}`)
          return error.message.startsWith(`Cannot use ${name} as its options must be an object: found `)
        },
      )
    }
  }
  assert.deepEqual(await store.tree(chat.id), before)
})
