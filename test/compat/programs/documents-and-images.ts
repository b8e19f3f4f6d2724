import Anthropic from '@anthropic-ai/sdk'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

function image(data: string): Anthropic.ImageBlockParam {
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
}

function document(title: string, text: string): Anthropic.DocumentBlockParam {
  return {
    type: 'document',
    title,
    source: { type: 'text', media_type: 'text/plain', data: text },
    citations: { enabled: true },
  }
}

const content: Anthropic.ContentBlockParam[] = [
  image(pixel),
  document('Notes', 'The meeting is on Monday.'),
  { type: 'text', text: 'What do you see, and when is the meeting?' },
]
const message = await new Anthropic().messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 300,
  messages: [{ role: 'user', content }],
})
for (const block of message.content) {
  if (block.type !== 'text') continue
  console.log(block.text)
  for (const citation of block.citations ?? []) console.log(citation.type, citation.cited_text)
}
