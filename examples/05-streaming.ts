// Prints the reply while it is written, event by event, and its tokens at the end.
import Anthropic from 'colloquy'

const client = new Anthropic()

const stream = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Tell me in five sentences how a rainbow forms.' }],
  stream: true,
})

let inputTokens = 0
let outputTokens = 0

for await (const event of stream) {
  switch (event.type) {
    case 'message_start':
      inputTokens = event.message.usage.input_tokens
      break
    case 'content_block_delta':
      if (event.delta.type === 'text_delta') process.stdout.write(event.delta.text)
      break
    case 'message_delta':
      outputTokens = event.usage.output_tokens // the total so far, not the tokens since the last event
      break
  }
}

console.log(`\n\n[Tokens: ${inputTokens} in, ${outputTokens} out]`)
