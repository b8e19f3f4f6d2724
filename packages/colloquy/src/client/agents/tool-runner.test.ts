import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { replay } from '../../protocol/codec/replay.ts'
import { ToolError } from '../../tools/call.ts'
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
  }, /^AnthropicError: Cannot run a tool runner twice$/)
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
      content: 'Error: the input does not satisfy the schema:\ncity: must be a string: found 7',
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
