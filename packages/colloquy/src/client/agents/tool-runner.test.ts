import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { replay } from '../../protocol/codec/replay.ts'
import { ToolError } from '../../tools/tool-error.ts'
import { type RunnableTool } from '../../tools/runnable.ts'
import { tool } from '../../tools/tool.ts'
import type { Anthropic } from '../client.ts'
import { type WireParams, clientOf } from '../engine-fetch.test.ts'
import type { MessageStream } from '../stream/message-stream.ts'
import type { ToolRunnerParams } from './tool-runner-state.ts'

const question: MessageParam = { role: 'user', content: 'How is the weather?' }
let runs: string[] = []

const weather = tool({
  name: 'weather',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  run: ({ city }) => {
    runs.push(city)
    if (city === 'Atlantis') throw new ToolError([{ type: 'text', text: 'It sank.' }])
    return `sun in ${city}`
  },
})

type Said = string | ContentBlock

function call(city: string, id = `toolu_${city}`): ContentBlock {
  return { type: 'tool_use', id, name: 'weather', input: { city } }
}

function messageOf(content: Said[], more: Partial<Message> = {}): Message {
  const blocks = content.map((block): ContentBlock =>
    typeof block === 'string' ? { type: 'text', text: block, citations: null } : block,
  )
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: blocks,
    stop_reason: blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
    ...more,
  }
}

function asked(replies: Array<Said[] | Message>): { client: Anthropic; requests: WireParams[] } {
  runs = []
  let next = 0
  return clientOf(async function* () {
    const reply = replies[next++]
    if (!reply) throw new Error('no reply is left')
    yield* replay(Array.isArray(reply) ? messageOf(reply) : reply)
  })
}

const params = { model: 'm', max_tokens: 100, messages: [question], tools: [weather] } satisfies ToolRunnerParams
const texts = ({ content }: Message) => content.map((block) => (block.type === 'text' ? block.text : `<${block.type}>`))

test('toolRunner() gives each reply and sends the whole conversation each time', async () => {
  const { client, requests } = asked([['Let me see.', call('Nara'), call('Kyoto')], ['Sunny.']])
  const seen: string[][] = []
  for await (const message of client.beta.messages.toolRunner({ ...params, betas: ['a-1'] })) seen.push(texts(message))
  assert.deepEqual(seen, [['Let me see.', '<tool_use>', '<tool_use>'], ['Sunny.']])
  assert.deepEqual(requests[0], {
    model: 'm',
    max_tokens: 100,
    messages: [question],
    tools: [{ type: 'custom', name: 'weather', input_schema: weather.input_schema }],
    betas: ['a-1'],
  })
  assert.deepEqual(requests[1]!.messages.slice(2), [
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_Nara', content: 'sun in Nara' },
        { type: 'tool_result', tool_use_id: 'toolu_Kyoto', content: 'sun in Kyoto' },
      ],
    },
  ])
})

test('toolRunner({ stream: true }) gives a stream for each reply', async () => {
  const { client, requests } = asked([['Let me see.', call('Nara')], ['Sunny.']])
  const seen: string[] = []
  const runner = client.beta.messages.toolRunner({ ...params, stream: true })
  for await (const stream of runner)
    for await (const event of stream)
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') seen.push(event.delta.text)
  assert.equal(seen.join(''), 'Let me see.Sunny.')
  assert.deepEqual(
    requests.map(({ stream }) => stream),
    [true, true],
  )
  assert.deepEqual(texts(await runner.done()), ['Sunny.'])
})

test('toolRunner() reads a stream that the caller does not read', async () => {
  const { client } = asked([[call('Nara')], ['Sunny.']])
  let turns = 0
  for await (const stream of client.beta.messages.toolRunner({ ...params, stream: true })) turns += stream ? 1 : 0
  assert.equal(turns, 2)
  assert.deepEqual(runs, ['Nara'])
})

test('await, runUntilDone() and done() give the last message', async () => {
  const replies = [[call('Nara')], ['Sunny.']]
  assert.deepEqual(texts(await asked(replies).client.beta.messages.toolRunner(params)), ['Sunny.'])
  const runner = asked(replies).client.beta.messages.toolRunner(params)
  const done = runner.done()
  assert.deepEqual(texts(await runner.runUntilDone()), ['Sunny.'])
  assert.deepEqual(texts(await done), ['Sunny.'])
  assert.deepEqual(runs, ['Nara'])
  await assert.rejects(async () => {
    for await (const message of runner) assert.fail(message.id)
  }, /^AnthropicError: Cannot iterate over a consumed stream: a tool runner runs once$/)
})

