import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { type ScriptedReply, script } from '../engines/script.ts'
import { accumulate } from '../protocol/codec/accumulate.ts'
import type {
  ContentBlock,
  MessageCreateParams,
  MessageParam,
  MessageStreamEvent,
  ToolUseBlock,
} from '../protocol/index.ts'
import { tool } from './tool.ts'
import { withTools } from './with-tools.ts'

const question: MessageParam = { role: 'user', content: 'How is the weather?' }
const usage = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 3 }
const params: MessageCreateParams = { model: 'm', max_tokens: 100, messages: [question] }

const weather = tool({
  name: 'weather',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  run: ({ city }) => (city === 'Nowhere' ? undefined : [{ type: 'text', text: `sun in ${city}` }]),
})

function call(city: string, name = 'weather'): ToolUseBlock {
  return { type: 'tool_use', id: `toolu_${city}`, name, input: { city } }
}

function says(...content: Array<string | ContentBlock>): ScriptedReply {
  return {
    content: content.map((block) =>
      typeof block === 'string' ? { type: 'text', text: block, citations: null } : block,
    ),
    usage,
  }
}

const rounds = [
  says({ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }, 'Let me see.', call('Nara'), call('Nowhere')),
  says(call('Kyoto')),
  says('Sunny.'),
]

test('withTools() replies with one message that holds calls and results', async () => {
  const message = await accumulate(withTools(script(rounds), [weather])(params))
  assert.deepEqual(
    message.content.map((block) => block.type as string),
    [
      'thinking',
      'text',
      'mcp_tool_use',
      'mcp_tool_use',
      'mcp_tool_result',
      'mcp_tool_result',
      'mcp_tool_use',
      'mcp_tool_result',
      'text',
    ],
  )
  assert.equal(message.stop_reason, 'end_turn')
  const [use, result] = [message.content[2], message.content[4]] as unknown[]
  assert.deepEqual(use, {
    type: 'mcp_tool_use',
    id: 'toolu_Nara',
    name: 'weather',
    input: { city: 'Nara' },
    server_name: 'colloquy',
  })
  assert.deepEqual(result, {
    type: 'mcp_tool_result',
    tool_use_id: 'toolu_Nara',
    is_error: false,
    content: [{ type: 'text', text: 'sun in Nara' }],
  })
})

test('withTools() streams one message, its blocks in order', async () => {
  const events = (await Array.fromAsync(withTools(script(rounds), [weather])(params))) as MessageStreamEvent[]
  const count = (type: string) => events.filter((event) => event.type === type).length
  assert.deepEqual([count('message_start'), count('message_stop')], [1, 1])
  assert.deepEqual([events[0]!.type, events.at(-1)!.type], ['message_start', 'message_stop'])
  let open: number | undefined
  let next = 0
  for (const event of events) {
    if (event.type === 'content_block_start') {
      assert.deepEqual([open, event.index], [undefined, next++])
      open = event.index
    } else if (event.type === 'content_block_delta') assert.equal(event.index, open)
    else if (event.type === 'content_block_stop') {
      assert.equal(event.index, open)
      open = undefined
    }
  }
})

test('withTools() adds up the usage of all rounds, and sends it after each', async () => {
  const engine = withTools(script([...rounds.slice(0, 2), { error: { type: 'overloaded_error' } }]), [weather])
  const deltas: number[] = []
  await assert.rejects(
    async () => {
      for await (const event of engine(params))
        if (event.type === 'message_delta') deltas.push(event.usage.input_tokens!)
    },
    { status: 529 },
  )
  assert.deepEqual(deltas, [10, 20])
  const message = await accumulate(withTools(script(rounds), [weather])(params))
  assert.deepEqual(
    [message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens],
    [30, 15, 9],
  )
  assert.equal(message.usage.iterations?.length, 3)
})

test('withTools() unfolds its own message into the messages of the rounds', async () => {
  const engine = script([...rounds, says('You are welcome.')])
  const served = withTools(engine, [weather])
  const { content } = await accumulate(served(params))
  const thanks: MessageParam = { role: 'user', content: 'Thanks.' }
  const sent = JSON.parse(JSON.stringify([question, { role: 'assistant', content }, thanks])) as MessageParam[]
  await accumulate(served({ ...params, messages: sent }))
  const [third, fourth] = engine.requests.slice(2).map(({ params }) => params.messages)
  assert.deepEqual(fourth!.slice(0, third!.length), third)
  assert.deepEqual(fourth!.slice(third!.length), [
    { role: 'assistant', content: [{ type: 'text', text: 'Sunny.', citations: null }] },
    thanks,
  ])
})

