import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import * as z from 'zod'

const weather = betaZodTool({
  name: 'get_weather',
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  run: ({ city }) => `18 degrees in ${city}`,
})
const time = betaTool({
  name: 'get_time',
  description: 'The time in a zone.',
  inputSchema: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
  run: async ({ zone }) => [{ type: 'text', text: `12:00 ${zone}` }],
})

const client = new Anthropic()
const runner = client.beta.messages.toolRunner({
  model: 'claude-sonnet-4-6',
  max_tokens: 1000,
  max_iterations: 4,
  tools: [weather, time],
  messages: [{ role: 'user', content: 'Use get_weather for Paris.' }],
})
let rounds = 0
for await (const message of runner) {
  rounds += 1
  console.log(
    message.stop_reason,
    message.content.map((block) => (block.type === 'tool_use' ? block.name : block.type)),
  )
}
console.log(rounds, (await runner.done()).role)
