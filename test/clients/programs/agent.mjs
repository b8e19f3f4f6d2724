import { createSdkMcpServer, query, tool } from '@anthropic-ai/claude-agent-sdk'
import { z } from 'zod'

const weather = tool('weather', 'The weather in a city.', { city: z.string() }, async ({ city }) => ({
  content: [{ type: 'text', text: `Snow in ${city}` }],
}))
const texts = []
let resume
for (const prompt of ['How is the weather in Oslo?', 'Thanks']) {
  const options = {
    model: 'claude-sonnet-4-6',
    mcpServers: { city: createSdkMcpServer({ name: 'city', version: '1.0.0', tools: [weather] }) },
    allowedTools: ['mcp__city__weather'],
    includePartialMessages: true,
    // Sends the tool with the first request, instead of a tool that searches for it.
    env: { ...process.env, ENABLE_TOOL_SEARCH: 'false' },
    ...(resume && { resume }),
  }
  let text = ''
  for await (const message of query({ prompt, options })) {
    if (message.type === 'stream_event' && message.event.delta?.type === 'text_delta') text += message.event.delta.text
    if (message.type === 'result') resume = message.session_id
  }
  texts.push(text)
}
process.stdout.write(JSON.stringify(texts))
