import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import Official from '@anthropic-ai/sdk'
import Colloquy from 'colloquy'
import { models } from 'colloquy/protocol'
import { frame, hello, helloStream, message } from './fixtures.ts'

type Call = (client: Official, model: string) => PromiseLike<unknown>

const thinking = { type: 'enabled', budget_tokens: 1024 } as const
const format = { type: 'json_schema', schema: { type: 'object' }, parse: (text: string) => text.length } as const

const calls: Record<string, Call> = {
  'create()': (client, model) => client.messages.create({ ...hello, model }),
  'create() with thinking': (client, model) => client.messages.create({ ...hello, model, max_tokens: 2048, thinking }),
  'create({ stream: true })': (client, model) => client.messages.create({ ...hello, model, stream: true }),
  'stream()': (client, model) => client.messages.stream({ ...hello, model }).finalMessage(),
  'parse()': (client, model) => client.messages.parse({ ...hello, model, output_config: { format } }),
  'beta create()': (client, model) => client.beta.messages.create({ ...hello, model, thinking, max_tokens: 2048 }),
  'countTokens()': (client, model) => client.messages.countTokens({ model, messages: hello.messages }),
  'batches.create()': (client, model) =>
    client.messages.batches.create({ requests: [{ custom_id: 'a', params: { ...hello, model } }] }),
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name} warns as the official client does, for every model`, async (t) => {
    let count = 0
    for (const { id } of [...models, { id: 'claude-opus-4-5' }, { id: 'claude-sonnet-4-5' }, { id: 'own' }]) {
      const official = await warningsOf(t, Official, (client) => call(client, id))
      const ours = await warningsOf(t, Colloquy as unknown as typeof Official, (client) => call(client, id))
      assert.deepEqual(ours, official, id)
      count += official.length
    }
    assert.equal(count > 0, !/count|batches/.test(name), `${count} warnings`)
  })
}

test('the older name of parsed_output gives its value and warns, as in the official client', async (t) => {
  const read = async (client: Official): Promise<void> => {
    const reply = await client.beta.messages.parse({ ...hello, output_config: { format } })
    const [block] = reply.content as unknown as [{ parsed: unknown; parsed_output: unknown }]
    assert.deepEqual([block.parsed, block.parsed_output], [11, 11])
    assert.deepEqual(Object.keys(block).toSorted(), ['citations', 'text', 'type'])
  }
  const official = await warningsOf(t, Official, read)
  assert.equal(official.length, 1)
  assert.deepEqual(await warningsOf(t, Colloquy as unknown as typeof Official, read), official)
})

test('logLevel silences warnings of models, and a logger receives them', async (t) => {
  const warn = t.mock.fn()
  const logger = { error() {}, warn, info() {}, debug() {} }
  const model = 'claude-sonnet-4-5'
  const options = { apiKey: 'any', logger, fetch: async () => Response.json(message()) }
  await new Colloquy({ ...options, logLevel: 'error' }).messages.create({ ...hello, model })
  assert.equal(warn.mock.callCount(), 0)
  await new Colloquy(options).messages.create({ ...hello, model })
  assert.match(String(warn.mock.calls[0]?.arguments[0]), /deprecated and will reach end-of-life on November 30th, 2026/)
})

const tool = {
  name: 'look',
  input_schema: { type: 'object' as const },
  parse: (input: unknown) => input,
  run: () => 'x',
}
const toolUse = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }
const called = message({ content: [toolUse], stop_reason: 'tool_use' })
const cut = message({ content: [toolUse], stop_reason: 'max_tokens' })

for (const [name, replies] of Object.entries({
  'has no summary': [called, message(), message()],
  'is skipped': [cut],
})) {
  test(`a tool runner warns as the official one when a compaction ${name}`, async (t) => {
    const run = async (client: Official): Promise<void> => {
      const runner = client.beta.messages.toolRunner({ ...hello, tools: [tool], thread: false })
      let step = 0
      for await (const _ of runner) if (step++ === 0) runner.compactBeforeNextTurn()
    }
    const official = await warningsOf(t, Official, run, replies)
    assert.equal(official.length, 1)
    assert.deepEqual(await warningsOf(t, Colloquy as unknown as typeof Official, run, replies), official)
  })
}

async function warningsOf(
  t: TestContext,
  Anthropic: typeof Official,
  run: (client: Official) => PromiseLike<unknown>,
  replies: readonly object[] = [],
): Promise<unknown[]> {
  const warn = t.mock.method(console, 'warn', () => {})
  const left = [...replies]
  const fetch: typeof globalThis.fetch = async (_, init) => answer(String(init?.body), left.shift())
  // A copy, because the official client keeps the functions of a logger that it has seen.
  const logger = { ...console }
  try {
    await run(new Anthropic({ apiKey: 'any', fetch, logger }))
    await new Promise(setImmediate)
    return warn.mock.calls.map(({ arguments: given }) => given)
  } finally {
    warn.mock.restore()
  }
}

function answer(body: string, reply: object = message()): Response {
  if (!body.includes('"stream":true')) return Response.json(reply)
  return new Response(helloStream.map(frame).join(''), { headers: { 'content-type': 'text/event-stream' } })
}
