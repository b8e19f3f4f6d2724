import assert from 'node:assert/strict'
import { test } from 'node:test'
import Official from '@anthropic-ai/sdk'
import { createServer } from '@colloquy/server'
import Anthropic from 'colloquy'
import { type ScriptEngine, script } from 'colloquy/engines'
import type { MessageParam } from 'colloquy/protocol'
import { tool, withTools } from 'colloquy/tools'

const weather = tool({
  name: 'weather',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  run: ({ city }) => `sun in ${city}`,
})

const call = { content: [{ type: 'tool_use' as const, id: 'toolu_1', name: 'weather', input: { city: 'Nara' } }] }
const params = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const question = { role: 'user' as const, content: 'How is the weather?' }
const thanks = { role: 'user' as const, content: 'Thanks.' }

function serve(engine: ScriptEngine, maxRounds?: number): { ours: Anthropic; official: Official } {
  const served = withTools(engine, [weather], maxRounds === undefined ? {} : { maxRounds })
  const { fetch } = createServer({ engine: served })
  const options = { apiKey: 'key', baseURL: 'http://colloquy.test', maxRetries: 0, fetch }
  return { ours: new Anthropic(options), official: new Official(options) }
}

for (const name of ['ours', 'official'] as const) {
  test(`an engine with tools streams one message that ${name} client sends back unchanged`, async () => {
    const engine = script([call, 'Sunny.', 'You are welcome.'])
    // The official types have other names for these blocks.
    const client = serve(engine)[name] as Anthropic
    const { content } = await client.messages.stream({ ...params, messages: [question] }).finalMessage()
    assert.deepEqual(
      content.map(({ type }) => type as string),
      ['mcp_tool_use', 'mcp_tool_result', 'text'],
    )

    const messages: MessageParam[] = [question, { role: 'assistant', content }, thanks]
    const reply = await client.messages.create({ ...params, messages })
    assert.equal(reply.content[0]?.type === 'text' && reply.content[0].text, 'You are welcome.')
    assert.deepEqual(engine.requests[2]!.params.messages, [
      ...engine.requests[1]!.params.messages,
      { role: 'assistant', content: content.slice(2) },
      thanks,
    ])
  })
}

test('a served engine reports its round limit as an error', async () => {
  const { ours } = serve(script([call, call, call]), 2)
  await assert.rejects(
    ours.messages.stream({ ...params, messages: [question] }).done(),
    /The model still asks for tools after 2 rounds/,
  )
})
