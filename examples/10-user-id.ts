// Tells the API which of your users asked, so that abuse by one of them is not taken for abuse by you.
import Anthropic from 'colloquy'
import { createHash } from 'node:crypto'

const client = new Anthropic()

// Opaque and stable: never a name, an address or a number that means something elsewhere.
const user_id = createHash('sha256').update('customer 4711').digest('hex')

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  metadata: { user_id },
  messages: [{ role: 'user', content: 'Suggest a name for a sailing boat.' }],
})

for (const block of message.content) if (block.type === 'text') console.log(block.text)
