// From Node 24, V8 confuses some keys that contain an escape: https://github.com/nodejs/node/issues/63785
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from '@colloquy/server'
import Anthropic from 'colloquy'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { upstream } from 'colloquy/engines'
import {
  type MessageCreateParams,
  type MessageStreamEvent,
  type ToolUseBlock,
  encodeSse,
  replay,
} from 'colloquy/protocol'
import { tool } from 'colloquy/tools'

const question = {
  model: 'claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Count.' }],
}

/** The JSON of a tool input, after V8 has parsed one with the same first key and a second key `\`. */
function confusing(first: string): string {
  const other = JSON.parse(String.raw`{"${first}":[],"\\":0}`) as object
  assert.deepEqual(Object.keys(other), [first, '\\'])
  return String.raw`{"${first}":1,"\"":2}`
}

const inputOf = (content: unknown): string => JSON.stringify((content as ToolUseBlock[])[0]!.input)

/** The JSON of a message whose only block is a call with this input. */
const messageWith = (input: string): string =>
  `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[{"type":"tool_use","id":"toolu_1","name":"count",
  "input":${input}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`

/** The events of that message, with the input in one delta or in the start of the block. */
function eventsWith(input: string, isWhole = false): string {
  const events = [...replay(JSON.parse(messageWith('{}')))].map(encodeSse).join('')
  if (isWhole) return events.replace('"input":{}', `"input":${input}`)
  const delta = {
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: input },
  } as const
  return events.replace('event: content_block_stop', `${encodeSse(delta)}event: content_block_stop`)
}

const thanks = [...replay({ ...JSON.parse(messageWith('{}')), content: [{ type: 'text', text: 'Thanks.' }] })]

/** A client that receives these bodies in turn. */
function answered(...bodies: string[]): { client: Anthropic; requests: string[] } {
  const requests: string[] = []
  const fetch = async (_url: unknown, init?: { body?: unknown }) => {
    requests.push(await new Response(init?.body as BodyInit).text())
    const body = bodies.shift()!
    const type = body.startsWith('event:') ? 'text/event-stream' : 'application/json'
    return new Response(body, { headers: { 'content-type': type } })
  }
  return { client: new Anthropic({ apiKey: 'any', maxRetries: 0, fetch }), requests }
}

test('create() keeps the keys of a tool input', async () => {
  const input = confusing('created')
  const { content } = await answered(messageWith(input)).client.messages.create(question)
  assert.equal(inputOf(content), input)
})

for (const isWhole of [false, true]) {
  test(`stream() keeps the keys of a tool input that arrives ${isWhole ? 'with its block' : 'in pieces'}`, async () => {
    const input = confusing(`streamed ${isWhole}`)
    const { content } = await answered(eventsWith(input, isWhole)).client.messages.stream(question).finalMessage()
    assert.equal(inputOf(content), input)
  })
}

test('the results of a batch keep the keys of a tool input', async () => {
  const input = confusing('batch')
  const { client } = answered(
    '{"id":"msgbatch_1","results_url":"https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"}',
    `{"custom_id":"1","result":{"type":"succeeded","message":${messageWith(input).replace('\n', '')}}}`,
  )
  const [line] = await Array.fromAsync(await client.messages.batches.results('msgbatch_1'))
  assert.equal(line?.result.type === 'succeeded' && inputOf(line.result.message.content), input)
})

test('a conversation runs, shows and sends the keys of a tool input unchanged', async () => {
  for (const isWhole of [false, true]) {
    const input = confusing(`kept ${isWhole}`)
    const { client, requests } = answered(eventsWith(input, isWhole), thanks.map(encodeSse).join(''))
    const conversations = openConversations({ engine: upstream(client), store: memoryStore() })
    const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 10 })
    const inputs: string[] = []
    const count = tool({
      name: 'count',
      inputSchema: { type: 'object' },
      run: (given) => {
        inputs.push(JSON.stringify(given))
        return 'done'
      },
    })
    await conversation.send('Count.', { tools: [count] })
    assert.deepEqual(inputs, [input])
    assert.equal(inputOf(conversation.messages[1]!.content), input)
    assert.ok(requests[1]!.includes(input), requests[1])
  }
})

test('a served engine gets the keys of a tool input unchanged', async () => {
  const input = confusing('served')
  const inputs: string[] = []
  async function* engine({ messages }: MessageCreateParams): AsyncGenerator<MessageStreamEvent> {
    inputs.push(inputOf(messages[1]!.content))
    yield* thanks
  }
  const { fetch } = createServer({ engine })
  const { content } = JSON.parse(messageWith('0')) as { content: unknown }
  const answer = { role: 'assistant', content }
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }] }
  const body = JSON.stringify({ ...question, messages: [...question.messages, answer, result] })
  const response = await fetch(
    new Request('http://colloquy.test/v1/messages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'any' },
      body: body.replace('"input":0', `"input":${input}`),
    }),
  )
  assert.equal(response.status, 200, await response.text())
  assert.deepEqual(inputs, [input])
})
