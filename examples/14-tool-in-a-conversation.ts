// The same with a conversation, which keeps the history: the program sends only new messages.
import Anthropic from 'colloquy'
import { openConversations } from 'colloquy/conversation'
import { formatUsd } from 'colloquy/protocol'

const conversations = openConversations({ client: new Anthropic() })
const conversation = await conversations.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  tools: [
    {
      name: 'get_weather',
      description: 'The weather in a city, now.',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  ],
})

function getWeather(input: unknown): string {
  const { city } = input as { city: string }
  return `${city}: 24 °C, sunny, a light breeze`
}

let reply = await conversation.send('Use get_weather to tell me what to wear in Lisbon today.')
while (reply.stopReason === 'tool_use') {
  const calls = reply.message.content.filter((block) => block.type === 'tool_use')
  reply = await conversation.send(
    calls.map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: getWeather(input) })),
  )
}

console.log(reply.text)
console.log(`${conversation.messages.length} messages, ${formatUsd(conversation.cost.picoUsd)}`)
