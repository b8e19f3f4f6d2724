import { createAnthropic } from '@ai-sdk/anthropic'
import { stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'

const model = createAnthropic({ baseURL: `${process.env.COLLOQUY_URL}/v1`, apiKey: 'any' })('claude-sonnet-4-6')
const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Snow in ${city}`,
})
const messages = []
const texts = []
for (const content of ['How is the weather in Oslo?', 'Thanks']) {
  messages.push({ role: 'user', content })
  const result = streamText({ model, messages, tools: { weather }, stopWhen: stepCountIs(5), maxOutputTokens: 100 })
  let text = ''
  for await (const piece of result.textStream) text += piece
  texts.push(text)
  for (const { response } of await result.steps) messages.push(...response.messages)
}
process.stdout.write(JSON.stringify(texts))