test('runUntilDone() loops over an iterator that the program has put in place', async () => {
  const runner = asked([[call('Nara')], ['Sunny.']]).client.beta.messages.toolRunner(params)
  const iterate = runner[Symbol.asyncIterator].bind(runner)
  const seen: string[][] = []
  Object.assign(runner, {
    async *[Symbol.asyncIterator]() {
      for await (const message of iterate()) {
        seen.push(texts(message))
        yield message
      }
    },
  })
  assert.deepEqual(texts(await runner), ['Sunny.'])
  assert.deepEqual(seen, [['<tool_use>'], ['Sunny.']])
})

test('a failed tool call is a result for the model', async () => {
  const unknown: ContentBlock = { type: 'tool_use', id: 'toolu_x', name: 'wether', input: {} }
  const { client, requests } = asked([[call('Atlantis'), call(7 as never, 'toolu_7'), unknown], ['Sorry.']])
  await client.beta.messages.toolRunner(params)
  assert.deepEqual(requests[1]!.messages.at(-1)!.content, [
    {
      type: 'tool_result',
      tool_use_id: 'toolu_Atlantis',
      content: [{ type: 'text', text: 'It sank.' }],
      is_error: true,
    },
    {
      type: 'tool_result',
      tool_use_id: 'toolu_7',
      content: 'Error: Schema validation failed with 1 issue(s):\n  - city: must be a string: found 7',
      is_error: true,
    },
    { type: 'tool_result', tool_use_id: 'toolu_x', content: "Error: Tool 'wether' not found", is_error: true },
  ])
})