test('withTools() unfolds its message into the messages of any rounds', async () => {
  const text = fc.record({
    type: fc.constant('text' as const),
    text: fc.string({ minLength: 1 }),
    citations: fc.constant(null),
  })
  const use = fc.record({
    type: fc.constant('tool_use' as const),
    id: fc.uuid(),
    name: fc.constantFrom('weather', 'unknown'),
    input: fc.dictionary(fc.string(), fc.jsonValue()),
  })
  const thinking = fc.constant({ type: 'thinking' as const, thinking: 'Hm.', signature: 'c2ln' })
  const round = fc.tuple(fc.array(fc.oneof(text, thinking, use)), use).map(([blocks, last]) => says(...blocks, last))
  await fc.assert(
    fc.asyncProperty(fc.array(round, { maxLength: 4 }), async (rounds) => {
      const engine = script([...rounds, says('Done.'), says('Welcome.')])
      const served = withTools(engine, [weather])
      const { content } = await accumulate(served(params))
      const sent = JSON.parse(JSON.stringify([question, { role: 'assistant', content }])) as MessageParam[]
      await accumulate(served({ ...params, messages: [...sent, question] }))
      const [before, after] = engine.requests.slice(-2).map(({ params }) => JSON.stringify(params.messages))
      assert.ok(after!.startsWith(before!.slice(0, -1)), `${before}\n${after}`)
    }),
    { numRuns: 50 },
  )
})

test("tools that the request declares are the caller's: their calls end the message", async () => {
  const lookup = { name: 'lookup', input_schema: { type: 'object' as const } }
  const engine = script([says(call('Nara'), call('word', 'lookup')), says('Done.')])
  const served = withTools(engine, [weather])
  const message = await accumulate(served({ ...params, tools: [lookup] }))
  assert.deepEqual(
    message.content.map((block) => block.type as string),
    ['mcp_tool_use', 'tool_use', 'mcp_tool_result'],
  )
  assert.equal(message.stop_reason, 'tool_use')
  const result: MessageParam = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'toolu_word', content: 'a word' }],
  }
  await accumulate(
    served({
      ...params,
      tools: [lookup],
      messages: [question, { role: 'assistant', content: message.content }, result],
    }),
  )
  const { messages, tools } = engine.requests[1]!.params
  assert.deepEqual(
    messages.map(({ content }) =>
      typeof content === 'string' ? 'text' : content.map(({ type }) => type as string).join(' '),
    ),
    ['text', 'tool_use tool_use', 'tool_result', 'tool_result'],
  )
  assert.deepEqual(
    tools?.map((tool) => 'name' in tool && tool.name),
    ['lookup', 'weather'],
  )
})

test('withTools() closes a call that max_tokens cut off, so that the message can be sent', async () => {
  const engine = script([{ content: [call('Nara')], stop_reason: 'max_tokens' }, says('On we go.')])
  const served = withTools(engine, [weather])
  const message = await accumulate(served(params))
  assert.equal(message.stop_reason, 'max_tokens')
  assert.deepEqual(
    message.content.map((block) => block.type as string),
    ['mcp_tool_use', 'mcp_tool_result'],
  )
  const more: MessageParam = { role: 'user', content: 'Go on.' }
  await accumulate(served({ ...params, messages: [question, { role: 'assistant', content: message.content }, more] }))
  assert.deepEqual(
    engine.requests[1]!.params.messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'user'],
  )
})

test('withTools() closes a call whose input was cut off with its readable part', async () => {
  const events = (await Array.fromAsync(
    script([{ content: [call('Nara')], stop_reason: 'max_tokens' }])(params),
  )) as MessageStreamEvent[]
  const cut = events.flatMap((event): MessageStreamEvent[] => {
    if (event.type === 'content_block_stop') return []
    if (event.type !== 'content_block_delta' || event.delta.type !== 'input_json_delta') return [event]
    return [{ ...event, delta: { ...event.delta, partial_json: event.delta.partial_json.slice(0, 11) } }]
  })
  const { content } = await accumulate(withTools(script([cut]), [weather])(params))
  assert.deepEqual(content, [
    { type: 'mcp_tool_use', id: 'toolu_Nara', name: 'weather', input: { city: 'Na' }, server_name: 'colloquy' },
    {
      type: 'mcp_tool_result',
      tool_use_id: 'toolu_Nara',
      is_error: true,
      content: "Error: Tool 'weather' was not run, as the reply stopped with max_tokens",
    },
  ])
})

test("blocks of other servers' tools stay as they are", async () => {
  const engine = script(['Yes.'])
  const foreign = [
    { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'weather', server_name: 'elsewhere', input: {} },
    { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', is_error: false, content: [] },
  ]
  const messages = [question, { role: 'assistant', content: foreign }, question] as MessageParam[]
  await accumulate(withTools(engine, [weather])({ ...params, messages }))
  assert.deepEqual(engine.requests[0]!.params.messages, messages)
})

test('withTools() counts what it would send, if the engine counts', async () => {
  const engine = script([])
  const plain = await engine.countTokens!({ model: 'm', messages: [question] })
  const served = await withTools(engine, [weather]).countTokens!({ model: 'm', messages: [question] })
  assert.ok(served.input_tokens > plain.input_tokens)
  async function* uncounted(): AsyncGenerator<MessageStreamEvent> {}
  assert.equal(withTools(uncounted, [weather]).countTokens, undefined)
})
