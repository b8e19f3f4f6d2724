import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { type ScriptedReply, type Step, script } from '../engines/script.ts'
import {
  APIError,
  type ContentBlock,
  type Message,
  type MessageCreateParams,
  type MessageParam,
  type MessageStreamEvent,
  type ToolUseBlock,
  replay,
} from '../protocol/index.ts'
import {
  type ToolRun,
  type ToolRunItem,
  type ToolRunOptions,
  type ToolRunParams,
  ToolRoundsError,
  runTools,
} from './run.ts'
import { type RunnableTool } from './runnable.ts'
import { tool } from './tool.ts'

const question: MessageParam = { role: 'user', content: 'How is the weather?' }
const usage = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 3 }

const weather = tool({
  name: 'weather',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  run: ({ city }) => `sun in ${city}`,
})

function call(city: unknown, id = `toolu_${String(city)}`, name = 'weather'): ToolUseBlock {
  return { type: 'tool_use', id, name, input: { city } }
}

function says(...content: Array<string | ContentBlock>): ScriptedReply {
  return {
    content: content.map((block) =>
      typeof block === 'string' ? { type: 'text', text: block, citations: null } : block,
    ),
    usage,
  }
}

function params(more: Partial<ToolRunParams> = {}): ToolRunParams {
  return { model: 'm', max_tokens: 100, messages: [question], tools: [weather], ...more }
}

async function run(
  steps: ReadonlyArray<ScriptedReply | Step>,
  more: Partial<ToolRunParams> = {},
  options: ToolRunOptions = {},
): Promise<{ items: ToolRunItem[]; done: ToolRun; requests: MessageParam[][] }> {
  const engine = script(steps)
  const items = await Array.fromAsync(runTools(engine, params(more), options))
  const done = items.at(-1)!
  assert.equal(done.type, 'done')
  return {
    items,
    done,
    requests: engine.requests.map(({ params }) => params.messages),
  }
}

test('runTools() answers the calls of a reply and sends the whole conversation', async () => {
  const { items, done, requests } = await run([says('Let me see.', call('Nara'), call('Kyoto')), says('Sunny.')])
  const results = {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'toolu_Nara', content: 'sun in Nara' },
      { type: 'tool_result', tool_use_id: 'toolu_Kyoto', content: 'sun in Kyoto' },
    ],
  }
  assert.deepEqual(requests[0], [question])
  assert.deepEqual(requests[1]!.slice(0, 1), [question])
  assert.deepEqual(requests[1]!.slice(2), [results])
  assert.equal(done.messages.length, 4)
  assert.equal(done.rounds, 2)
  assert.deepEqual(
    items.filter(({ type }) => type !== 'event').map(({ type }) => type),
    ['reply', 'result', 'result', 'results', 'reply', 'done'],
  )
})

test('runTools() sends only definitions, and yields every event with its round', async () => {
  const engine = script([says(call('Nara')), says('Sunny.')])
  const rounds = new Map<number, MessageStreamEvent['type'][]>()
  for await (const item of runTools(engine, params()))
    if (item.type === 'event')
      rounds.set(item.round, [...(rounds.get(item.round) ?? []), item.event.type as 'message_stop'])
  assert.deepEqual([...rounds.keys()], [1, 2])
  for (const types of rounds.values()) assert.deepEqual([types[0], types.at(-1)], ['message_start', 'message_stop'])
  assert.deepEqual(engine.requests[0]!.params.tools, [
    { type: 'custom', name: 'weather', input_schema: weather.input_schema },
  ])
  assert.equal('tools' in engine.requests[0]!.params, true)
})

test('runTools() adds up the usage of all rounds, kind by kind', async () => {
  const { done } = await run([says(call('Nara')), says(call('Kyoto')), says('Sunny.')])
  const { iterations, ...sums } = done.usage
  assert.deepEqual(
    [sums.input_tokens, sums.cache_creation_input_tokens, sums.cache_read_input_tokens, sums.output_tokens],
    [30, 0, 15, 9],
  )
  assert.equal(iterations?.length, 3)
  assert.deepEqual((await run([says('Hello.')])).done.usage.iterations, undefined)
})

