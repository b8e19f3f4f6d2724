// A tutor. chat() adds the question and the reply to the history, so each question may refer to earlier replies.
import Anthropic from 'colloquy'

const client = new Anthropic()
const history: Anthropic.MessageParam[] = []

async function chat(question: string): Promise<string> {
  history.push({ role: 'user', content: question })
  const reply = await client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 1024,
    system: 'You are a patient mathematics tutor. Show each step.',
    messages: history,
  })
  history.push({ role: 'assistant', content: reply.content })
  return reply.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

const questions = ['What is 17 * 24?', 'Divide that by 8.', 'What was my first question, and what did I learn since?']

for (const question of questions) {
  console.log(`> ${question}\n\n${await chat(question)}\n`)
}
