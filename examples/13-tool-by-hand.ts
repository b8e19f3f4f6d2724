// The model calls a tool; the program runs it and sends the result back.
import Anthropic from 'colloquy'

const client = new Anthropic()
const messages: Anthropic.MessageParam[] = [
  { role: 'user', content: 'Use get_weather to tell me what to wear in Lisbon today.' },
]
const tools: Anthropic.Tool[] = [
  {
    name: 'get_weather',
    description: 'The weather in a city, now.',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
]

function getWeather(input: unknown): string {
  const { city } = input as { city: string }
  return `${city}: 24 °C, sunny, a light breeze`
}

for (;;) {
  const reply = await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 1024, tools, messages })
  messages.push({ role: 'assistant', content: reply.content })

  const results: Anthropic.ToolResultBlockParam[] = []
  for (const block of reply.content) {
    if (block.type === 'text') console.log(block.text)
    if (block.type !== 'tool_use') continue
    console.log(`[${block.name} ${JSON.stringify(block.input)}]`)
    results.push({ type: 'tool_result', tool_use_id: block.id, content: getWeather(block.input) })
  }
  if (reply.stop_reason !== 'tool_use') break
  messages.push({ role: 'user', content: results })
}
