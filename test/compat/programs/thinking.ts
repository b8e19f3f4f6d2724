import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic()
const thinking: Anthropic.ThinkingConfigParam = { type: 'adaptive', display: 'summarized' }
const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Is 1071 divisible by 21?' }]

const stream = client.messages.stream({
  model: 'claude-sonnet-4-6',
  max_tokens: 4000,
  thinking,
  output_config: { effort: 'low' },
  messages,
})
const seen: string[] = []
stream
  .on('thinking', () => seen.push('thinking'))
  .on('signature', (signature) => seen.push(`signature ${signature.length > 0}`))
const first = await stream.finalMessage()
console.log([...new Set(seen)])

for (const block of first.content) {
  if (block.type === 'thinking') console.log('thought', block.thinking.length > 0, block.signature.length > 0)
  else if (block.type === 'redacted_thinking') console.log('thought something', block.data.length)
  else if (block.type === 'text') console.log('said', block.text.length > 0)
}
messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: 'And by 3?' })
const second = await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 4000, thinking, messages })
console.log(second.content.at(-1)?.type)