test('max_iterations limits the requests, but the last tool calls are answered', async () => {
  const { client, requests } = asked([[call('Nara')], [call('Kyoto')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner({ ...params, max_iterations: 2 })
  assert.deepEqual(texts(await runner), ['<tool_use>'])
  assert.equal(requests.length, 2)
  assert.deepEqual(runs, ['Nara', 'Kyoto'])
  assert.equal(runner.params.messages.length, 5)
})

test('a paused reply is sent back, and a cut reply ends the loop', async () => {
  const { client, requests } = asked([messageOf(['Searching'], { stop_reason: 'pause_turn' }), ['Found.']])
  assert.deepEqual(texts(await client.beta.messages.toolRunner(params)), ['Found.'])
  assert.equal(requests[1]!.messages.length, 2)
  const cut = asked([messageOf([call('Nara')], { stop_reason: 'max_tokens' })])
  assert.equal((await cut.client.beta.messages.toolRunner(params)).stop_reason, 'max_tokens')
  assert.deepEqual(runs, [])
})

test('pushMessages() and setMessagesParams() replace the next request', async () => {
  const { client, requests } = asked([['First.'], [call('Nara')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner(params)
  let turn = 0
  for await (const message of runner) {
    assert.equal(runner.params.messages.at(-1)!.role, 'user')
    if (turn++ === 0)
      runner.pushMessages({ role: 'assistant', content: message.content }, { role: 'user', content: 'And?' })
    if (turn === 2)
      runner.setMessagesParams((params) => ({ ...params, max_tokens: 7, messages: [...params.messages, message] }))
  }
  assert.deepEqual(
    requests[1]!.messages.map(({ role }) => role),
    ['user', 'assistant', 'user'],
  )
  assert.deepEqual(
    requests[2]!.messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'assistant', 'user'],
  )
  assert.equal(requests[2]!.max_tokens, 7)
  assert.deepEqual(runs, ['Nara'])
})

test('generateToolResponse() runs the tools once', async () => {
  const { client, requests } = asked([[call('Nara')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner(params)
  const results: unknown[] = []
  for await (const message of runner) results.push(await runner.generateToolResponse(), message.stop_reason)
  const content = [{ type: 'tool_result', tool_use_id: 'toolu_Nara', content: 'sun in Nara' }]
  assert.deepEqual(results, [{ role: 'user', content }, 'tool_use', null, 'end_turn'])
  assert.deepEqual(runs, ['Nara'])
  assert.deepEqual(requests[1]!.messages.at(-1), { role: 'user', content })
})

test('approve and request options apply to every step', async () => {
  const { client, requests } = asked([[call('Nara')], ['A pity.']])
  const runner = client.beta.messages.toolRunner({ ...params, approve: () => 'too late' }, { betas: ['b-2'] })
  runner.setRequestOptions((options) => ({ ...options, headers: { 'anthropic-beta': 'c-3' } }))
  await runner
  const content = "Error: The call of tool 'weather' was declined: too late"
  assert.deepEqual(requests[1]!.messages.at(-1)!.content, [
    { type: 'tool_result', tool_use_id: 'toolu_Nara', content, is_error: true },
  ])
  assert.deepEqual(requests[0]!.betas, ['c-3'])
  assert.equal('approve' in requests[0]!, false)
})

test('a failing request fails the loop and done()', async () => {
  const runner = asked([]).client.beta.messages.toolRunner(params)
  const done = assert.rejects(runner.done(), { status: 500 })
  await assert.rejects(async () => runner, { status: 500 })
  await done
})

test('an abort ends the loop during a tool call', async () => {
  const controller = new AbortController()
  const endless: RunnableTool = { ...weather, run: () => new Promise<string>(() => {}) }
  const runner = asked([[call('Nara')]]).client.beta.messages.toolRunner(
    { ...params, tools: [endless] },
    { signal: controller.signal },
  )
  setTimeout(() => controller.abort(), 10)
  await assert.rejects(runner.runUntilDone(), { name: 'APIUserAbortError' })
})

test('leaving the loop early closes its stream and rejects done()', async () => {
  const { client } = asked([['A', call('Nara')]])
  const runner = client.beta.messages.toolRunner({ ...params, stream: true })
  const turns = runner[Symbol.asyncIterator]()
  const { value: stream } = await turns.next()
  await turns.return(undefined)
  await assert.rejects((stream as MessageStream).done(), { name: 'APIUserAbortError' })
  await assert.rejects(runner.done(), /was left before its end/)
})

test('toolRunner() sends no blank text back', async () => {
  const { client, requests } = asked([['', call('Nara'), ' \n'], ['Sunny.']])
  await client.beta.messages.toolRunner(params)
  assert.deepEqual(requests[1]!.messages[1], { role: 'assistant', content: [call('Nara')] })
})

test('toolRunner() sends the container of a reply back, also over a thread', async () => {
  const first = messageOf([call('Nara')], { container: { id: 'container_1', expires_at: '2026-12-01T00:00:00Z' } })
  for (const thread of [false, true]) {
    const { client, requests } = asked([first, ['Sunny.']])
    await client.beta.messages.toolRunner({ ...params, thread })
    assert.deepEqual([requests[0]!.container, requests[1]!.container], [undefined, 'container_1'])
  }
})

test('toolRunner() can be looped over again after an error, and continues', async () => {
  const { client, requests } = asked([[call('Nara')]])
  const runner = client.beta.messages.toolRunner(params)
  await assert.rejects(async () => runner, /no reply is left/)
  await assert.rejects(runner.runUntilDone(), /no reply is left/)
  assert.deepEqual(
    requests.map(({ messages }) => messages.length),
    [1, 3, 3],
  )
})

test('toolRunner() runs the tools of the last reply when it is looped over again', async () => {
  const { client, requests } = asked([[call('Nara')], ['Sunny.']])
  let asks = 0
  const approve = (): boolean => {
    if (++asks === 1) throw new Error('not now')
    return true
  }
  const runner = client.beta.messages.toolRunner({ ...params, approve })
  await assert.rejects(async () => runner, /not now/)
  assert.deepEqual(texts(await runner), ['Sunny.'])
  assert.deepEqual(
    requests.map(({ messages }) => messages.length),
    [1, 3],
  )
})

test('messages that a tool pushes follow the results', async () => {
  const { client, requests } = asked([[call('Nara')], ['Sunny.']])
  const note: MessageParam = { role: 'user', content: 'And tomorrow?' }
  const noting = { ...weather, run: () => runner.pushMessages(note) }
  const runner = client.beta.messages.toolRunner({ ...params, tools: [noting] })
  await runner
  const [, reply, results, last] = requests[1]!.messages
  assert.equal(reply?.role, 'assistant')
  assert.deepEqual(results, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_Nara' }] })
  assert.deepEqual(last, note)
})

test('addTools() replaces a tool at once, removeTools() takes it away', async () => {
  const { client, requests } = asked([[call('Nara')], [call('Kyoto')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner(params)
  for await (const { content } of runner) {
    if (JSON.stringify(content).includes('Nara')) runner.addTools({ ...weather, run: () => 'rain' })
    else if (JSON.stringify(content).includes('Kyoto')) runner.removeTools('weather')
  }
  const results = requests
    .at(-1)!
    .messages.filter(({ role }) => role === 'user')
    .slice(1)
  assert.deepEqual(
    results.map(({ content }) => (content as { content: string }[])[0]!.content),
    ['rain', "Error: Tool 'weather' not found"],
  )
  const changes = requests.at(-1)!.messages.filter(({ role }) => role === 'system')
  assert.deepEqual(
    changes.map(({ content }) => (content as { type: string }[]).map(({ type }) => type)),
    [['tool_addition'], ['tool_removal']],
  )
})

test('a tool that a system block withdraws is not called', async () => {
  const removal = { type: 'tool_removal', tool: { type: 'tool_reference', name: 'weather' } }
  for (const block of [removal, { type: 'mid_conv_system', content: [{ type: 'text', text: 'Gone.' }, removal] }]) {
    const { client, requests } = asked([[call('Nara')], ['Sunny.']])
    const messages = [...params.messages, { role: 'system', content: [block] } as never]
    await client.beta.messages.toolRunner({ ...params, messages })
    assert.match(JSON.stringify(requests[1]!.messages.at(-1)), /Tool 'weather' not found/)
  }
})

test('compactBeforeNextTurn() replaces the messages by the summary, with removed tools still removed', async () => {
  const summary = messageOf([{ type: 'compaction', content: 'Weather.' }], { stop_reason: 'compaction' })
  const { client, requests } = asked([[call('Nara')], summary, [call('Kyoto')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner(params)
  for await (const { content } of runner)
    if (JSON.stringify(content).includes('Nara')) {
      runner.removeTools('weather')
      runner.compactBeforeNextTurn({ type: 'summarize', instructions: 'Short.' })
    }
  assert.deepEqual(requests[1]!.compaction, { type: 'summarize', instructions: 'Short.' })
  assert.equal(requests[2]!.compaction, undefined)
  assert.deepEqual(requests[2]!.messages, [{ role: 'assistant', content: summary.content }])
  assert.match(JSON.stringify(requests[3]!.messages), /Tool 'weather' not found/)
})

test('the messages cannot change while they are compacted', async () => {
  const summary = messageOf([{ type: 'compaction', content: 'Weather.' }], { stop_reason: 'compaction' })
  const { client } = asked([[call('Nara')], summary, ['Sunny.']])
  const runner = client.beta.messages.toolRunner(params)
  let refused = 0
  for await (const { content } of runner) {
    if (content[0]?.type === 'tool_use') runner.compactBeforeNextTurn()
    if (content[0]?.type !== 'compaction') continue
    assert.throws(() => runner.pushMessages(question), /Cannot change the messages while they are compacted/)
    runner.setMessagesParams({ ...runner.params, max_tokens: 9 })
    refused++
  }
  assert.equal(refused, 1)
  assert.equal(runner.params.max_tokens, 9)
})

test('runToolsEagerly runs a tool while the reply streams, after its readers', async () => {
  const seen: string[] = []
  const release = Promise.withResolvers<void>()
  const { client } = clientOf(async function* (request) {
    if (request.messages.length > 1) return yield* replay(messageOf(['Sunny.']))
    for (const event of replay(messageOf([call('Nara'), call('Kyoto'), 'Wait.']))) {
      if (event.type === 'message_delta') await release.promise
      yield event
    }
  })
  const noting = { ...weather, run: (input: { city: string }) => void seen.push(`run ${input.city}`) }
  const runner = client.beta.messages.toolRunner({ ...params, tools: [noting], stream: true, runToolsEagerly: true })
  for await (const stream of runner) {
    for await (const event of stream) {
      if (event.type !== 'content_block_start') continue
      // A slow reader: it must have handled the event before a call starts.
      await new Promise((resolve) => setTimeout(resolve, 5))
      seen.push(`start ${event.index}`)
      if (event.index === 2) setTimeout(release.resolve, 20)
    }
    seen.push('read')
  }
  assert.deepEqual(seen, ['start 0', 'start 1', 'run Nara', 'start 2', 'run Kyoto', 'read', 'start 0', 'read'])
})

test('deferToolCall() holds a call until the reply was handled', async () => {
  const { client, requests } = asked([[call('Nara'), call('Kyoto')], ['Sunny.']])
  const runner = client.beta.messages.toolRunner({ ...params, stream: true, runToolsEagerly: true })
  const held: string[][] = []
  for await (const stream of runner) {
    stream.on('contentBlock', (block) => void (block.type === 'tool_use' && runner.deferToolCall(block.id)))
    await stream.finalMessage()
    held.push([...runner.deferredToolCalls.map(({ id }) => id), ...runs])
  }
  assert.deepEqual(held, [
    ['toolu_Nara', 'toolu_Kyoto'],
    ['Nara', 'Kyoto'],
  ])
  assert.equal((requests[1]!.messages[2]!.content as unknown[]).length, 2)
})
