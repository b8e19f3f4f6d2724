// A chat in the terminal that prints the tokens and the cost of each turn. An empty line or Ctrl-D ends it.
import Anthropic from 'colloquy'
import { costOf, formatUsd } from 'colloquy/protocol'
import { createInterface } from 'node:readline/promises'

const client = new Anthropic()
const conversation: Anthropic.MessageParam[] = []

process.stdout.write('> ')
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') break
  conversation.push({ role: 'user', content: line })

  const stream = client.messages.stream({
    model: 'claude-sonnet-4-6',
    max_tokens: 2048,
    system: 'You are a senior software engineer. Answer briefly, with code where code says it better.',
    messages: conversation,
  })
  stream.on('text', (text) => process.stdout.write(text))
  const { content, usage, model } = await stream.finalMessage()
  conversation.push({ role: 'assistant', content })

  const cost = costOf(usage, model)
  const dollars = cost ? formatUsd(cost.picoUsd) : 'no price'
  console.log(`\n\n[Tokens: ${usage.input_tokens} in, ${usage.output_tokens} out | Cost: ${dollars}]\n`)
  process.stdout.write('> ')
}