test('runTools() does nothing until the next item is requested', async () => {
  const log: string[] = []
  const watched = tool({ name: 'weather', inputSchema: { type: 'object' }, run: () => void log.push('run') })
  const engine = script([says(call('Nara')), { when: () => (log.push('ask'), true), reply: says('Sunny.') }])
  for await (const item of runTools(engine, params({ tools: [watched] }))) {
    if (item.type === 'event') continue
    await sleep(2)
    log.push(item.type)
  }
  assert.deepEqual(log, ['reply', 'run', 'result', 'results', 'ask', 'reply', 'done'])
})

test('runTools() yields results as they arrive and sends them in the order of the calls', async () => {
  const slow = tool({
    name: 'weather',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
    run: ({ city }) => (city === 'Nara' ? sleep(10, 'late') : 'early'),
  })
  const { items, requests } = await run([says(call('Nara'), call('Kyoto')), says('Sunny.')], { tools: [slow] })
  assert.deepEqual(
    items.flatMap((item) => (item.type === 'result' ? [item.call.id] : [])),
    ['toolu_Kyoto', 'toolu_Nara'],
  )
  const content = requests[1]!.at(-1)!.content as Array<{ content: string }>
  assert.deepEqual(
    content.map(({ content }) => content),
    ['late', 'early'],
  )
})

test('runTools() answers a call of an unknown tool with an error and continues', async () => {
  const { requests } = await run([says(call('Nara', 'toolu_1', 'wether')), says('Sorry.')])
  assert.deepEqual(requests[1]!.at(-1)!.content, [
    { type: 'tool_result', tool_use_id: 'toolu_1', content: "Error: Tool 'wether' not found", is_error: true },
  ])
})

test('runTools() continues a paused turn by sending it unchanged', async () => {
  const paused = { content: [{ type: 'text', text: 'Searching', citations: null }], stop_reason: 'pause_turn' } as const
  const { done, requests } = await run([{ ...paused, content: [...paused.content] }, says('Found.')])
  assert.deepEqual(requests[1], [question, { role: 'assistant', content: paused.content }])
  assert.equal(done.rounds, 2)
})

test('runTools() omits a reply without content from the conversation', async () => {
  const { done } = await run([says(call('Nara')), { content: [] }])
  assert.deepEqual(
    done.messages.map(({ role }) => role),
    ['user', 'assistant', 'user'],
  )
})

test('runTools() sends the container of a reply with the next request', async () => {
  const container = { id: 'container_1', expires_at: '2026-12-01T00:00:00Z' }
  const sent: unknown[] = []
  async function* engine(request: MessageCreateParams): AsyncGenerator<MessageStreamEvent> {
    sent.push(request.container)
    const content = sent.length === 1 ? [call('Nara')] : []
    const stop_reason = sent.length === 1 ? 'tool_use' : 'end_turn'
    const reply = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null, usage } as const
    yield* replay({ ...reply, content, stop_reason, container })
  }
  await Array.fromAsync(runTools(engine, params()))
  assert.deepEqual(sent, [undefined, 'container_1'])
})

test('runTools() omits a reply of blank text from the conversation', async () => {
  const { done } = await run([says(' ')])
  assert.deepEqual(done.messages, [question])
})

test('runTools() leaves calls of tools without run to the caller, after answering its own', async () => {
  const lookup = { name: 'lookup', input_schema: { type: 'object' as const } }
  const { items, done } = await run([says(call('Nara'), call('x', 'toolu_2', 'lookup'))], { tools: [weather, lookup] })
  assert.deepEqual(
    done.pending.map(({ id }) => id),
    ['toolu_2'],
  )
  assert.deepEqual(done.messages.at(-1)!.content, [
    { type: 'tool_result', tool_use_id: 'toolu_Nara', content: 'sun in Nara' },
  ])
  assert.equal(items.filter(({ type }) => type === 'reply').length, 1)
})

test('runTools() answers the calls of a reply that was cut off as not run', async () => {
  let ran = 0
  const watched = tool({ name: 'weather', inputSchema: { type: 'object' }, run: () => void ran++ })
  const { done } = await run([{ content: [call('Nara')], stop_reason: 'max_tokens' }], { tools: [watched] })
  assert.equal(ran, 0)
  assert.equal(done.message.stop_reason, 'max_tokens')
  assert.deepEqual(done.messages.at(-1), {
    role: 'user',
    content: [
      {
        type: 'tool_result',
        tool_use_id: 'toolu_Nara',
        content: "Error: Tool 'weather' was not run, as the reply stopped with max_tokens",
        is_error: true,
      },
    ],
  })
})

