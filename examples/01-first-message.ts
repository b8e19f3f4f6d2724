// Sends one question and prints the reply.
import Anthropic from 'colloquy'

const client = new Anthropic() // reads ANTHROPIC_API_KEY

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, Claude' }],
})

for (const block of message.content) {
  if (block.type === 'text') console.log(block.text)
}
