import Anthropic from '@anthropic-ai/sdk'
import type { MessageCountTokensParams, MessageParam, Usage } from '@anthropic-ai/sdk/resources/messages'

const client = new Anthropic()
const prompt: MessageCountTokensParams = {
  model: 'claude-sonnet-4-6',
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'Hello' }],
}

const { input_tokens } = await client.messages.countTokens(prompt)
const longer = await client.messages.countTokens({
  ...prompt,
  messages: [{ role: 'user', content: 'Hello '.repeat(200) }],
})
console.log(input_tokens > 0, longer.input_tokens > input_tokens)

async function fit(messages: MessageParam[], limit: number): Promise<MessageParam[]> {
  let kept = messages
  while (kept.length > 1 && (await client.messages.countTokens({ ...prompt, messages: kept })).input_tokens > limit)
    kept = kept.slice(2)
  return kept
}
const history = Array.from({ length: 9 }, (_, index): MessageParam => ({
  role: index % 2 ? 'assistant' : 'user',
  content: 'word '.repeat(50),
}))
console.log((await fit(history, longer.input_tokens)).length < history.length)

const spent: Pick<Usage, 'input_tokens' | 'output_tokens'> = { input_tokens: 0, output_tokens: 0 }
for (const max_tokens of [1, 50]) {
  const { usage, stop_reason } = await client.messages.create({ ...prompt, max_tokens })
  spent.input_tokens +=
    usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
  spent.output_tokens += usage.output_tokens
  console.log(stop_reason)
}
console.log(spent)
