// Tells the API which of your users sent the request, so that it can tell one abusive user from all others.
import Anthropic from 'colloquy'
import { createHash } from 'node:crypto'

const client = new Anthropic()

// Opaque and stable: never a name, an address, or a number that other systems use.
const user_id = createHash('sha256').update('customer 4711').digest('hex')

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  metadata: { user_id },
  messages: [{ role: 'user', content: 'Suggest a name for a sailing boat.' }],
})

for (const block of message.content) if (block.type === 'text') console.log(block.text)
