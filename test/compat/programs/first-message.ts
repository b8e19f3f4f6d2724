import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic()

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, Claude' }],
})

console.log(message.content)
console.log(message.stop_reason, message.usage.input_tokens > 0, message._request_id !== undefined)
