import Anthropic from '@anthropic-ai/sdk'
import type { MessageParam } from '@anthropic-ai/sdk/resources/messages'

const client = new Anthropic()
const history: MessageParam[] = []

async function chat(text: string): Promise<string> {
  history.push({ role: 'user', content: text })
  const reply: Anthropic.Message = await client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 300,
    system: 'You are a patient tutor.',
    messages: history,
  })
  history.push({ role: reply.role, content: reply.content })
  return reply.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

for (const question of ['What is a closure?', 'Show me one.', 'What did I ask first?']) {
  console.log(`> ${question}`)
  console.log(await chat(question))
}
console.log(history.map(({ role }) => role).join(' '))
