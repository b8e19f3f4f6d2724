// The same conversation with a system prompt, which sets the tone of every reply. It is sent with each request.
import Anthropic from 'colloquy'

const client = new Anthropic()
const system = 'You are a travel agent who answers in at most three sentences.'
const conversation: Anthropic.MessageParam[] = []

const questions = [
  'I want to plan a trip to Japan for ten days.',
  'I love history and food. Which cities should I visit?',
  'What do I love, again, and how do I split the ten days?',
]

for (const question of questions) {
  conversation.push({ role: 'user', content: question })
  const reply = await client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 1024,
    system,
    messages: conversation,
  })
  conversation.push({ role: 'assistant', content: reply.content })

  console.log(`> ${question}\n`)
  for (const block of reply.content) if (block.type === 'text') console.log(`${block.text}\n`)
}

console.log(`${conversation.length} messages`)
