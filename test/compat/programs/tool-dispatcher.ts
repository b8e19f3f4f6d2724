import Anthropic from '@anthropic-ai/sdk'
import type { MessageParam, Tool, ToolResultBlockParam, ToolUseBlock } from '@anthropic-ai/sdk/resources/messages'

type Handler = (input: Record<string, unknown>) => Promise<string> | string

const tools: Tool[] = [
  {
    name: 'get_weather',
    description: 'The weather in a city.',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  { name: 'get_time', description: 'The time.', input_schema: { type: 'object', properties: {} } },
]

const handlers: Record<string, Handler> = {
  get_weather: ({ city }) => `18 degrees in ${String(city)}`,
  get_time: () => '12:00',
}

async function dispatch(use: ToolUseBlock): Promise<ToolResultBlockParam> {
  const handler = handlers[use.name]
  if (!handler) return { type: 'tool_result', tool_use_id: use.id, content: `no tool ${use.name}`, is_error: true }
  return { type: 'tool_result', tool_use_id: use.id, content: await handler(use.input as Record<string, unknown>) }
}

const client = new Anthropic()
const messages: MessageParam[] = [{ role: 'user', content: 'Use get_weather: what is the weather?' }]

for (let round = 0; round < 4; round++) {
  const reply = await client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 500,
    tools,
    tool_choice: round === 0 ? { type: 'tool', name: 'get_weather' } : { type: 'auto' },
    messages,
  })
  messages.push({ role: 'assistant', content: reply.content })
  const uses = reply.content.filter((block): block is ToolUseBlock => block.type === 'tool_use')
  console.log(
    round,
    reply.stop_reason,
    uses.map(({ name, input }) => [name, input]),
  )
  if (reply.stop_reason !== 'tool_use') break
  messages.push({ role: 'user', content: await Promise.all(uses.map(dispatch)) })
}
console.log(messages.length)
