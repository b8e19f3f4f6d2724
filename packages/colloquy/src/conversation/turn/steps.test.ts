import assert from 'node:assert/strict'
import { test } from 'node:test'
import { script, type ScriptEngine, type ScriptedMessage } from '../../engines/script.ts'
import type { ContentBlock, Usage } from '../../protocol/types/message.ts'
import type {
  DocumentBlockParam,
  ImageBlockParam,
  MessageCreateParams,
  ToolResultBlockParam,
} from '../../protocol/types/params.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import { tool } from '../../tools/tool.ts'
import type { Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { ConversationStore } from '../stores/store.ts'

const calls = (...ids: string[]): ScriptedMessage => ({
  stop_reason: 'tool_use',
  content: ids.map((id): ContentBlock => ({ type: 'tool_use', id, name: 'weather', input: { city: id } })),
})

function weather(run: (city: string) => unknown = (city) => `Sunny in ${city}`, repeatable = false) {
  const inputSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const
  return tool({ name: 'weather', inputSchema, repeatable, run: async ({ city }) => String(await run(city)) })
}

async function open(engine: ScriptEngine, store: ConversationStore = memoryStore()): Promise<Conversation> {
  return openConversations({ engine, store }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
}

function sent(engine: ScriptEngine, request: number): unknown {
  const { content } = engine.requests[request]!.params.messages.at(-1)!
  return typeof content === 'string' ? content : content.map((block) => ({ ...block, cache_control: undefined }))
}

function result(id: string, content: string, more: object = {}): object {
  return { type: 'tool_result', tool_use_id: id, content, cache_control: undefined, ...more }
}

test('send() with tools answers calls concurrently until the model makes none', async () => {
  const engine = script([calls('Paris', 'Rome'), calls('Oslo'), 'All sunny.'])
  const conversation = await open(engine)
  let running = 0
  let most = 0
  const slow = weather(async (city) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
    return `Sunny in ${city}`
  })
  const reply = await conversation.send('How is the weather?', { tools: [slow] })
  assert.equal(reply.text, 'All sunny.')
  assert.equal(most, 2)
  assert.deepEqual(sent(engine, 1), [result('Paris', 'Sunny in Paris'), result('Rome', 'Sunny in Rome')])
  assert.deepEqual(sent(engine, 2), [result('Oslo', 'Sunny in Oslo')])
  assert.deepEqual(
    conversation.messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
  )
  assert.equal(conversation.usage.calls, 3)
})

test('a turn with tools streams every step', async () => {
  const turn = (await open(script([calls('Paris'), 'Sunny.']))).send('How is the weather?', { tools: [weather()] })
  const types = (await Array.fromAsync(turn)).map(({ type }) => type)
  assert.equal(types.filter((type) => type === 'message_stop').length, 2)
  assert.equal((await Array.fromAsync(turn.text)).join(''), 'Sunny.')
})

test('each step is recorded before the next: a tool sees its call in the store', async () => {
  const store = memoryStore()
  const engine = script([calls('Paris'), 'Sunny.'])
  const conversation = await open(engine, store)
  let kept: (string | undefined)[] = []
  const looking = weather(async () => {
    const again = await openConversations({ engine, store }).open(conversation.id)
    kept = again.messages.map(({ role }) => role)
    return 'Sunny'
  })
  await conversation.send('How is the weather?', { tools: [looking] })
  assert.deepEqual(kept, ['user', 'assistant'])
})

test('a turn continues when the clock is set forward, while it receives a reply and while its tools run', async () => {
  let now = Date.now()
  const store = memoryStore({ now: () => now })
  const seen: unknown[] = []
  const look = async (): Promise<void> => {
    now += 3_600_000
    const { messages, receiving } = await conversations.open(conversation.id)
    seen.push([messages.at(-1)!.role, receiving])
  }
  const replies = script([calls('Paris'), 'Sunny.'])
  async function* engine(params: MessageCreateParams): AsyncGenerator<MessageStreamEvent | PingEvent> {
    for await (const event of replies(params)) {
      if (event.type === 'content_block_stop') await look()
      yield event
    }
  }
  const conversations = openConversations({ engine, store })
  const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  await conversation.send('How is the weather?', { tools: [weather(look)] })
  assert.deepEqual(seen, [
    ['user', '2'],
    ['assistant', '2'],
    ['user', '4'],
  ])
  assert.deepEqual(
    (await store.tree(conversation.id)).map(({ state }) => state),
    ['committed', 'committed', 'committed', 'committed'],
  )
})

test('a call whose process died is reported as interrupted, or repeated if repeatable', async () => {
  for (const repeatable of [false, true]) {
    const store = memoryStore()
    const dying = script([calls('Paris')])
    const conversation = await open(dying, store)
    const died = new AbortController()
    const hanging = weather(() => {
      died.abort()
      return new Promise(() => {})
    })
    await assert.rejects(conversation.send('How is the weather?', { tools: [hanging], signal: died.signal }), {
      name: 'APIUserAbortError',
    })

    const engine = script(['Fine.'])
    const again = await openConversations({ engine, store }).open(conversation.id)
    const previews = [again.preview('Are you there?'), again.preview()]
    const reply = await again.send('Are you there?', { tools: [weather(undefined, repeatable)] })
    assert.equal(reply.text, 'Fine.')
    const answer = repeatable
      ? result('Paris', 'Sunny in Paris')
      : result('Paris', "Error: Tool 'weather' was interrupted, and what it did is not known", { is_error: true })
    assert.deepEqual(sent(engine, 0), [answer, { type: 'text', text: 'Are you there?', cache_control: undefined }])
    if (repeatable) continue
    assert.deepEqual(previews[0]!.messages, engine.requests[0]!.params.messages)
    assert.deepEqual(previews[1]!.messages.at(-1)!.content.length, 1)
  }
})

test('an image that the API cannot read is neither sent nor kept: it would refuse every later turn', async () => {
  const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01', 'latin1').toString('base64')
  const image = (data: string, media_type: 'image/png' | 'image/jpeg' = 'image/png') =>
    ({ type: 'image', source: { type: 'base64', media_type, data } }) as const
  const text = (found: string) => ({ type: 'text', text: `Error: the tool returned ${found}` })
  const document = {
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
  } as const
  const faults: [ImageBlockParam | DocumentBlockParam, string][] = [
    [image('AAAA'), 'an image that cannot be read'],
    [image('not base64'), 'an image that cannot be read'],
    [image(png, 'image/jpeg'), 'an image whose media type is image/png, not image/jpeg'],
    [image(png + 'A'.repeat(10 * 1024 * 1024)), 'an image of more than 10 MB as base64'],
    [image(`${png.slice(0, 20)}AAABAA${png.slice(26)}`), 'an image of more than 8000 pixels a side'],
    [document, 'a document that is neither text nor a PDF'],
  ]
  const engine = script([calls('Paris'), 'I cannot see it.'])
  const conversation = await open(engine)
  const { run: _, ...look } = weather()
  const looking = { ...look, run: async () => [image(png), ...faults.map(([block]) => block)] }
  await conversation.send('How does it look?', { tools: [looking] })
  const [result] = sent(engine, 1) as ToolResultBlockParam[]
  assert.deepEqual(result!.content, [image(png), ...faults.map(([, found]) => text(found))])
  for (const [block, found] of faults) {
    const expected = { name: 'ContentError', message: `Cannot send content.0: found ${found}` }
    await assert.rejects(conversation.send([block]), expected)
  }
  assert.equal(conversation.messages.length, 4)
})

test('a tool that fails, is declined or is unknown gives the model an error result', async () => {
  const engine = script([calls('Paris'), calls('Rome'), 'Never mind.'])
  const conversation = await open(engine)
  const failing = weather(() => {
    throw new Error('no network')
  })
  const approve = ({ input }: { input: unknown }): string | boolean =>
    (input as { city: string }).city !== 'Rome' || 'not Rome'
  await conversation.send('How is the weather?', { tools: [failing], toolOptions: { approve } })
  assert.deepEqual(sent(engine, 1), [result('Paris', 'Error: no network', { is_error: true })])
  assert.deepEqual(sent(engine, 2), [
    result('Rome', "Error: The call of tool 'weather' was declined: not Rome", { is_error: true }),
  ])
})

test('a turn fails after maxRounds replies, and the conversation can continue', async () => {
  const engine = script([{ reply: calls('Paris'), times: 3 }, 'Fine.'])
  const conversation = await open(engine)
  const asked = conversation.send('How is the weather?', { tools: [weather()], toolOptions: { maxRounds: 3 } })
  await assert.rejects(asked, /the model has not ended it after 3 replies/)
  assert.equal((await conversation.send('Stop.', { tools: [weather()] })).text, 'Fine.')
})

test('calls of tools that are only declared are left to the caller', async () => {
  const conversation = await open(script([calls('Paris'), 'Sunny.']))
  const declared = { name: 'weather', input_schema: { type: 'object' } } as const
  const other = tool({ name: 'other', inputSchema: { type: 'object' }, run: () => 'x' })
  const reply = await conversation.send('How is the weather?', { tools: [declared, other] })
  assert.equal(reply.stopReason, 'tool_use')
  const answered = await conversation.send([{ type: 'tool_result', tool_use_id: 'Paris', content: 'Sunny' }], {
    tools: [declared, other],
  })
  assert.equal(answered.text, 'Sunny.')
})

test('usage and cost of a turn with tools are those of all steps, each beside them', async () => {
  const usage = { input_tokens: 1000, output_tokens: 1000 } as Usage
  const called = { ...calls('Paris'), usage }
  const engine = script([called, { ...calls('Rome'), usage }, { content: 'Done.', usage }])
  const conversation = await open(engine)
  const reply = await conversation.send('go', { tools: [weather()] })
  assert.deepEqual([reply.usage.input_tokens, reply.usage.output_tokens], [3000, 3000])
  assert.equal(reply.cost?.picoUsd, conversation.cost.picoUsd)
  assert.deepEqual(
    reply.steps.map(({ messageId, usage, cost }) => [messageId, usage.output_tokens, cost?.picoUsd]),
    ['2', '4', '6'].map((id) => [id, 1000, 18_000_000_000n]),
  )
  assert.equal(reply.message.usage.output_tokens, 1000)
})

test('a turn without tools has one step', async () => {
  const reply = await (await open(script(['Hello.']))).send('Hi')
  const { steps, ...rest } = reply
  assert.deepEqual(steps, [rest])
})

test('a turn whose step has no price has no price', async () => {
  const engine = script([calls('Paris'), { content: 'Done.', model: 'llama' }])
  assert.equal((await (await open(engine)).send('go', { tools: [weather()] })).cost, undefined)
})

test('turn.text separates the texts of steps by an empty line', async () => {
  const text = (content: string): ContentBlock => ({ type: 'text', text: content, citations: null })
  const looking = { ...calls('Paris'), content: [text('Looking.'), ...(calls('Paris').content as ContentBlock[])] }
  const turn = (await open(script([calls('Oslo'), looking, looking, 'Sunny.']))).send('go', { tools: [weather()] })
  assert.equal((await Array.fromAsync(turn.text)).join(''), 'Looking.\n\nLooking.\n\nSunny.')
})

for (const next of ['continue()', 'continue() with tools', 'send()', 'send() with tools'] as const) {
  for (const repeatable of [false, true]) {
    test(`${next} answers calls that an abort interrupted${repeatable ? ', again if repeatable' : ''}`, async () => {
      const engine = script([calls('Paris', 'Rome'), 'Fine.'])
      const conversation = await open(engine)
      let stop: (() => void) | undefined
      const tools = [weather((city) => (stop?.(), `Sunny in ${city}`), repeatable)]
      const turn = conversation.send('How is the weather?', { tools })
      stop = () => turn.abort()
      await assert.rejects(turn, { name: 'APIUserAbortError' })
      stop = undefined
      const options = next.endsWith('tools') ? { tools } : {}
      const reply = await (next.startsWith('send')
        ? conversation.send('Well?', options)
        : conversation.continue(options))
      assert.equal(reply.text, 'Fine.')
      const interrupted = "Error: Tool 'weather' was interrupted, and what it did is not known"
      const answered = repeatable && next.endsWith('tools')
      const results = ['Paris', 'Rome'].map((city) =>
        answered ? result(city, `Sunny in ${city}`) : result(city, interrupted, { is_error: true }),
      )
      const said = next.startsWith('send') ? [{ type: 'text', text: 'Well?', cache_control: undefined }] : []
      assert.deepEqual(sent(engine, 1), [...results, ...said])
    })
  }
}

test('continue() without the results of calls that the caller answers names them', async () => {
  const conversation = await open(script([calls('Paris')]))
  await conversation.send('How is the weather?')
  await assert.rejects(conversation.continue(), /Cannot continue message 2 without the results of Paris/)
})

test('a turn with tools keeps other turns of the process waiting until it has ended', async () => {
  const engine = script([calls('Paris'), 'Sunny.', 'Hello.'])
  const conversation = await open(engine)
  let queued: Promise<unknown> | undefined
  const tools = [
    weather(async () => {
      await assert.rejects(conversation.send('Hi'), { name: 'ConversationConflictError', reason: 'busy' })
      queued = conversation.send('Hi', { onConflict: 'queue' })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }),
  ]
  await conversation.send('How is the weather?', { tools })
  await queued
  assert.deepEqual(conversation.messages.map(({ role }) => role[0]).join(''), 'uauaua')
})

const container = { id: 'container_1', expires_at: new Date(Date.now() + 60_000).toISOString() }
const expired = { ...container, expires_at: new Date(Date.now() - 1).toISOString() }

for (const [title, given, found, sentAs] of [
  ['is sent with the next step and the next turn', undefined, container, 'container_1'],
  ['is sent with the skills of the settings', { skills: [] }, container, { skills: [], id: 'container_1' }],
  ['is not sent if the settings name another', 'container_0', container, 'container_0'],
  ['is not sent if it has expired', undefined, expired, undefined],
] as const) {
  test(`the container of a reply ${title}`, async () => {
    const engine = script([{ ...calls('Paris'), container: found }, 'Sunny.', 'Bye.'])
    const conversation = await open(engine)
    const code = { type: 'code_execution_20250825', name: 'code_execution' } as const
    const options = { tools: [weather(), code], ...(given && { container: given as never }) }
    await conversation.send('Hi', options)
    const preview = conversation.preview('Bye')
    await conversation.send('Bye', options)
    assert.deepEqual(
      engine.requests.slice(1).map(({ params }) => params.container),
      [sentAs, sentAs],
    )
    assert.equal(preview.container, undefined)
  })
}

test('the container of a reply is not sent without code execution', async () => {
  const engine = script([{ ...calls('Paris'), container }, 'Sunny.'])
  await (await open(engine)).send('Hi', { tools: [weather()] })
  assert.equal(engine.requests[1]?.params.container, undefined)
})

for (const onConflict of ['fail', 'queue', 'branch'] as const) {
  test(`a message that another process sends while a tool runs does not mix with the results (${onConflict})`, async () => {
    const engine = script([calls('Paris'), 'Hello.', 'Sunny.'])
    const store = memoryStore()
    const conversation = await open(engine, store)
    const tools = [
      weather(async () => {
        const other = await openConversations({ engine, store }).open(conversation.id)
        assert.equal((await other.send('Hi', { onConflict: 'branch' })).text, 'Hello.')
        return 'Sunny in Paris'
      }),
    ]
    const turn = conversation.send('How is the weather?', { tools, onConflict })
    if (onConflict === 'fail') {
      await assert.rejects(turn, { name: 'ConversationConflictError', reason: 'moved' })
      assert.equal(engine.requests.length, 2)
    } else {
      assert.equal((await turn).text, 'Sunny.')
      assert.deepEqual(sent(engine, 2), [result('Paris', 'Sunny in Paris')])
      assert.equal((await conversation.branches()).length, 2)
    }
  })
}
