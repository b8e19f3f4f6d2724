import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ baseURL: process.env.COLLOQUY_URL, apiKey: 'any' })
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools = [{ name: 'weather', description: 'The weather in a city.', input_schema: schema }]
const messages = []
const texts = []
for (const content of ['How is the weather in Oslo?', 'Thanks']) {
  messages.push({ role: 'user', content })
  let text = ''
  for (;;) {
    const stream = client.messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 100, tools, messages })
    stream.on('text', (piece) => (text += piece))
    const reply = await stream.finalMessage()
    messages.push({ role: 'assistant', content: reply.content })
    const calls = reply.content.filter(({ type }) => type === 'tool_use')
    if (calls.length === 0) break
    const results = calls.map(({ id, input }) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: `Snow in ${input.city}`,
    }))
    messages.push({ role: 'user', content: results })
  }
  texts.push(text)
}
process.stdout.write(JSON.stringify(texts))
