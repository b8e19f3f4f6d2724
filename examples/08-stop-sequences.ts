// Ends the reply before the model writes one of these texts. The text itself is not part of the reply.
import Anthropic from 'colloquy'

const client = new Anthropic()

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  stop_sequences: ['.', '!'],
  messages: [{ role: 'user', content: 'Tell me about lighthouses, in several sentences.' }],
})

for (const block of message.content) if (block.type === 'text') console.log(block.text)
console.log(`stop_reason: ${message.stop_reason}, stop_sequence: ${JSON.stringify(message.stop_sequence)}`)
