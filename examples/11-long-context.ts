// Sends a beta header with one request. This one enables a window of a million tokens on models that have it as a beta;
// models from 4.6 need no header.
import Anthropic from 'colloquy'

const client = new Anthropic()
const book = Array.from({ length: 2_000 }, (_, page) => `Page ${page + 1}: the lamp was lit at dusk.`).join('\n')

const { data: message, response } = await client.messages
  .create(
    {
      model: 'claude-sonnet-4-6',
      max_tokens: 1024,
      messages: [{ role: 'user', content: `${book}\n\nHow many pages does this book have?` }],
    },
    { headers: { 'anthropic-beta': 'context-1m-2025-08-07' } },
  )
  .withResponse()

for (const block of message.content) if (block.type === 'text') console.log(block.text)
console.log(`${message.usage.input_tokens} tokens in, request ${response.headers.get('request-id')}`)