test('runTools() never runs a malformed input, runs the other calls, and sends valid content', async () => {
  let ran = 0
  const watched = tool({ name: 'weather', inputSchema: { type: 'object' }, run: () => void ran++ })
  const start: Message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  }
  const input = (index: number, id: string, partial_json: string): MessageStreamEvent[] => [
    { type: 'content_block_start', index, content_block: { ...call('', id), input: {} } },
    { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } },
    { type: 'content_block_stop', index },
  ]
  const broken: MessageStreamEvent[] = [
    { type: 'message_start', message: start },
    ...input(0, 'toolu_1', '{"city": "Na'),
    ...input(1, 'toolu_2', '"a text"'),
    ...input(2, 'toolu_3', '{"city": "Nara"}'),
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 3 } },
    { type: 'message_stop' },
  ]
  const { requests } = await run([broken, says('Sorry.')], { tools: [watched] })
  assert.equal(ran, 1)
  const [assistant, user] = requests[1]!.slice(1) as Array<{
    content: Array<{ input?: unknown; content?: string; is_error?: boolean }>
  }>
  for (const block of assistant!.content)
    assert.equal(typeof block.input === 'object' && !Array.isArray(block.input), true)
  assert.deepEqual(
    user!.content.map(({ content, is_error }) => [content, is_error]),
    [
      ['Error: Tool \'weather\' was not run, as its input is not whole JSON: {"city": "Na', true],
      ['Error: Tool \'weather\' was not run, as its input is not a JSON object: "a text"', true],
      [undefined, undefined],
    ],
  )
})

test('runTools() stops at maxRounds before it runs tools, and can be continued', async () => {
  let ran = 0
  const watched = tool({ name: 'weather', inputSchema: { type: 'object' }, run: () => void ran++ })
  const engine = script([says(call('Nara')), says(call('Kyoto')), says('Sunny.')])
  const failure: unknown = await Array.fromAsync(
    runTools(engine, params({ tools: [watched] }), { maxRounds: 2 }),
  ).catch((error: unknown) => error)
  assert.ok(failure instanceof ToolRoundsError && failure instanceof APIError)
  assert.equal(failure.message, 'The model still asks for tools after 2 rounds')
  assert.equal(failure.usage.input_tokens, 20)
  assert.equal(ran, 1)
  const items = await Array.fromAsync(runTools(engine, params({ tools: [watched], messages: failure.messages })))
  assert.equal(ran, 2)
  assert.equal(items.at(-1)!.type, 'done')
  assert.deepEqual(
    (items.at(-1) as ToolRun).messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
  )
})

test('runTools() throws errors of the engine, and for a stream that ends early', async () => {
  await assert.rejects(run([says(call('Nara')), { error: { type: 'overloaded_error' } }]), { status: 529 })
  const events = await Array.fromAsync(script([says('Hello.')])({ ...params(), tools: [] }))
  await assert.rejects(run([events.slice(0, -1)]), /ended without a whole message/)
})

test('runTools() stops the engine and the calls when its reader stops', async () => {
  let told = 0
  const slow: RunnableTool = {
    ...weather,
    run: (_input, { signal, toolUse }) => {
      if ((toolUse.input as { city: string }).city === 'Kyoto') return 'early'
      signal.addEventListener('abort', () => told++)
      return new Promise<string>(() => {})
    },
  }
  for await (const item of runTools(script([says(call('Nara'), call('Kyoto'))]), params({ tools: [slow] })))
    if (item.type === 'result') break
  assert.equal(told, 1)

  const stalled = script([{ reply: 'Hello.', stall: true }])
  let left = false
  async function* watched(...args: Parameters<typeof stalled>): ReturnType<typeof stalled> {
    try {
      yield* stalled(...args)
    } finally {
      left = true
    }
  }
  for await (const item of runTools(watched, params())) if (item.type === 'event') break
  assert.equal(left, true)
})

test('runTools() stops when its signal aborts during a call or a reply', async () => {
  for (const steps of [[says(call('Nara'))], [{ reply: says('Hello.'), stall: true }]]) {
    const controller = new AbortController()
    const endless = { ...weather, run: () => new Promise<string>(() => {}) }
    const loop = Array.fromAsync(
      runTools(script(steps), params({ tools: [endless] }), {}, { signal: controller.signal }),
    )
    setTimeout(() => controller.abort(), 5)
    await assert.rejects(loop, { name: 'APIUserAbortError' })
  }
})
