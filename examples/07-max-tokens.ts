// Limits the length of a reply, and detects that it was cut off.
import Anthropic from 'colloquy'

const client = new Anthropic()

for (const max_tokens of [10, 1000]) {
  const message = await client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens,
    messages: [{ role: 'user', content: 'Describe the ocean in a few sentences.' }],
  })
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  const verdict = message.stop_reason === 'max_tokens' ? 'cut off: raise max_tokens' : 'complete'

  console.log(
    `max_tokens ${max_tokens} → ${message.stop_reason} after ${message.usage.output_tokens} tokens (${verdict})`,
  )
  console.log(`${text}\n`)
}
