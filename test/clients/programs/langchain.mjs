import { ChatAnthropic } from '@langchain/anthropic'
import { HumanMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { z } from 'zod'

const weather = tool(async ({ city }) => `Snow in ${city}`, {
  name: 'weather',
  description: 'The weather in a city.',
  schema: z.object({ city: z.string() }),
})
const model = new ChatAnthropic({
  model: 'claude-sonnet-4-6',
  apiKey: 'any',
  anthropicApiUrl: process.env.COLLOQUY_URL,
  maxTokens: 100,
}).bindTools([weather])
const messages = []
const texts = []
for (const content of ['How is the weather in Oslo?', 'Thanks']) {
  messages.push(new HumanMessage(content))
  let text = ''
  for (;;) {
    let reply
    for await (const chunk of await model.stream(messages)) {
      text += chunk.text
      reply = reply === undefined ? chunk : reply.concat(chunk)
    }
    messages.push(reply)
    if (reply.tool_calls.length === 0) break
    for (const call of reply.tool_calls) messages.push(await weather.invoke(call))
  }
  texts.push(text)
}
process.stdout.write(JSON.stringify(texts))
