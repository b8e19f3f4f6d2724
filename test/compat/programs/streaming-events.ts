import Anthropic from '@anthropic-ai/sdk'
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages'

const client = new Anthropic()
const stream = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 200,
  messages: [{ role: 'user', content: 'Count to three.' }],
  stream: true,
})

let text = ''
let inputTokens = 0
let outputTokens = 0

function handle(event: RawMessageStreamEvent): void {
  switch (event.type) {
    case 'message_start':
      inputTokens = event.message.usage.input_tokens
      return
    case 'content_block_start':
      console.log(`block ${event.index}: ${event.content_block.type}`)
      return
    case 'content_block_delta':
      if (event.delta.type === 'text_delta') text += event.delta.text
      return
    case 'content_block_stop':
      console.log(`block ${event.index} ends`)
      return
    case 'message_delta':
      outputTokens = event.usage.output_tokens
      console.log(`stopped: ${event.delta.stop_reason}`)
      return
    case 'message_stop':
      console.log('end')
  }
}

for await (const event of stream) handle(event)
console.log(text)
console.log(`[${inputTokens} in, ${outputTokens} out]`)
